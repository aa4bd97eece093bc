"""Who saw a batch's records in the clear, and who took them away: written down before they are.

Screens cover what identifies a person; the plain text is opened by hand.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from apps.accounts.models import User
from apps.core import access
from apps.ledger import operations as ledger
from apps.warehouse.models import Batch

FILES: Final = {
    "rejections": "warehouse.download_rejections",
    "normalised": "warehouse.download_normalised",
}


@transaction.atomic
def reveal_rejections(
    *, batch: Batch, records: Sequence[int], actor: User, at: datetime, examples: int = 0
) -> None:
    """Write that somebody is shown these records, by their numbers in the file, in the clear.

    examples: how many values that were rewritten are shown beside them.

    Source: GB/T 45574-2025
    Raises:
        NotAllowed: the actor may not read the batch's records.
    """
    standing = access.require(actor, "view_rejections", batch, at=at)
    ledger.record(
        standing,
        "warehouse.reveal",
        batch,
        at=at,
        department=batch.dataset.department,
        details={
            "rows": len(records) + examples,
            "records": list(records),
            "examples": examples,
        },
    )


@transaction.atomic
def record_download(*, batch: Batch, what: str, rows: int, actor: User, at: datetime) -> None:
    """Write that somebody takes a batch's records away in the clear; `what` is one of FILES.

    Raises:
        NotAllowed: the actor may not read the batch's records.
    """
    standing = access.require(actor, "view_rejections", batch, at=at)
    ledger.record(
        standing,
        FILES[what],
        batch,
        at=at,
        department=batch.dataset.department,
        details={"rows": rows},
    )
