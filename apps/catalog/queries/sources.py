"""What is asked about sources and seeming duplicates."""

from datetime import date

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.catalog.models import Dataset, Duplicate, SourceDesignation
from apps.core import access


def duplicates_visible_to(actor: User) -> QuerySet[Duplicate]:
    """Return the seeming duplicates that concern the person, with both entries."""
    return access.rows(actor, "view", Duplicate).select_related(
        "first__department", "second__department", "designation__department", "decided_by"
    )


def duplicates_of(dataset: Dataset, *, actor: User) -> QuerySet[Duplicate]:
    """Return those of an entry that are open or decided."""
    found = duplicates_visible_to(actor).filter(Q(first=dataset) | Q(second=dataset))
    return found.exclude(status="lapsed")


def designations_of(dataset: Dataset, *, on: date) -> QuerySet[SourceDesignation]:
    """Return the designations in force that an entry stands under.

    By a duplicate that was decided, or by a data element that one of its items follows.
    """
    in_force = SourceDesignation.objects.select_related("department", "data_element").filter(
        Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on
    )
    decided = Duplicate.objects.filter(Q(first=dataset) | Q(second=dataset), status="source_named")
    return in_force.filter(
        Q(pk__in=decided.values("designation"))
        | Q(data_element__in=dataset.items.exclude(data_element=None).values("data_element"))
    )
