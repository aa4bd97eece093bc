"""Saving a row whose history names who wrote it, when and why."""

from datetime import datetime

from django.utils.functional import Promise

from apps.accounts.models import User
from apps.core.models import Governed


def save_version(
    row: Governed,
    *,
    actor: User | None,
    at: datetime,
    reason: str | Promise = "",
    insert: bool = False,
) -> None:
    """Save the row with one historical row.

    simple-history takes author, date and reason from the instance and leaves them there, where the
    next move would find them: so they go again.
    """
    notes = {"_history_user": actor, "_history_date": at, "_change_reason": str(reason)}
    vars(row).update(notes)
    try:
        row.save(force_insert=insert)
    finally:
        for name in notes:
            vars(row).pop(name, None)
