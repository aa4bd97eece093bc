"""Tell the head, then the authority's leader, of orders that are overdue."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.queries import approvers_of, authority, members_with
from apps.clocks.models import Clock
from apps.clocks.queries import live_clocks_of, policy_in_force, work_calendar
from apps.ledger import operations as ledger
from apps.quality.models import WorkOrder
from apps.quality.operations.ordering import CLOCK
from apps.quality.queries.findings import late_orders

TELL_HEAD: Final = "quality.tell_head"
TELL_LEADER: Final = "quality.tell_leader"


@transaction.atomic
def escalate_due(*, at: datetime) -> int:
    """Tell whoever the policies name of every order that is late enough, each once.

    Called by the worker; it may come twice, what was told is marked in the row. Return how many
    were told of.

    Source: house rule (policies quality.tell_head and quality.tell_leader, dated and changeable)
    """
    orders = list(
        late_orders(at).select_for_update(of=("self",)).select_related("department", "dataset")
    )
    clocks = live_clocks_of(orders)
    by_order = {
        clock.object_id: clock
        for found in clocks.values()
        for clock in found
        if clock.policy.code == CLOCK
    }
    told = 0
    for order in orders:
        clock = by_order.get(order.pk)
        if clock is not None and clock.due_at <= at:
            told += _tell_head(order, clock, at) + _tell_leader(order, clock, at)
    return told


def _is_due(clock: Clock, code: str, at: datetime) -> bool:
    """Say whether as many working days have passed since the last day as the policy grants."""
    today = timezone.localdate(at)
    wait = policy_in_force(code, today).length or 0
    return today > clock.due_on and work_calendar().count_workdays(clock.due_on, today) >= wait


def _tell_head(order: WorkOrder, clock: Clock, at: datetime) -> int:
    if order.head_told_at is not None or not _is_due(clock, TELL_HEAD, at):
        return 0
    ledger.notify(
        approvers_of(order.department),
        title=_("整改逾期：%(number)s") % {"number": order},
        body=_("%(dataset)s，截止日期 %(day)s 已过，尚有 %(rows)s 条问题数据。")
        % {"dataset": order.dataset.name, "day": clock.due_on, "rows": f"{order.failed:,}"},
        url=order.get_absolute_url(),
        at=at,
        subject=order,
    )
    WorkOrder.objects.filter(pk=order.pk).update(head_told_at=at)
    ledger.record(None, TELL_HEAD, order, at=at, department=order.department)
    return 1


def _tell_leader(order: WorkOrder, clock: Clock, at: datetime) -> int:
    if order.leader_told_at is not None or not _is_due(clock, TELL_LEADER, at):
        return 0
    ledger.notify(
        members_with("authority_leader", authority()),
        title=_("%(department)s整改逾期：%(number)s")
        % {"department": order.department, "number": order},
        body=_("%(dataset)s，截止日期 %(day)s 已过。")
        % {"dataset": order.dataset.name, "day": clock.due_on},
        url=order.get_absolute_url(),
        at=at,
        subject=order,
    )
    WorkOrder.objects.filter(pk=order.pk).update(leader_told_at=at)
    ledger.record(None, TELL_LEADER, order, at=at, department=order.department)
    return 1
