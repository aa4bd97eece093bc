"""What the worker does for the ledger."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.ledger import operations as ledger
from apps.ledger import partitions

MONTHS_AHEAD = 4


@app.periodic(cron="* * * * *", periodic_id="ledger.deliver")
@app.task(name="ledger.deliver", queueing_lock="ledger.deliver", pass_context=False)
def deliver(timestamp: int | None = None) -> None:
    """Send the notices that are due."""
    while ledger.deliver_due(at=timezone.now()):
        pass


@app.periodic(cron="10 3 * * *", periodic_id="ledger.make_partitions")
@app.task(name="ledger.make_partitions", queueing_lock="ledger.make_partitions")
def make_partitions(timestamp: int | None = None) -> None:
    """Make the coming months of access records."""
    partitions.make_months(timezone.localdate(), MONTHS_AHEAD)
