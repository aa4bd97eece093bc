"""Files of a whole grant against bare COPY of the same rows and columns in the same run.

Run by `make bench ONLY=files`. Timed from the worker's taking it to the file under its name, its
hash and its records included, the wait in the queue not. Row condition and two masks hold for the
file, none for the baseline.
"""

import json
import statistics
import subprocess
import sys
from functools import cache
from typing import Any

from django.utils import timezone

from apps.accounts.models import User
from apps.sharing import operations as sharing
from apps.sharing.gateway import from_within
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Export
from tests.benchmarks.dataplane_city import City, build
from tests.benchmarks.dataplane_sides import bare_copy
from tests.benchmarks.harness import Measurement, claim

ROUNDS = 3


@cache
def city() -> City:
    return build()


@claim("files.csv", target=">= 0.75")
def csv_file() -> Measurement:
    """Rows a second of the whole grant into a CSV."""
    return _against_copy("csv")


@claim("files.parquet", target=">= 0.40")
def parquet_file() -> Measurement:
    """Rows a second of the whole grant into a Parquet file."""
    return _against_copy("parquet")


@claim("files.memory", target="<= 10")
def memory() -> Measurement:
    """Megabytes beyond the process that the hungriest of the formats needs."""
    beyond = {}
    for form in ("csv", "parquet", "ndjson", "xlsx"):
        wanted: dict[str, Any] = {"district__lt": "500111"} if form == "xlsx" else {}
        beyond[form] = _made(form, **wanted)["beyond_mb"]
    return Measurement(max(beyond.values()), beyond)


def _against_copy(form: str) -> Measurement:
    rounds = []
    for _round in range(ROUNDS):
        baseline, ours = bare_copy(city()), _made(form)
        rounds.append(
            (baseline["lines"] / ours["seconds"], baseline["lines"] / baseline["seconds"])
        )
    return Measurement(
        statistics.median(ours / copied for ours, copied in rounds),
        {
            "rows": baseline["lines"],
            "rows_per_second": round(statistics.median(ours for ours, _copied in rounds)),
            "copy_rows_per_second": round(statistics.median(copied for _ours, copied in rounds)),
            "rounds": [f"{ours / copied:.2f}" for ours, copied in rounds],
            "file_mb": ours["bytes"] >> 20,
        },
    )


def _made(form: str, **wanted: str) -> dict[str, Any]:
    """Ask for a small file and for the one to be measured, and have them made."""
    small = _asked(form, district="500103")
    large = _asked(form, **wanted)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.files_alone", str(small.pk), str(large.pk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])[-1]
    Export.objects.filter(status="ready").update(
        status="stopped", message_code="measured", message="measured"
    )
    return measured


def _asked(form: str, **wanted: str) -> Export:
    grant = city().grant
    call = from_within.call_of(grant, at=timezone.now())
    parameters = {name: [value] for name, value in {"format": form, **wanted}.items()}
    return sharing.request_export(
        call=call,
        wanted=read_wanted(parameters, shape_of(call)),
        actor=User.objects.get(pk=grant.system.service_user_id),
        at=timezone.now(),
    )
