"""The consumer asks for a change of what it has: longer, wider, another purpose.

No wider scope, other purpose or longer use without the provider's consent: the change is a request
like every other, begun with the terms as they stand.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, IllegalMove
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import Grant, SharingRequest, limits_of
from apps.sharing.operations.asking.drafting import begin
from apps.sharing.operations.attempts import attempt


@attempt("sharing.ask_change", "grant")
def ask_change(*, grant: Grant, actor: User, at: datetime) -> SharingRequest:
    """Draft a request for the same system and entry, with the grant's terms to be changed.

    What is not shared any more is left out, and so is a condition on a column that the entry
    dropped: the provider decides anew which rows are given. Nothing is vouched for yet; the grant
    stays as it is until what is agreed becomes its next version.

    Source: 《政务数据共享条例》第二十五条
    Raises:
        NotAllowed: the actor does not edit for the consumer.
        IllegalMove: the grant is not in force.
        Conflict: a request of this system for this entry is under way.
    """
    standing = access.require(actor, "ask_change", grant, at=at)
    current = (
        Grant.objects.select_for_update(of=("self",))
        .select_related("dataset", "system", "consumer", "request")
        .get(pk=grant.pk)
    )
    if current.status != Grant.Status.IN_FORCE:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能申请变更") % {"status": current.get_status_display()}
        )
    other = queries.request_under_way(current.system, current.dataset)
    if other is not None:
        raise Conflict(
            _("该系统对此目录已有办理中的申请 %(number)s") % {"number": other.number},
            code="already_asked",
        )
    request = begin(
        standing,
        dataset=current.dataset,
        system=current.system,
        at=at,
        items=still_shared(current.dataset, current.columns),
        row_condition=still_listed(current.dataset, current.row_condition),
        written=_written(current, at),
    )
    details = {"grant": str(current), "version": current.version}
    ledger.record(standing, "sharing.ask_change", request, at=at, details=details)
    return request


def still_shared(dataset: Dataset, columns: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the columns with their masks, without those that are not shared any more."""
    items = {item.column_name: item for item in dataset.items.select_related("dataset")}
    closed = {item.column_name for item in queries.unshareable(list(items.values()))}
    return {
        column["name"]: column.get("mask") or ""
        for column in columns
        if column["name"] in items and column["name"] not in closed
    }


def still_listed(dataset: Dataset, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the conditions that speak of columns the entry still has."""
    listed = set(dataset.items.values_list("column_name", flat=True))
    return [entry for entry in rows if entry.get("item") in listed]


def _written(grant: Grant, at: datetime) -> dict[str, Any]:
    last_day = queries.last_day_of(grant.expires_at)
    today = timezone.localdate(at)
    return {
        "basis": grant.request.basis,
        "scenario": grant.purpose,
        "scope": grant.request.scope,
        "mode": grant.mode,
        "starts_on": today,
        "ends_on": last_day if last_day > today else None,
        **limits_of(grant),
    }
