"""What is owed about records that did not land: a to-do, until they are mended or set aside."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import IllegalMove, required_text
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.models import Batch

TODO = "mend_rejections"


def owe(batch: Batch, at: datetime) -> None:
    """Tell the providing department that a quarantined batch has records to mend."""
    ledger.open_todo(
        batch,
        TODO,
        title=_("%(rows)s 条未通过的记录留存待改：%(name)s")
        % {"rows": f"{batch.rejected:,}", "name": batch.dataset.name},
        url=reverse("warehouse:batch", args=[batch.pk]),
        department=batch.dataset.department,
        role="department_editor",
        at=at,
    )


def settle(batch: Batch, at: datetime) -> None:
    """Close what is owed about earlier batches that this one made good.

    A full replacement that landed makes every earlier one good; a batch of mended records those
    whose every record has landed since.
    """
    if batch.mends is None:
        if batch.mode == Batch.Mode.SNAPSHOT:
            earlier = Batch.objects.filter(
                dataset=batch.dataset_id, pk__lt=batch.pk, details__quarantined=True
            )
            ledger.close_todos_of_all(earlier, at=at, by=None)
        return
    for mended in queries.mended_along(batch):
        if queries.mended_rows(mended) >= mended.rejected:
            ledger.close_todos(mended, at=at, by=None, kind=TODO)


@transaction.atomic
def set_aside(*, batch: Batch, reason: str, actor: User, at: datetime) -> Batch:
    """Say, with the reason, that a batch's rejected records will not be mended.

    The records stay; what was owed about them is closed.

    Source: house rule
    Raises:
        NotAllowed: the actor does not hand in for the providing department.
        InvalidInput: no reason is given.
        IllegalMove: nothing is owed about the batch.
    """
    standing = access.require(actor, "mend", batch, at=at)
    reason = required_text(reason, _("写明不再改正的理由"))
    if not ledger.close_todos(batch, at=at, by=actor, kind=TODO):
        raise IllegalMove(_("这一批次没有待改的记录"), state=batch.status)
    ledger.record(
        standing,
        "warehouse.set_aside",
        batch,
        at=at,
        department=batch.dataset.department,
        details={"reason": reason, "rejected": batch.rejected},
    )
    return batch
