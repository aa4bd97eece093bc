"""The demonstration city's whole catalogue as one workbook: written, checked and brought in."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from apps.accounts.models import User
from apps.catalog import operations as catalog
from apps.catalog.models import Dataset
from apps.catalog.spreadsheets.lines import lines_of
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.writing import write_xlsx
from apps.console.demo.catalogue import load_catalogue
from apps.console.demo.people import load_people
from tests.benchmarks.harness import Measurement, claim, timed

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


@cache
def figures() -> dict[str, Any]:
    """Load the city, write it out, empty the catalogue, bring the workbook in; once for both."""
    load_city()
    path = Path(settings.HUILIU_HOME) / "city.xlsx"
    written: list[int] = []
    seconds = timed(
        lambda: written.append(write_xlsx(path, lines_of(Dataset.objects.all()), References.load()))
    )
    again = _brought_in(path, "check")
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_dataset CASCADE")
    fresh = _brought_in(path, "adopt")
    return {
        "datasets": Dataset.objects.count(),
        "rows": written[0],
        "file_mb": round(path.stat().st_size / 1e6, 1),
        "export_seconds": round(seconds, 1),
        "unchanged": again["summary"]["counts"]["unchanged"],
        "compare_seconds": round(again["check_seconds"], 1),
        "compare_peak_mb": again["peak_mb"],
        "check_seconds": round(fresh["check_seconds"], 1),
        "adopt_seconds": round(fresh["adopt_seconds"], 1),
        "peak_mb": fresh["peak_mb"],
        "status": fresh["status"],
    }


def load_city() -> None:
    """Load the demonstration city's people and entries, where they are not there."""
    folder = settings.BASE_DIR / "fixtures" / "reference"
    call_command("loaddata", *sorted(map(str, folder.glob("*.json"))), verbosity=0)
    load_people(at=AT)
    load_catalogue(at=AT)


def _brought_in(path: Path, how: str) -> dict[str, Any]:
    """Hand the workbook in as the authority, and let a process of its own do the work."""
    officer = User.objects.get(username="authority")
    subject = catalog.receive_import(
        file=io.BytesIO(path.read_bytes()), file_name=path.name, actor=officer, at=AT
    )
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.import_alone", str(subject.pk), how],
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if result["status"] != ("adopted" if how == "adopt" else "checked"):
        raise RuntimeError(f"the import ended as {result['status']}: {result['problem']}")
    return result


@claim("catalog.import_city", target="<= 60")
def import_city() -> Measurement:
    """Seconds of dry run and import together: 3,170 entries and their items into an empty city."""
    found = figures()
    return Measurement(found["check_seconds"] + found["adopt_seconds"], found)


@claim("catalog.import_city_memory", target="<= 400")
def import_city_memory() -> Measurement:
    """The highest megabytes of the worker and its parsing child together."""
    found = figures()
    return Measurement(max(found["peak_mb"], found["compare_peak_mb"]), found)
