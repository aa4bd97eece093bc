"""What the worker does for the catalogue; every task may come twice."""

from django.utils import timezone
from procrastinate.contrib.django import app

from apps.accounts.queries import platform_user
from apps.catalog import operations as catalog
from apps.catalog.models import Dataset
from apps.catalog.operations import demands


@app.periodic(cron="*/10 * * * *", periodic_id="catalog.refresh_search")
@app.task(name="catalog.refresh_search", queueing_lock="catalog.refresh_search", pass_context=False)
def refresh_search(timestamp: int | None = None) -> None:
    """Catch up with entries that changed past an operation, as in a reform of departments."""
    catalog.refresh_stale(at=timezone.now())


@app.periodic(cron="7,37 * * * *", periodic_id="catalog.match_demands")
@app.task(name="catalog.match_demands", queueing_lock="catalog.match_demands", pass_context=False)
def match_demands(timestamp: int | None = None) -> None:
    """See which demands were met by a publication, and look for entries that may meet the rest."""
    at = timezone.now()
    demands.fulfil_due(at)
    demands.match_due(at)


@app.periodic(cron="* * * * *", periodic_id="catalog.check_imports")
@app.task(name="catalog.check_imports", queueing_lock="catalog.check_imports", pass_context=False)
def check_imports(timestamp: int | None = None) -> None:
    """Check every spreadsheet that waits, and every one whose worker died."""
    catalog.check_imports(at=timezone.now())


@app.periodic(cron="* * * * *", periodic_id="catalog.adopt_imports")
@app.task(name="catalog.adopt_imports", queueing_lock="catalog.adopt_imports", pass_context=False)
def adopt_imports(timestamp: int | None = None) -> None:
    """Write every spreadsheet that somebody adopted."""
    catalog.adopt_imports(at=timezone.now())


@app.periodic(cron="20 2 * * *", periodic_id="catalog.scan_duplicates")
@app.task(
    name="catalog.scan_duplicates", queueing_lock="catalog.scan_duplicates", pass_context=False
)
def scan_duplicates(timestamp: int | None = None) -> None:
    """Look for data that several departments collect; nightly, and after a publication."""
    catalog.scan_duplicates(actor=platform_user(), at=timezone.now())


@app.periodic(cron="40 1 * * *", periodic_id="catalog.score_again")
@app.task(name="catalog.score_again", queueing_lock="catalog.score_again", pass_context=False)
def score_again(timestamp: int | None = None) -> None:
    """Score every entry anew: what was fresh yesterday may be stale today."""
    keys = Dataset.objects.order_by("pk").values_list("pk", flat=True)
    catalog.refresh_many(list(keys), at=timezone.now())
