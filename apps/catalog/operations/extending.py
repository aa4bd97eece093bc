"""Give a department longer for an update that an occasion obliges it to."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import members_with
from apps.catalog.models import DatasetChange
from apps.clocks import operations as clocks
from apps.core import access
from apps.ledger import operations as ledger


@transaction.atomic
def extend_change(
    *, change: DatasetChange, actor: User, at: datetime, length: int, reason: str
) -> DatasetChange:
    """Consent to a longer time for updating the catalogue, once.

    Source: 《政务数据共享条例》第十七条
    Units: `length` in working days, at most 5.
    Raises:
        NotAllowed: the actor does not review for the authority.
        NotFound: no such clock runs: no occasion was recorded, or the update has been made.
        InvalidInput, Conflict: too long, no reason, or extended already.
    """
    standing = access.require(actor, "extend_change", change, at=at)
    clock = clocks.extend(
        change, "catalog.update", length=length, actor=actor, at=at, reason=reason
    )
    ledger.notify(
        members_with(["department_editor", "department_approver"], change.dataset.department),
        title=_("目录更新延期至 %(day)s：%(name)s")
        % {"day": clock.due_on, "name": change.dataset.name},
        url=change.get_absolute_url(),
        at=at,
        subject=change,
    )
    details = {"reason": reason.strip(), "length": length}
    ledger.record(standing, "catalog.extend_change", change, at=at, details=details)
    return change
