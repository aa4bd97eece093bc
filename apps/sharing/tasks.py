"""What the worker does for sharing: it takes whatever is due, and may come twice or too late."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.sharing import operations
from apps.sharing.gateway import quotas


@app.task(name="sharing.provision_due", pass_context=False)
def provision_due() -> None:
    """Deliver, expire and tear down what is due."""
    operations.carry_out_due(timezone.now())


@app.task(name="sharing.tear_down_due", pass_context=False)
def tear_down_due() -> None:
    """Remove what still stands of closed grants."""
    operations.carry_out_due(timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="sharing.count_use", queueing_lock="sharing.count_use")
def count_use(timestamp: int) -> None:
    """Sum up what was used today, and the days that are not final."""
    operations.count_use(timezone.now())


@app.periodic(cron="15 * * * *")
@app.task(name="sharing.forget_asked", queueing_lock="sharing.forget_asked")
def forget_asked(timestamp: int) -> None:
    """Let go of what was verified more than an hour ago: it counts no more."""
    quotas.forget_asked(timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="sharing.expire_due", queueing_lock="sharing.expire_due")
def expire_due(timestamp: int) -> None:
    """Look every five minutes, also for what a busy table kept from being delivered."""
    operations.carry_out_due(timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="sharing.keep_copies", queueing_lock="sharing.keep_copies")
def keep_copies(timestamp: int) -> None:
    """Bring landed copies up to date, and remove those whose grants are over."""
    operations.keep_copies(at=timezone.now())


@app.periodic(cron="20 2 * * *")
@app.task(name="sharing.prove_copies", queueing_lock="sharing.prove_copies")
def prove_copies(timestamp: int) -> None:
    """Prove every landed copy once a night."""
    operations.prove_copies(at=timezone.now())


@app.periodic(cron="35 8 * * *")
@app.task(name="sharing.keep_in_use", queueing_lock="sharing.keep_in_use")
def keep_in_use(timestamp: int) -> None:
    """Look once a day which grants are idle, which are due for the yearly look, whose use is told.

    Today's uses are summed up first, so that nobody is cut off who has just called.
    """
    at = timezone.now()
    operations.count_use(at)
    operations.watch_idle(at)
    operations.recertify_due(at)
    operations.ask_usage_reports(at)


@app.periodic(cron="* * * * *", periodic_id="sharing.make_exports")
@app.task(name="sharing.make_exports", queueing_lock="sharing.make_exports", pass_context=False)
def make_exports(timestamp: int | None = None) -> None:
    """Make the files that wait, and those whose worker died, while there is a place."""
    operations.make_exports(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="sharing.keep_exports")
@app.task(name="sharing.keep_exports", queueing_lock="sharing.keep_exports", pass_context=False)
def keep_exports(timestamp: int | None = None) -> None:
    """Take back files whose grant does not cover them any more, and those kept long enough."""
    operations.keep_exports(at=timezone.now())
