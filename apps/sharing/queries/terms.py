"""What was asked, what was decided, and what an item is worth protecting with."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import DataItem
from apps.sharing.models import Decision, Grant, RequestedItem, SharingRequest
from apps.standards.masks import MASKS

_STANDING = (Grant.Status.DELIVERING, Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)


REVIEWED_ANEW: Final = ("form_check", "supplement", "reviewing")


def asked_terms(request: SharingRequest) -> Decision | None:
    """Return the terms as last asked, None before the provider received the request."""
    return request.decisions.filter(outcome="asked").order_by("-version").first()


def latest_decision(request: SharingRequest) -> Decision | None:
    """Return what was proposed or signed last, None while nothing was."""
    return request.decisions.exclude(outcome="asked").order_by("-version").first()


def latest_decisions(requests: Iterable[SharingRequest]) -> dict[int, Decision]:
    """Return the same of several, by request; those without are left out."""
    return _last_of_each(Decision.objects.exclude(outcome="asked"), requests)


def asked_terms_of_each(requests: Iterable[SharingRequest]) -> dict[int, Decision]:
    """Return the terms as last asked of several, by request; those without are left out."""
    return _last_of_each(Decision.objects.filter(outcome="asked"), requests)


def _last_of_each(
    decisions: QuerySet[Decision], requests: Iterable[SharingRequest]
) -> dict[int, Decision]:
    rows = decisions.filter(request__in=[request.pk for request in requests])
    last = rows.order_by("request_id", "-version").distinct("request_id")
    return {row.request_id: row for row in last}


def is_returned(request: SharingRequest, decision: Decision) -> bool:
    """Say whether an opinion was sent back: it is reviewed anew, and nothing stands yet."""
    return decision.signed_at is None and request.status in REVIEWED_ANEW


def is_told(decision: Decision) -> bool:
    """Say whether the consumer knows it: it is signed, or was offered and accepted."""
    return decision.signed_at is not None or decision.offer_id is not None


def returned_decision(request: SharingRequest) -> Decision | None:
    """Return the opinion that was sent back last, while it is reviewed anew; None without one."""
    latest = latest_decision(request)
    return latest if latest is not None and is_returned(request, latest) else None


def standing_decision(request: SharingRequest) -> Decision | None:
    """Return the opinion that the request stands under; None while it is reviewed."""
    latest = latest_decision(request)
    return None if latest is None or is_returned(request, latest) else latest


def written_items(requested: Iterable[RequestedItem]) -> list[dict[str, str]]:
    """Return requested items as a decision keeps them, in the order of the dataset."""
    return [
        {"name": row.item.column_name, "label": row.item.name, "mask": row.mask}
        for row in sorted(requested, key=lambda row: (row.item.position, row.item_id))
    ]


def labelled_columns(grant: Grant) -> list[dict[str, str]]:
    """Return the columns of a grant as a decision keeps them, with the labels of the items."""
    labels = labels_of(grant)
    return [
        {
            "name": column["name"],
            "label": labels.get(column["name"], column["name"]),
            "mask": column.get("mask") or "",
        }
        for column in grant.columns
    ]


def labels_of(grant: Grant) -> dict[str, str]:
    """Return the labels of the items by their columns, also of those that the entry dropped."""
    labels = dict(grant.dataset.items.values_list("column_name", "name"))
    missing = {str(column["name"]) for column in grant.columns} - set(labels)
    if missing:
        dropped = catalog.dropped_columns(grant.dataset_id, missing)
        labels |= {name: each.column.label for name, each in dropped.items()}
    return labels


def default_mask(item: DataItem) -> str:
    """Return the mask an item has unless somebody says otherwise: its own, when sensitive.

    A sensitive item for which the catalogue names no mask is hidden altogether.

    Source: house rule (domain §6, GB/T 45574-2025)
    """
    if item.mask:
        return item.mask
    return "hide" if item.sensitive else ""


def mask_label(mask: str) -> str:
    """Return how values are masked, in words; empty where they are given as they are."""
    return str(MASKS[mask].label) if mask in MASKS else mask


def mask_words(mask: str) -> str:
    """Return the same, and in words also that nothing is masked."""
    return mask_label(mask) or _("明文")


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
    standing = Grant.objects.filter(
        system=request.system, dataset=request.dataset, status__in=_STANDING
    )
    narrowed_since = Q(version__gt=F("request__grant_version"))
    agreed_in_part = Q(
        request__decisions__signed_at__isnull=False, request__decisions__outcome="narrow"
    )
    return standing.filter(narrowed_since | agreed_in_part).exists()


def days_as_instants(starts_on: date, ends_on: date, at: datetime) -> tuple[datetime, datetime]:
    """Return the period of a grant: from its first day, not before `at`, through its last day."""
    zone = timezone.get_default_timezone()
    first = datetime.combine(starts_on, time.min, tzinfo=zone)
    end = datetime.combine(ends_on + timedelta(days=1), time.min, tzinfo=zone)
    return max(first, at), end


def last_day_of(expires_at: datetime) -> date:
    """Return the last whole day of a period that ends at this instant."""
    return timezone.localdate(expires_at - timedelta(days=1))


def grant_in_version(grant: Grant, version: int) -> Grant:
    """Return the grant as it was in one of its versions, from its history."""
    if grant.version == version:
        return grant
    rows = grant.history.filter(version=version).order_by("history_date", "history_id")
    held: Any = rows.last()
    return grant if held is None else held.instance
