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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from apps.console.management.commands.serve import web_command
from tests.benchmarks.dataplane_city import COLUMNS, ROWS, City, add_grants, build, name_of

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


def measure() -> list[dict[str, Any]]:
    """Return the claims of the data plane, measured."""
    city = build()
    with served() as port:
        pages = _pages(city, port)
        export = _export(city, port)
        grants = _grants(city, port)
    return [pages, export, grants]


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


def _pages(city: City, port: int) -> dict[str, Any]:
    chosen = random.Random(7)
    starts = [chosen.randrange(ROWS - 3 * PAGE_ROWS) for _page in range(2000)]
    load = {"connections": CONNECTIONS, "seconds": SECONDS}
    http = load | {
        "kind": "http",
        "host": "127.0.0.1",
        "port": port,
        "token": city.token,
        "path": f"{city.path}?limit={PAGE_ROWS}",
        "cursors": city.cursors(starts),
    }
    bare = load | {
        "kind": "bare",
        "conninfo": owner_conninfo(),
        "select": _bare_select(city, f"AND _id > %s ORDER BY _id LIMIT {PAGE_ROWS}"),
        "insert": INSERT,
        "starts": starts,
        "rows": PAGE_ROWS,
    }
    rounds = []
    for _round in range(ROUNDS):
        baseline = _client(**bare)["per_second"]
        portal = _client(**http)["per_second"]
        rounds.append({"baseline": round(baseline), "portal": round(portal)})
    ratio = statistics.median(each["portal"] / each["baseline"] for each in rounds)
    return _claim(
        "dataplane.page_1000_json",
        ratio,
        ">= 0.30",
        met=ratio >= 0.30,
        pages_per_second=statistics.median(each["portal"] for each in rounds),
        baseline_per_second=statistics.median(each["baseline"] for each in rounds),
        rounds=rounds,
        connections=CONNECTIONS,
    )


def _export(city: City, port: int) -> dict[str, Any]:
    http = {
        "kind": "export",
        "host": "127.0.0.1",
        "port": port,
        "token": city.token,
        "path": f"{city.path}/export.csv",
    }
    select = _bare_select(city, "ORDER BY _id")
    copy = {
        "kind": "copy",
        "conninfo": owner_conninfo(),
        "copy": f"COPY ({select}) TO STDOUT (FORMAT csv)",
    }
    rounds = []
    for _round in range(3):
        baseline, portal = _client(**copy), _client(**http)
        rounds.append(
            {
                "baseline": round(baseline["lines"] / baseline["seconds"]),
                "portal": round(baseline["lines"] / portal["seconds"]),
                "rows": baseline["lines"],
            }
        )
    ratio = statistics.median(each["portal"] / each["baseline"] for each in rounds)
    return _claim("dataplane.export_csv", ratio, ">= 0.60", met=ratio >= 0.60, rounds=rounds)


def _grants(city: City, port: int) -> dict[str, Any]:
    chosen = random.Random(11)
    starts = [chosen.randrange(ROWS - 1000) for _page in range(500)]
    plan = {
        "kind": "latency",
        "host": "127.0.0.1",
        "port": port,
        "token": city.token,
        "path": f"{city.path}?limit=100",
        "cursors": city.cursors(starts),
        "requests": LATENCY_REQUESTS,
    }
    with_one = [_client(**plan) for _round in range(3)]
    started = time.perf_counter()
    add_grants(city, MORE_GRANTS)
    provisioned = time.perf_counter() - started
    with_many = [_client(**plan) for _round in range(3)]
    one = statistics.median(each["median_ms"] for each in with_one)
    many = statistics.median(each["median_ms"] for each in with_many)
    return _claim(
        "dataplane.grants_1000",
        many / one,
        "<= 1.2",
        met=many / one <= 1.2,
        median_ms_with_one=round(one, 2),
        median_ms_with_1000=round(many, 2),
        p99_ms_with_one=round(statistics.median(each["p99_ms"] for each in with_one), 2),
        p99_ms_with_1000=round(statistics.median(each["p99_ms"] for each in with_many), 2),
        provisioning_ms_each=round(provisioned * 1000 / MORE_GRANTS, 1),
    )


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


def _claim(name: str, ratio: float, target: str, *, met: bool, **detail: Any) -> dict[str, Any]:
    return {
        "claim": name,
        "ratio": round(ratio, 2),
        "target": target,
        "met": met,
        "detail": detail,
    }
