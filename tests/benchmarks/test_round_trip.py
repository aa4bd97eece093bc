"""The whole city's catalogue goes out, comes back changed in 200 places, and is accounted for."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache

from django.db import connection

from apps.accounts.models import User
from apps.catalog.models import CatalogImport
from tests.benchmarks.harness import Measurement, claim
from tests.benchmarks.test_catalogue import load_city
from tests.round_trip.story import Story, Told

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
CHANGES = 200


@cache
def told() -> tuple[Told, list[str], int]:
    """Play it once: what was told, what was wrong with the untouched sheet, and the peak in MB."""
    with connection.cursor() as cursor:  # another claim may have left it in drafts
        cursor.execute("TRUNCATE catalog_dataset CASCADE")
    load_city()
    peaks = []

    def check(subject: CatalogImport) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.import_alone", str(subject.pk), "check"],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(json.loads(done.stdout.splitlines()[-1])["peak_mb"])

    story = Story(User.objects.get(username="authority"), AT, check)
    spurious = story.untouched()
    return story.play(CHANGES, seed=1), spurious, max(peaks)


@claim("catalog.round_trip_unaccounted", target="<= 0")
def unaccounted() -> Measurement:
    """Changes, conflicts and faults that were planned and not told, or told and not planned."""
    found, spurious, peak = told()
    for line in [*spurious, *found.wrong][:40]:
        print(f"  {line[:300]}")
    return Measurement(
        len(spurious) + len(found.wrong),
        {
            "entries": found.entries,
            "rows": found.rows,
            "edits": sum(found.ledger.counts.values()),
            **found.counts,
            **{f"{step}_seconds": seconds for step, seconds in found.seconds.items()},
            "peak_mb": peak,
        },
    )
