"""Who saw failing rows or a doubted value in the clear, and who took rows away: written down first.

Screens cover what identifies a person; the plain text is opened by hand.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import NotAllowed
from apps.ledger import operations as ledger
from apps.quality.models import Correction, Finding, QualityRule, WorkOrder
from apps.warehouse import queries as warehouse


@transaction.atomic
def reveal_findings(*, findings: Sequence[Finding], actor: User, at: datetime) -> None:
    """Write that somebody is shown these rows in the clear: of each order, or rule without one.

    Source: GB/T 45574-2025
    Raises:
        NotAllowed: the actor may not read one of the rows.
    """
    if not findings:
        return
    standing = access.require(actor, "view", findings[0], at=at)
    keys = [finding.pk for finding in findings]
    if access.rows(actor, "view", Finding, at=at).filter(pk__in=keys).count() != len(keys):
        raise NotAllowed(action="view")
    by_subject: dict[WorkOrder | QualityRule, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_subject[finding.work_order or finding.rule].append(finding)
    # Made beforehand: what is looked up while rows are copied in would wait for itself.
    told = [
        (
            subject,
            rows[0].dataset.department,
            {"rows": len(rows), "findings": [row.pk for row in rows]},
        )
        for subject, rows in by_subject.items()
    ]
    ledger.record_many(standing, "quality.reveal", told, at=at)


@transaction.atomic
def reveal_correction(*, correction: Correction, actor: User, at: datetime) -> None:
    """Write that somebody is shown the values of a doubt in the clear.

    Source: GB/T 45574-2025
    Raises:
        NotAllowed: the actor is none of its parties.
    """
    standing = access.require(actor, "see_values", correction, at=at)
    ledger.record(
        standing,
        "quality.reveal",
        correction,
        at=at,
        department=correction.dataset.department,
        details={"rows": 1, "row_id": correction.row_id},
    )


@transaction.atomic
def reveal_record(*, dataset: Dataset, row_id: int, actor: User, at: datetime) -> None:
    """Write that somebody is shown a record of a table in the clear, as far as he reads it at all.

    Source: GB/T 45574-2025
    Raises:
        NotAllowed: neither the actor's own dataset nor one under a grant of his department.
    """
    own = access.allowed(actor, "look_up_own_row", dataset, at=at)
    action = "look_up_own_row" if own else "raise_correction"
    ledger.record(
        access.require(actor, action, dataset, at=at),
        "quality.reveal",
        warehouse.table_of(dataset),
        at=at,
        department=dataset.department,
        details={"rows": 1, "row_id": row_id, "dataset": dataset.code},
    )


@transaction.atomic
def download_rows(*, order: WorkOrder, rows: int, actor: User, at: datetime) -> None:
    """Write that somebody takes an order's failing rows away, in the clear to be mended.

    Source: GB/T 45574-2025
    Raises:
        NotAllowed: the actor may not read the order's rows.
    """
    standing = access.require(actor, "view_findings", order, at=at)
    ledger.record(
        standing,
        "quality.download_rows",
        order,
        at=at,
        department=order.dataset.department,
        details={"rows": rows},
    )
