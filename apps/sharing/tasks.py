"""What the worker does for sharing: it takes whatever is due, and may come twice or too late."""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.sharing import operations, provisioning
from apps.sharing.gateway import quotas


@app.task(name="sharing.provision_due", pass_context=False)
def provision_due() -> None:
    """Deliver, expire and tear down what is due."""
    all_in_turn((operations.carry_out_due,), timezone.now())


@app.task(name="sharing.tear_down_due", pass_context=False)
def tear_down_due() -> None:
    """Remove what still stands of closed grants."""
    all_in_turn((operations.carry_out_due,), timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(name="sharing.count_use", queueing_lock="sharing.count_use")
def count_use(timestamp: int) -> None:
    """Sum up what was used today, and the days that are not final."""
    operations.count_use(timezone.now())


@app.periodic(cron="15 * * * *")
@app.task(name="sharing.forget_asked", queueing_lock="sharing.forget_asked")
def forget_asked(timestamp: int) -> None:
    """Let go of what was verified an hour ago, of consoles that are over, of old pushes."""
    steps = (quotas.forget_asked, operations.forget_consoles, operations.forget_deliveries)
    all_in_turn(steps, timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="sharing.expire_due", queueing_lock="sharing.expire_due")
def expire_due(timestamp: int) -> None:
    """Look every five minutes, also for what a busy table kept from being delivered.

    Offers that nobody answered in time lapse then, changes of services take effect, and columns
    that were dropped long enough ago leave the grants.
    """
    steps = (
        operations.carry_out_due,
        operations.lapse_offers,
        operations.carry_out_changes,
        operations.withdraw_dropped,
    )
    all_in_turn(steps, timezone.now())


@app.periodic(cron="* * * * *", periodic_id="sharing.carry_out_stops")
@app.task(name="sharing.carry_out_stops", queueing_lock="sharing.carry_out_stops")
def carry_out_stops(timestamp: int) -> None:
    """Remind of planned stops that are near, note those that begin and end."""
    all_in_turn((operations.carry_out_stops,), timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="sharing.reserve_roles", queueing_lock="sharing.reserve_roles")
def reserve_roles(timestamp: int) -> None:
    """Make the database roles of the grants to come, so that no decision waits for its own."""
    provisioning.reserve_roles()


@app.periodic(cron="* * * * *")
@app.task(name="sharing.keep_copies", queueing_lock="sharing.keep_copies")
def keep_copies(timestamp: int) -> None:
    """Bring landed copies up to date, and remove those whose grants are over."""
    all_in_turn((operations.keep_copies,), timezone.now())


@app.periodic(cron="20 2 * * *")
@app.task(name="sharing.prove_copies", queueing_lock="sharing.prove_copies")
def prove_copies(timestamp: int) -> None:
    """Prove every landed copy once a night."""
    all_in_turn((operations.prove_copies,), timezone.now())


@app.periodic(cron="35 8 * * *")
@app.task(name="sharing.keep_in_use", queueing_lock="sharing.keep_in_use")
def keep_in_use(timestamp: int) -> None:
    """Look once a day which grants are idle, which are due for the yearly look, whose use is told.

    Today's uses are summed up first, so that nobody is cut off who has just called.
    """
    steps = (
        operations.count_use,
        operations.watch_idle,
        operations.recertify_due,
        operations.ask_usage_reports,
        operations.void_disposals,
        operations.remind_disposals,
    )
    all_in_turn(steps, timezone.now())


def all_in_turn(steps: Iterable[Callable[[datetime], object]], at: datetime) -> None:
    """Take every step, also after one that failed, or of which a row failed.

    Raises:
        ExceptionGroup: what failed, so that the job counts as failed.
    """
    with operations.gathering() as failures:
        for step in steps:
            try:
                step(at)
            except Exception as failure:  # noqa: BLE001 (raised below)
                failures.append(failure)
    if failures:
        raise ExceptionGroup("steps failed", failures)


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


@app.periodic(cron="25 * * * *")
@app.task(name="sharing.keep_credentials", queueing_lock="sharing.keep_credentials")
def keep_credentials(timestamp: int) -> None:
    """End credentials and supplier accounts that are over or unused, and warn before the end."""
    all_in_turn((operations.keep_credentials, operations.keep_suppliers), timezone.now())


@app.periodic(cron="* * * * *", periodic_id="sharing.watch_logins")
@app.task(name="sharing.watch_logins", queueing_lock="sharing.watch_logins")
def watch_logins(timestamp: int) -> None:
    """Shut database logins of systems out of service, end sessions that go on too long."""
    all_in_turn((operations.watch_logins,), timezone.now())


@app.periodic(cron="* * * * *", periodic_id="sharing.push_events")
@app.task(name="sharing.push_events", queueing_lock="sharing.push_events", pass_context=False)
def push_events(timestamp: int | None = None) -> None:
    """Push to systems what happened since, and again what did not arrive."""
    all_in_turn((operations.collect_events, operations.push_due), timezone.now())


@app.periodic(cron="*/5 * * * *", periodic_id="sharing.probe_interfaces")
@app.task(name="sharing.probe_interfaces", queueing_lock="sharing.probe_interfaces")
def probe_interfaces(timestamp: int) -> None:
    """Call the registered services with their test cases: is each still there, and how quickly."""
    all_in_turn((operations.probe_interfaces,), timezone.now())
