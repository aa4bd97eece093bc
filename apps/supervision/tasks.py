"""What the worker does for supervision."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.supervision.operations import board, task_escalation


@app.periodic(cron="10 9 * * *", periodic_id="supervision.escalate")
@app.task(name="supervision.escalate", queueing_lock="supervision.escalate")
def escalate(timestamp: int | None = None) -> None:
    """Tell heads and leaders of the returns that stay away."""
    task_escalation.escalate_due(at=timezone.now())


@app.periodic(cron="40 23 * * *", periodic_id="supervision.record_board_day")
@app.task(
    name="supervision.record_board_day",
    queueing_lock="supervision.record_board_day",
    pass_context=False,
)
def record_board_day(timestamp: int | None = None) -> None:
    """Keep the responsibility board as it stands at the end of the day."""
    board.record_board_day(at=timezone.now())
