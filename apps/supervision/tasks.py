"""What the worker does for supervision."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.supervision.operations import task_escalation


@app.periodic(cron="10 9 * * *", periodic_id="supervision.escalate")
@app.task(name="supervision.escalate", queueing_lock="supervision.escalate")
def escalate(timestamp: int | None = None) -> None:
    """Tell heads and leaders of the returns that stay away."""
    task_escalation.escalate_due(at=timezone.now())
