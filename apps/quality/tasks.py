"""What the worker does for quality; every task may come twice."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.quality import operations as quality


@app.periodic(cron="* * * * *", periodic_id="quality.check_due")
@app.task(name="quality.check_due", queueing_lock="quality.check_due", pass_context=False)
def check_due(timestamp: int | None = None) -> None:
    """Check every dataset that a batch changed, and whatever else waits; then draw its columns."""
    while quality.check_due(at=timezone.now()):
        pass
    quality.profile_due(at=timezone.now())


@app.periodic(cron="10 4 * * *", periodic_id="quality.ask_scheduled")
@app.task(name="quality.ask_scheduled", queueing_lock="quality.ask_scheduled", pass_context=False)
def ask_scheduled(timestamp: int | None = None) -> None:
    """Check again what may fail by time alone."""
    quality.ask_scheduled(at=timezone.now())


@app.periodic(cron="50 23 * * *", periodic_id="quality.record_scores")
@app.task(name="quality.record_scores", queueing_lock="quality.record_scores", pass_context=False)
def record_scores(timestamp: int | None = None) -> None:
    """Keep how every dataset stands at the end of the day."""
    quality.record_scores(at=timezone.now())


@app.periodic(cron="20 9 * * *", periodic_id="quality.escalate")
@app.task(name="quality.escalate", queueing_lock="quality.escalate", pass_context=False)
def escalate(timestamp: int | None = None) -> None:
    """Tell heads and leaders of the orders that are overdue."""
    quality.escalate_due(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="quality.settle_corrections")
@app.task(
    name="quality.settle_corrections",
    queueing_lock="quality.settle_corrections",
    pass_context=False,
)
def settle_corrections(timestamp: int | None = None) -> None:
    """See which corrections have landed, feed results back, close what nobody objected to."""
    while quality.corrections.settle_due(at=timezone.now()):
        pass
    quality.corrections.close_due(at=timezone.now())
