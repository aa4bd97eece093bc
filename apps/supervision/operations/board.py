"""Keep the responsibility board of each day."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from apps.supervision.models import BoardDay
from apps.supervision.queries import board


@transaction.atomic
def record_board_day(*, at: datetime) -> int:
    """Keep the figures of today for the trend; return how many departments. Repeat-safe.

    Source: house rule
    """
    day = timezone.localdate(at)
    rows = [
        BoardDay(department_id=key, day=day, figures=figures)
        for key, figures in board.figures_by_department(at).items()
    ]
    BoardDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["department", "day"],
        update_fields=["figures"],
    )
    return len(rows)
