"""What people do about work orders: take them on, vouch for rows, contest, let stand.

Closing is nobody's act: an order closes when a batch has mended what it names.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, required_text
from apps.ledger import operations as ledger
from apps.quality.lifecycle import WORK_ORDER
from apps.quality.models import Basis, Finding, WorkOrder
from apps.quality.models.findings import FAILING, LIVE_ORDERS
from apps.quality.operations.ordering import begin_mending, end_order
from apps.quality.recording import move_findings


@transaction.atomic
def acknowledge(
    *, order: WorkOrder, actor: User, at: datetime, plan: str = "", revision: int | None = None
) -> WorkOrder:
    """Take an order on; `plan` says what will be done about it.

    Source: 《政务数据共享条例》第二十六条
    Raises:
        NotAllowed: the actor does not work for the order's department.
        IllegalMove: it was taken on already, or is over.
    """
    standing = access.require(actor, "acknowledge", order, at=at)
    WORK_ORDER.apply(
        order,
        "acknowledge",
        actor=actor,
        at=at,
        revision=revision,
        acknowledged_by=actor,
        acknowledged_at=at,
        plan=plan.strip(),
    )
    ledger.record(standing, "quality.acknowledge", order, at=at, details={"reason": order.plan})
    return order


@transaction.atomic
def accept_findings(
    *, order: WorkOrder, findings: Collection[int], reason: str, actor: User, at: datetime
) -> int:
    """Vouch for some of an order's rows: they are true as they stand; return how many.

    Rows that were mended or vouched for meanwhile are passed over. When no row is left that fails,
    the order is over.

    Raises:
        NotAllowed: the actor does not approve for the order's department.
        InvalidInput: no reason.
        IllegalMove: the order is over or contested, or none of the rows is open.
    """
    standing = access.require(actor, "accept", order, at=at)
    reason = required_text(reason, _("请写明数据无误的依据"), field="reason")
    current = _locked(order)
    chosen = Finding.objects.filter(work_order=current, pk__in=list(findings))
    count = _accept(chosen, reason, actor, at)
    if not count:
        raise IllegalMove(_("所选记录都已改正或者已核实"), code="nothing_open")
    left = Finding.objects.filter(work_order=current, status__in=FAILING).count()
    WorkOrder.objects.filter(pk=current.pk).update(failed=left, updated_at=at)
    ledger.record(
        standing,
        "quality.accept_findings",
        current,
        at=at,
        details={"rows": count, "left": left, "reason": reason},
    )
    if not left:
        _end_as_accepted(current, reason, actor, at)
    order.refresh_from_db()
    return count


@transaction.atomic
def accept(
    *,
    order: WorkOrder,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> WorkOrder:
    """Vouch for all rows of an order: they are true as they stand, and the order is over.

    Of an order about a delivered file: the records that did not land are rightly left out.

    Raises:
        NotAllowed: the actor does not approve for the order's department.
        InvalidInput: no reason.
        IllegalMove: the order is over or contested.
        Conflict: it is about the table as a whole, and closes by data alone.
    """
    standing = access.require(actor, "accept", order, at=at)
    reason = required_text(reason, _("请写明数据无误的依据"), field="reason")
    current = _locked(order)
    rows = Finding.objects.filter(work_order=current)
    if current.basis == Basis.LANDED and not rows.exists():
        raise Conflict(_("这张工单针对整张数据表，只能由新的数据核销"), code="not_about_rows")
    count = _accept(rows, reason, actor, at)
    _end_as_accepted(current, reason, actor, at, revision=revision)
    ledger.record(
        standing, "quality.accept", current, at=at, details={"rows": count, "reason": reason}
    )
    order.refresh_from_db()
    return order


@transaction.atomic
def contest(
    *,
    order: WorkOrder,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> WorkOrder:
    """Not believe that the rows are right: they count as failing again and are to be mended.

    The authority judges by the counts and the reason given; it does not read the rows.

    Source: 《政务数据共享条例》第二十六条; house rule
    Raises:
        NotAllowed: the actor is not the authority's officer.
        InvalidInput: no reason.
        IllegalMove: nobody vouched for the order's rows.
        Conflict: a newer order of the rule is being mended.
    """
    standing = access.require(actor, "contest", order, at=at)
    reason = required_text(reason, _("请写明不予认可的理由"), field="reason")
    if WorkOrder.objects.filter(rule=order.rule_id, status__in=LIVE_ORDERS).exists():
        raise Conflict(_("这条规则另有工单正在整改"), code="order_in_mending")
    rows = move_findings(Finding.objects.filter(work_order=order), "contest", at=at)
    WORK_ORDER.apply(
        order,
        "contest",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        contested_by=actor,
        remark=reason,
        closed_at=None,
        failed=rows,
    )
    title = _("主管部门不认可核实结论：%(number)s") % {"number": order}
    begin_mending(order, title, at)
    _tell(order, title, reason, at)
    ledger.record(
        standing, "quality.contest", order, at=at, details={"rows": rows, "reason": reason}
    )
    return order


@transaction.atomic
def let_stand(
    *,
    order: WorkOrder,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> WorkOrder:
    """Let the provider's word stand after all: the order is over.

    Raises:
        NotAllowed: the actor is not the authority's officer.
        InvalidInput: no reason.
        IllegalMove: the order was not contested.
    """
    standing = access.require(actor, "let_stand", order, at=at)
    reason = required_text(reason, _("请写明认可的理由"), field="reason")
    move_findings(Finding.objects.filter(work_order=order), "let_stand", at=at)
    WORK_ORDER.apply(
        order,
        "let_stand",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        closed_at=at,
        failed=0,
        remark=reason,
    )
    end_order(order, at)
    _tell(order, _("主管部门认可核实结论：%(number)s") % {"number": order}, reason, at)
    ledger.record(standing, "quality.let_stand", order, at=at, details={"reason": reason})
    return order


def _locked(order: WorkOrder) -> WorkOrder:
    """Return the order, held until the end, if rows of it can be vouched for now."""
    current = WorkOrder.objects.select_for_update(of=("self",)).get(pk=order.pk)
    if current.status not in WORK_ORDER.move("accept").sources:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能“核实无误”") % {"status": current.get_status_display()},
            state=current.status,
        )
    return current


def _accept(rows: QuerySet[Finding], reason: str, actor: User, at: datetime) -> int:
    return move_findings(rows, "accept", at=at, reason=reason, decided_by=actor, decided_at=at)


def _end_as_accepted(
    order: WorkOrder, reason: str, actor: User, at: datetime, *, revision: int | None = None
) -> None:
    WORK_ORDER.apply(
        order,
        "accept",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        closed_at=at,
        failed=0,
        remark=reason,
    )
    end_order(order, at)
    ledger.notify(
        members_with("authority_officer", authority()),
        title=_("提供部门核实数据无误：%(number)s") % {"number": order},
        body=reason,
        url=order.get_absolute_url(),
        at=at,
        subject=order,
    )


def _tell(order: WorkOrder, title: str, reason: str, at: datetime) -> None:
    people = members_with(("department_editor", "department_approver"), order.department)
    ledger.notify(
        people, title=title, body=reason, url=order.get_absolute_url(), at=at, subject=order
    )
