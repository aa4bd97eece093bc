"""Tell django-simple-history who changes a row, when and why; it keeps them at the next save."""

from datetime import datetime
from typing import Any

from django.utils.functional import Promise


def remember(row: Any, *, actor: Any, at: datetime, reason: str | Promise) -> None:
    """Have the next `save()` of the row write its history with this actor, time and reason."""
    row._history_user = actor
    row._history_date = at
    row._change_reason = str(reason)
