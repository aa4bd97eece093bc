"""The data plane against PostgreSQL doing the bare minimum in the same run.

Run by `make bench ONLY=dataplane`. The portal is served by granian as `manage.py serve` does it, on
a server that syncs its log to disk; client, web workers and PostgreSQL share the machine's cores.
Rounds of the baseline and of the portal take turns, and the median of the ratios counts.
"""

import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from apps.console.management.commands.serve import web_command
from tests.benchmarks.dataplane_city import COLUMNS, ROWS, City, add_grants, build, name_of
from tests.benchmarks.harness import Measurement, claim, timed

CLIENT = Path(__file__).with_name("dataplane_client.py")
CONNECTIONS = 8
ROUNDS = 5
SECONDS = 4.0
PAGE_ROWS = 1000
MORE_GRANTS = 999
LATENCY_REQUESTS = 600
INSERT = """
INSERT INTO ledger_accessrecord (opened_at, grant_id, grant_version, system_id, user_id, dataset_id,
    "table", kind, query, horizon, rows, bytes, first_id, last_id, purpose)
VALUES (now(), 1, 1, 1, 1, 1, 'pool_1.t1', 'page', '{"fields": [], "where": [], "limit": 1000}',
    1, %s, 250000, %s, %s, 'baseline')
"""


@cache
def city() -> City:
    """The table that all three claims read; made once a run, the further grants last."""
    return build()


@contextmanager
def served() -> Iterator[int]:
    """Serve the portal with two worker processes; give the port."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = int(trial.getsockname()[1])
    server = subprocess.Popen(web_command("127.0.0.1", port, 2))
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _attempt in range(300):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the portal did not come up")


def _client(**plan: Any) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(CLIENT)],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    if answer.get("failures"):
        raise RuntimeError(answer["failures"][0])
    return answer


@claim("dataplane.page_1000_json", target=">= 0.30")
def page_1000_json() -> Measurement:
    """Pages a second on eight connections: token, grant, row condition, two masks, record."""
    chosen = random.Random(7)
    starts = [chosen.randrange(ROWS - 3 * PAGE_ROWS) for _page in range(2000)]
    load = {"connections": CONNECTIONS, "seconds": SECONDS}
    bare = load | {
        "kind": "bare",
        "conninfo": owner_conninfo(),
        "select": _bare_select(city(), f"AND _id > %s ORDER BY _id LIMIT {PAGE_ROWS}"),
        "insert": INSERT,
        "starts": starts,
        "rows": PAGE_ROWS,
    }
    rounds = []
    with served() as port:
        http = load | _http(port, "http", f"?limit={PAGE_ROWS}", starts)
        for _round in range(ROUNDS):
            baseline = _client(**bare)["per_second"]
            portal = _client(**http)["per_second"]
            rounds.append({"baseline": round(baseline), "portal": round(portal)})
    return Measurement(
        statistics.median(each["portal"] / each["baseline"] for each in rounds),
        {
            "pages_per_second": statistics.median(each["portal"] for each in rounds),
            "baseline_per_second": statistics.median(each["baseline"] for each in rounds),
            "rounds": [f"{each['portal']}/{each['baseline']}" for each in rounds],
            "connections": CONNECTIONS,
        },
    )


@claim("dataplane.export_csv", target=">= 0.60")
def export_csv() -> Measurement:
    """Rows a second of a whole grant as CSV, against COPY of the same rows and columns."""
    select = _bare_select(city(), "ORDER BY _id")
    copy = {
        "kind": "copy",
        "conninfo": owner_conninfo(),
        "copy": f"COPY ({select}) TO STDOUT (FORMAT csv)",
    }
    rounds = []
    with served() as port:
        http = _http(port, "export", "/export.csv")
        for _round in range(ROUNDS):
            baseline, portal = _client(**copy), _client(**http)
            if portal["lines"] != baseline["lines"] + 1:
                raise RuntimeError("the export is not whole")
            rounds.append(
                (baseline["lines"] / portal["seconds"], baseline["lines"] / baseline["seconds"])
            )
    return Measurement(
        statistics.median(portal / baseline for portal, baseline in rounds),
        {
            "rows": baseline["lines"],
            "rows_per_second": round(statistics.median(portal for portal, _copy in rounds)),
            "copy_rows_per_second": round(statistics.median(copied for _portal, copied in rounds)),
        },
    )


@claim("dataplane.grants_1000", target="<= 1.2")
def grants_1000() -> Measurement:
    """Latency of a page of 100 rows with 1,000 grants on the table, against one; comes last."""
    chosen = random.Random(11)
    starts = [chosen.randrange(ROWS - 1000) for _page in range(500)]
    with served() as port:
        plan = _http(port, "latency", "?limit=100", starts) | {"requests": LATENCY_REQUESTS}
        with_one = [_client(**plan) for _round in range(ROUNDS)]
        seconds = timed(lambda: add_grants(city(), MORE_GRANTS))
        with_many = [_client(**plan) for _round in range(ROUNDS)]
    one, many = _middle(with_one, "median_ms"), _middle(with_many, "median_ms")
    return Measurement(
        many / one,
        {
            "median_ms_with_one": round(one, 2),
            "median_ms_with_1000": round(many, 2),
            "p99_ms_with_one": round(_middle(with_one, "p99_ms"), 2),
            "p99_ms_with_1000": round(_middle(with_many, "p99_ms"), 2),
            "provisioning_ms_each": round(seconds * 1000 / MORE_GRANTS, 1),
        },
    )


def _http(port: int, kind: str, ending: str, starts: Sequence[int] = ()) -> dict[str, Any]:
    """The part of a plan that says whom to call, and from where the pages begin."""
    return {
        "kind": kind,
        "host": "127.0.0.1",
        "port": port,
        "token": city().token,
        "path": f"{city().path}{ending}",
        "cursors": city().cursors(list(starts)),
    }


def _middle(rounds: Sequence[dict[str, Any]], figure: str) -> float:
    return float(statistics.median(each[figure] for each in rounds))


def _bare_select(city: City, ending: str) -> str:
    """The same columns and rows straight from the table, without masks, as its owner."""
    statement = sql.SQL("SELECT _id, {} FROM {} WHERE district >= '500103' ").format(
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), name_of(city.table)
    )
    return statement.as_string() + ending


def owner_conninfo() -> str:
    place = connection.settings_dict
    return make_conninfo(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=settings.DATABASES["default"]["NAME"],
    )
