"""What the platform does about service changes when their time has come. Every step is repeat-safe.

Source: 《政务数据共享条例》第二十七条; house rule (issue 5)
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.clocks import operations as clocks
from apps.core.errors import DomainError
from apps.ledger import operations as ledger
from apps.sharing import provisioning
from apps.sharing.lifecycle import SERVICE_CHANGE
from apps.sharing.models import ServiceChange, limits_of, wanted_of
from apps.sharing.operations.holding.grants import close_grant
from apps.sharing.operations.holding.narrow_grant import apply_narrowing
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.serving.change_news import hand_to_authority, tell
from apps.sharing.queries.service_changes import (
    ANSWER_CHANGE,
    changes_to_carry_out,
    changes_unanswered,
)


def carry_out_changes(at: datetime) -> int:
    """Pass on what nobody answered, carry out what was filed for today; return how many took
    effect. Repeat-safe.
    """
    each_by_itself(changes_unanswered(at), lambda change: _pass_over(change, at))
    done, _problems = each_by_itself(changes_to_carry_out(at), lambda change: _carry(change, at))
    return len(done)


@transaction.atomic
def _pass_over(change: ServiceChange, at: datetime) -> ServiceChange:
    platform = accounts.platform_user()
    words = str(_("逾期未答复，视为没有异议"))
    SERVICE_CHANGE.apply(
        change,
        "pass_over_change",
        actor=platform,
        at=at,
        answered_by=platform,
        answered_at=at,
        answer=words,
    )
    clocks.stop(change, ANSWER_CHANGE, at=at)
    hand_to_authority(change, by=platform, at=at)
    tell(change, words, at=at)
    ledger.record(
        platform,
        "sharing.pass_over_change",
        change.grant,
        at=at,
        department=change.grant.consumer,
        details={"change": str(change)},
    )
    return change


def _carry(change: ServiceChange, at: datetime) -> ServiceChange:
    """Carry a filed change out; what cannot be done is written down and tried again.

    Raises:
        DomainError: as narrowing or ending says.
    """
    try:
        return provisioning.persistently(lambda: _carry_out(change, at))
    except DomainError as error:
        ServiceChange.objects.filter(pk=change.pk, status="filed").update(problem=str(error))
        raise


def _carry_out(change: ServiceChange, at: datetime) -> ServiceChange:
    held = (
        ServiceChange.objects.select_for_update(of=("self",))
        .select_related("grant__dataset", "grant__request", "grant__consumer", "grant__provider")
        .get(pk=change.pk)
    )
    if held.status != ServiceChange.Status.FILED:
        return held
    platform = accounts.platform_user()
    SERVICE_CHANGE.apply(held, "carry_out_change", actor=platform, at=at, closed_at=at, problem="")
    grant = held.grant
    reason = str(_("服务变更 %(change)s：%(reason)s") % {"change": held, "reason": held.reason})
    details: dict[str, Any] = {"reason": reason}
    if held.kind == ServiceChange.Kind.STOP:
        verb = "sharing.end"
        close_grant(grant, "end", actor=platform, at=at, reason=reason)
    else:
        verb = "sharing.narrow"
        narrowed, changed = apply_narrowing(
            grant,
            wanted_of(held),
            limits_of(held),
            actor=platform,
            at=at,
            reason=reason,
            decided_at=held.opened_at,
        )
        details |= {"version": narrowed.version, "changed": changed}
    ledger.record(platform, verb, grant, at=at, department=grant.provider, details=details)
    return held
