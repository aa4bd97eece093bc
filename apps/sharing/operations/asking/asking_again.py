"""The consumer asks once more for what was refused: a new request begun with the refused one's."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import Conflict, IllegalMove
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import SharingRequest, limits_of
from apps.sharing.operations.asking.asking_changes import still_listed, still_shared
from apps.sharing.operations.asking.drafting import begin
from apps.sharing.operations.asking.return_flow import begin_return_flow
from apps.sharing.operations.attempts import attempt


@attempt("sharing.ask_again", "request")
def ask_again(*, request: SharingRequest, actor: User, at: datetime) -> SharingRequest:
    """Draft a request with what a refused one asked for, and have the two point to each other.

    What is not shared any more is left out, and so is a condition on a column that the entry
    dropped. Nothing is vouched for yet; papers are not taken over. A matter's part stays a part of
    it; what came of a demand is no more about it.

    Source: 《政务数据共享条例》第二十条
    Raises:
        NotAllowed: the actor does not edit for the consumer.
        IllegalMove: the request was not refused.
        Conflict: a request of this system for this entry is under way.
        InvalidInput: the entry is not to be had, or the system is out of service.
    """
    standing = access.require(actor, "ask_again", request, at=at)
    refused = (
        SharingRequest.objects.select_for_update(of=("self",))
        .select_related("dataset", "system", "package")
        .get(pk=request.pk)
    )
    if refused.status != SharingRequest.Status.REFUSED:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能据此重新申请") % {"status": refused.get_status_display()}
        )
    other = queries.request_under_way(refused.system, refused.dataset)
    if other is not None:
        raise Conflict(
            _("该系统对此目录已有办理中的申请 %(number)s") % {"number": other.number},
            code="already_asked",
        )
    common: dict[str, Any] = {
        "dataset": refused.dataset,
        "system": refused.system,
        "at": at,
        "items": still_shared(refused.dataset, _asked(refused)),
        "previous": refused,
    }
    if queries.return_flow_of(refused) is not None:
        made = begin_return_flow(standing, **common, scenario=refused.scenario, scope=refused.scope)
    else:
        made = begin(
            standing,
            **common,
            row_condition=still_listed(refused.dataset, refused.row_condition),
            written=_written(refused, at),
            package=_package(refused),
        )
    ledger.record(standing, "sharing.ask_again", made, at=at, details={"previous": refused.number})
    return made


def _asked(refused: SharingRequest) -> list[dict[str, str]]:
    return queries.written_items(refused.requested_items.select_related("item"))


def _package(refused: SharingRequest) -> Any:
    """Return the matter it was a part of, unless another part asks for the entry by now."""
    package = refused.package
    if package is None:
        return None
    parts = package.parts.filter(dataset=refused.dataset)
    return None if parts.exclude(status__in=("withdrawn", "refused")).exists() else package


def _written(refused: SharingRequest, at: datetime) -> dict[str, Any]:
    """Return its statements; days that are past are to be written anew."""
    starts_on = max(timezone.localdate(at), refused.starts_on or timezone.localdate(at))
    is_ahead = refused.ends_on is not None and refused.ends_on > starts_on
    return {
        "basis": refused.basis,
        "scenario": refused.scenario,
        "scope": refused.scope,
        "mode": refused.mode,
        "starts_on": starts_on,
        "ends_on": refused.ends_on if is_ahead else None,
        **limits_of(refused),
    }
