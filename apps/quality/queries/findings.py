"""Failing rows and the orders to mend them."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.quality.models import Basis, Finding, RuleResult, WorkOrder
from apps.quality.models.findings import LIVE_FINDINGS, LIVE_ORDERS
from apps.warehouse import queries as warehouse
from apps.warehouse.models import Batch, Rejection

MY_MOVES: Final = {"open": "acknowledge", "in_mending": "acknowledge", "contested": "acknowledge"}


def visible_orders(actor: User, at: datetime | None = None) -> QuerySet[WorkOrder]:
    """Return the orders that the person may see, with what a list shows of them."""
    return access.rows(actor, "view", WorkOrder, at=at).select_related(
        "rule", "dataset", "department", "last_run"
    )


def live_order_of(rule_id: int) -> WorkOrder | None:
    return WorkOrder.objects.filter(rule=rule_id, status__in=LIVE_ORDERS).first()


def orders_awaiting(actor: User, at: datetime | None = None) -> QuerySet[WorkOrder]:
    """Return the live orders that the person's department, or whom he stands in for, owes."""
    return access.rows(actor, "acknowledge", WorkOrder, at=at).filter(status__in=LIVE_ORDERS)


def findings_of(order: WorkOrder) -> QuerySet[Finding]:
    """Return the rows behind an order, also after it was closed; latest first."""
    return order.findings.select_related("rule", "decided_by").order_by("-pk")


def open_findings(dataset: Dataset) -> QuerySet[Finding]:
    """Return the dataset's rows that fail now, or were accepted as they are."""
    return Finding.objects.filter(dataset=dataset, status__in=LIVE_FINDINGS).select_related("rule")


def delivered_batch_of(order: WorkOrder) -> Batch | None:
    """Return the last batch whose rejected records an order is about; None where it is about rows.

    A later run may have judged the rule without a batch of its own, a later file lack them.
    """
    if order.basis != Basis.DELIVERED:
        return None
    last = (
        RuleResult.objects.filter(
            rule=order.rule_id, basis=Basis.DELIVERED, failed__gt=0, run__batch__isnull=False
        )
        .select_related("run__batch")
        .order_by("-run")
        .first()
    )
    return last.run.batch if last else None


def rejections_of(result: RuleResult) -> QuerySet[Rejection]:
    """Return the rejected records behind a result of a delivered file."""
    if result.basis != Basis.DELIVERED or result.run.batch_id is None:
        return Rejection.objects.none()
    kept = Rejection.objects.filter(batch=result.run.batch_id)
    code, columns = result.rule.code, result.rule.columns
    if result.rule.origin == "added":
        return kept.filter(reasons__contains=[{"code": f"rule_{result.rule_id}"}])
    if code == "dirty":
        return kept.filter(kind="rejected")
    if code == "file_duplicate":
        return kept.filter(kind="duplicate")
    if code == "structure":
        return kept.filter(kind="rejected", reasons__contains=[{"column": ""}])
    return kept.filter(reasons__contains=[{"code": code, "column": columns[0]}])


def versions_of(finding: Finding) -> list[dict[str, Any]]:
    """Return every version of the finding's row, oldest first, for whoever may see the rows."""
    table = warehouse.table_of(finding.dataset)
    return [] if table is None else warehouse.versions_of_row(table, finding.row_id)


def late_orders(at: datetime) -> QuerySet[WorkOrder]:
    """Return the live orders that somebody is still to be told of."""
    return (
        WorkOrder.objects.filter(status__in=LIVE_ORDERS, opened_at__lt=at - timedelta(days=1))
        .filter(Q(head_told_at=None) | Q(leader_told_at=None))
        .order_by("pk")
    )
