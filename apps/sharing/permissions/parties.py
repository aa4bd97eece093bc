"""The sides of a request, which all rules speak of."""

from typing import Final

from django.db.models import Q

from apps.accounts.models import User
from apps.catalog.models import DatasetGroupPermission
from apps.sharing.models import DistrictReview

NOBODY: Final = Q(pk__in=[])
EVERY: Final = Q(pk__isnull=False)
OVERSEERS: Final = ("authority_officer", "authority_leader")
# While a decision is ahead. Afterwards nobody has a reason to look into what the consumer holds.
WEIGHED_IN: Final = (
    "form_check",
    "supplement",
    "reviewing",
    "awaiting_second_review",
    "awaiting_signature",
)


def asked_by(actor: User) -> Q:
    return Q(consumer=actor.department_id)


def entries_answered_for(actor: User, of: str = "") -> Q:
    """Datasets of the department, and those delegated to it.

    of: the way from a row to its dataset.
    """
    assert actor.department is not None  # the audience "members" admits no other
    delegated = DatasetGroupPermission.objects.filter(
        group=actor.department.group_id, permission__codename="review_requests"
    )
    own = Q(**{f"{of}department": actor.department_id})
    return own | Q(**{f"{of}pk__in": delegated.values("content_object")})


def answered_for_by(actor: User) -> Q:
    """Requests on datasets that the department answers for, never its own requests."""
    answered_for = entries_answered_for(actor, "dataset__")
    return answered_for & ~asked_by(actor) & Q(received_at__isnull=False)


def not_its_own(actor: User, of: str = "") -> Q:
    """Grants that another department than the actor's uses, or that it gives itself.

    of: the way from a row to its grant.

    What the provider decides about them, nobody of the consumer decides, whatever his office.
    """
    own = {f"{of}consumer": actor.department_id}
    return ~Q(**own) | Q(**{f"{of}provider": actor.department_id})


def put_to_district(actor: User) -> Q:
    """Requests that lay or lie with the actor's department as the district's authority."""
    reviews = DistrictReview.objects.filter(authority=actor.department_id)
    return Q(pk__in=reviews.values("request"))


def is_overseer(actor: User) -> bool:
    return actor.holds(*OVERSEERS)
