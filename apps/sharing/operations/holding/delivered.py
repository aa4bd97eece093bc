"""What is done with a request when its system can read: it is closed, and both sides are told.

Called by the use cases that deliver, for the platform.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.core.templatetags.dates import last_day
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Grant, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking.demand_news import note_delivered

DELIVER = "request.deliver"
DROPPED = _("共享申请 %(number)s 不再交付")


def mark_delivered(request: SharingRequest, *, at: datetime, **fields: Any) -> None:
    """Close the request, and stop the clock of its delivery."""
    platform = accounts.platform_user()
    REQUEST.apply(request, "deliver", actor=platform, at=at, delivered_at=at, **fields)
    note_delivered(request, at=at)
    if clock_queries.running(request).filter(policy__code=DELIVER).exists():
        clocks.stop(request, DELIVER, at=at)


def announce(grant: Grant, *, at: datetime) -> None:
    """Tell the consumer what its system can do now, and write the event."""
    request = grant.request
    words = {
        "system": grant.system,
        "dataset": grant.dataset,
        "day": last_day(grant.expires_at),
        "grant": grant,
        "version": grant.version,
    }
    body = (
        _("“%(system)s”可以核验“%(dataset)s”，至 %(day)s")
        if grant.is_verify_only
        else _("“%(system)s”可以读取“%(dataset)s”，至 %(day)s")
    )
    parts = [str(body % words)]
    if grant.renewed_at is not None:
        parts.append(str(_("授权 %(grant)s 现为第 %(version)s 版，调用凭证不变") % words))
    if grant.status == Grant.Status.SUSPENDED:
        parts.append(str(_("授权仍在暂停，恢复之后才能使用")))
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 已交付") % {"number": request.number},
        "；".join(parts),
        at=at,
    )
    ledger.record(
        accounts.platform_user(),
        "sharing.deliver",
        request,
        at=at,
        department=grant.provider,
        details={"grant": grant.pk, "version": grant.version},
    )
