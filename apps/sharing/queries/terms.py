"""What was asked, what was decided, and what an item is worth protecting with."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from apps.catalog.models import DataItem
from apps.sharing.models import Decision, Grant, RequestedItem, SharingRequest

_STANDING = (Grant.Status.DELIVERING, Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)


def asked_terms(request: SharingRequest) -> Decision | None:
    """Return the terms as last asked, None before the provider received the request."""
    return request.decisions.filter(outcome="asked").order_by("-version").first()


def latest_decision(request: SharingRequest) -> Decision | None:
    """Return what was proposed or signed last, None while nothing was."""
    return request.decisions.exclude(outcome="asked").order_by("-version").first()


def written_items(requested: Iterable[RequestedItem]) -> list[dict[str, str]]:
    """Return requested items as a decision keeps them, in the order of the dataset."""
    return [
        {"name": row.item.column_name, "label": row.item.name, "mask": row.mask}
        for row in sorted(requested, key=lambda row: (row.item.position, row.item_id))
    ]


def labelled_columns(grant: Grant) -> list[dict[str, str]]:
    """Return the columns of a grant as a decision keeps them, with the labels of the items."""
    labels = dict(grant.dataset.items.values_list("column_name", "name"))
    return [
        {
            "name": column["name"],
            "label": labels.get(column["name"], column["name"]),
            "mask": column.get("mask") or "",
        }
        for column in grant.columns
    ]


def default_mask(item: DataItem) -> str:
    """Return the mask an item has unless somebody says otherwise: its own, when sensitive.

    A sensitive item for which the catalogue names no mask is hidden altogether.

    Source: house rule (domain §6, GB/T 45574-2025)
    """
    if item.mask:
        return item.mask
    return "hide" if item.sensitive else ""


def unshareable(items: Sequence[DataItem]) -> list[DataItem]:
    return [item for item in items if item.effective_sharing_attribute == "not_shared"]


def needs_provider(request: SharingRequest) -> bool:
    """Say whether a person of the provider has to decide.

    Unconditional data is granted by the platform at once, unless a conditional item is among what
    was asked or a sensitive one is asked for in plain text, or the provider has narrowed what the
    system has: that is not undone by asking again.

    Source: 《政务数据共享条例》第十五条、第二十一条; house rule
    """
    for row in request.requested_items.select_related("item__dataset"):
        if row.item.effective_sharing_attribute != "unconditional":
            return True
        if row.item.sensitive and row.mask != default_mask(row.item):
            return True
    narrowed = Grant.objects.filter(
        system=request.system, dataset=request.dataset, version__gt=1, status__in=_STANDING
    )
    return narrowed.exists()


def days_as_instants(starts_on: date, ends_on: date, at: datetime) -> tuple[datetime, datetime]:
    """Return the period of a grant: from its first day, not before `at`, through its last day."""
    zone = timezone.get_default_timezone()
    first = datetime.combine(starts_on, time.min, tzinfo=zone)
    end = datetime.combine(ends_on + timedelta(days=1), time.min, tzinfo=zone)
    return max(first, at), end
