"""What the worker does for clocks."""

from procrastinate.contrib.django import app

from apps.clocks import operations as clocks


@app.periodic(cron="20 3 * * *", periodic_id="clocks.recompute")
@app.task(name="clocks.recompute", queueing_lock="clocks.recompute")
def recompute(timestamp: int | None = None) -> None:
    """Move provisional due dates once their year's schedule is known."""
    clocks.recompute_due()
