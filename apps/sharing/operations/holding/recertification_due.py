"""What the platform does for the yearly look at grants: opens it, passes it on, asks, escalates.

Source: house rule (issue 5: never silently dropped)
"""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.clocks.models import Clock
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import RECERTIFICATION
from apps.sharing.models import Grant, Recertification
from apps.sharing.operations import owed
from apps.sharing.operations.holding.recertifying import DECIDE, STATE_NEED, hand_to_head
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.operations.versions import save_version
from apps.sharing.queries import continuing
from apps.sharing.queries.figures import figures_of

ESCALATE: Final = "grant.recertify_escalate"
Status = Recertification.Status


def recertify_due(at: datetime) -> int:
    """Open what is due for the yearly look and move on what waits. Repeat-safe; the task's step.

    Return how many were opened.
    """
    waiting = Recertification.objects.filter(status__in=Recertification.OPEN).order_by("pk")
    each_by_itself(waiting, lambda row: _follow_up(row, at))
    due = continuing.grants_to_recertify(at)
    opened, _left = each_by_itself(due, lambda grant: _open(grant, at))
    return sum(opened)


@transaction.atomic
def _open(grant: Grant, at: datetime) -> int:
    # Whoever ends it or looks at the same time waits here, or has been waited for.
    held = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    is_open = continuing.open_recertification(held) is not None
    if is_open or held.status != Grant.Status.IN_FORCE:
        return 0
    platform = accounts.platform_user()
    row = Recertification(
        grant=grant,
        grant_version=grant.version,
        since=grant.last_certified,  # type: ignore[attr-defined]
        due_on=timezone.localdate(at),
        figures=figures_of([grant], at)[grant.pk].to_json(),
        created_at=at,
        updated_at=at,
    )
    save_version(row, actor=platform, at=at, insert=True)
    answer = clocks.start(row, STATE_NEED, department=grant.consumer, at=at)
    row.due_on = clocks.start(row, DECIDE, department=grant.provider, at=at).due_on
    Recertification.objects.filter(pk=row.pk).update(due_on=row.due_on)
    ledger.open_todo(
        row,
        "sharing.state_need",
        title=_("说明是否继续使用授权 %(grant)s") % {"grant": grant},
        url=owed.need_page_of(grant),
        department=grant.consumer,
        role="department_editor",
        at=at,
        due_on=answer.due_on,
    )
    words = {"answer": answer.due_on, "day": row.due_on}
    owed.tell_about_grant(
        grant,
        _("授权 %(grant)s 开始年度复核") % {"grant": grant},
        _("使用部门在 %(answer)s 前说明是否继续使用，提供部门在 %(day)s 前复核。") % words,
        at=at,
    )
    ledger.record(platform, "sharing.recertify", grant, at=at, department=grant.provider)
    return 1


@transaction.atomic
def _follow_up(row: Recertification, at: datetime) -> None:
    row = Recertification.objects.select_for_update(of=("self",)).get(pk=row.pk)
    running = {
        clock.policy.code: clock for clock in clock_queries.running(row).select_related("policy")
    }
    if row.status == Status.AWAITING_NEED and _is_over(running.get(STATE_NEED), at):
        _pass_over(row, at)
    decision = running.get(DECIDE)
    if decision is None or row.status not in Recertification.OPEN:
        return
    if row.due_on != decision.due_on:  # the calendar has changed since
        Recertification.objects.filter(pk=row.pk).update(due_on=decision.due_on)
    if _is_over(decision, at) and row.reminded_at is None:
        _remind(row, decision, at)
    elif row.reminded_at is not None and row.escalated_at is None and _is_late(decision, at):
        _escalate(row, decision, at)


def _pass_over(row: Recertification, at: datetime) -> None:
    platform = accounts.platform_user()
    clocks.stop(row, STATE_NEED, at=at)
    RECERTIFICATION.apply(row, "pass_over", actor=platform, at=at)
    hand_to_head(row, by=platform, at=at)
    _record(row, "sharing.pass_over", at)


def _remind(row: Recertification, clock: Clock, at: datetime) -> None:
    ledger.notify(
        accounts.approvers_of(row.grant.provider),
        title=_("年度复核逾期：%(grant)s") % {"grant": row.grant},
        body=_("“%(dataset)s”给“%(system)s”的授权，截止日期 %(day)s 已过，尚未复核。")
        % {"dataset": row.grant.dataset, "system": row.grant.system, "day": clock.due_on},
        url=owed.RECERTIFY_PAGE,
        at=at,
        subject=row.grant,
    )
    Recertification.objects.filter(pk=row.pk).update(reminded_at=at)
    _record(row, "sharing.remind_recertification", at)


def _escalate(row: Recertification, clock: Clock, at: datetime) -> None:
    Recertification.objects.filter(pk=row.pk).update(escalated_at=at)
    ledger.open_todo(
        row,
        "sharing.recertification_late",
        title=_("%(department)s逾期未复核授权 %(grant)s")
        % {"department": row.grant.provider, "grant": row.grant},
        url=owed.RECERTIFY_PAGE,
        department=accounts.authority(),
        role="authority_officer",
        at=at,
        due_on=clock.due_on,
    )
    _record(row, "sharing.escalate_recertification", at)


def _is_over(clock: Clock | None, at: datetime) -> bool:
    return clock is not None and clock.due_at <= at


def _is_late(clock: Clock, at: datetime) -> bool:
    """Say whether as many working days have passed since the last day as the policy grants."""
    today = timezone.localdate(at)
    wait = clock_queries.policy_in_force(ESCALATE, today).length or 0
    return clock_queries.work_calendar().count_workdays(clock.due_on, today) >= wait


def _record(row: Recertification, verb: str, at: datetime) -> None:
    grant = row.grant
    ledger.record(accounts.platform_user(), verb, grant, at=at, department=grant.provider)
