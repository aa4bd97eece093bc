"""What the worker does for the warehouse: it lands whatever is due, and may come twice."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.catalog.models import Dataset
from apps.warehouse import operations as warehouse


@app.periodic(cron="* * * * *", periodic_id="warehouse.land_due")
@app.task(name="warehouse.land_due", queueing_lock="warehouse.land_due", pass_context=False)
def land_due(timestamp: int | None = None) -> None:
    """Land every batch that waits, and every one whose worker died."""
    while warehouse.land_due(at=timezone.now()):
        pass


@app.task(name="warehouse.make_table", pass_context=False)
def make_table(dataset: int) -> None:
    """Make the table of an entry that was published just now, by its key."""
    warehouse.make_table(dataset=Dataset.objects.get(pk=dataset), at=timezone.now())


@app.periodic(cron="40 3 * * *", periodic_id="warehouse.discard_abandoned_uploads")
@app.task(
    name="warehouse.discard_abandoned_uploads",
    queueing_lock="warehouse.discard_abandoned_uploads",
    pass_context=False,
)
def discard_abandoned_uploads(timestamp: int | None = None) -> None:
    """Give up files that were begun and never finished."""
    warehouse.discard_abandoned_uploads(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="warehouse.pull_due")
@app.task(name="warehouse.pull_due", queueing_lock="warehouse.pull_due", pass_context=False)
def pull_due(timestamp: int | None = None) -> None:
    """Read every source that is due; one of which more is left is read again at once."""
    while warehouse.pull_due(at=timezone.now()):
        pass


@app.periodic(cron="20 * * * *", periodic_id="warehouse.remind_silent")
@app.task(
    name="warehouse.remind_silent", queueing_lock="warehouse.remind_silent", pass_context=False
)
def remind_silent(timestamp: int | None = None) -> None:
    """Remind the departments whose datasets are silent beyond their cycle."""
    warehouse.remind_silent(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="warehouse.propose_due")
@app.task(name="warehouse.propose_due", queueing_lock="warehouse.propose_due", pass_context=False)
def propose_due(timestamp: int | None = None) -> None:
    """Read the files from which drafts are to be proposed, and those whose worker died."""
    while warehouse.propose_due(at=timezone.now()):
        pass


@app.periodic(cron="* * * * *", periodic_id="warehouse.drain_due")
@app.task(name="warehouse.drain_due", queueing_lock="warehouse.drain_due", pass_context=False)
def drain_due(timestamp: int | None = None) -> None:
    """Take what departments' systems wrote to their exchange tables."""
    warehouse.drain_due(at=timezone.now())
