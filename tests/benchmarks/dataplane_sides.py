"""The two sides of a measurement of the data plane: the portal as it is served, and PostgreSQL.

The portal is served by granian as `manage.py serve` does it, on a server that syncs its log to
disk; client, web workers and PostgreSQL share the machine's cores. Rounds of the baseline and of
the portal take turns, and the median of the ratios counts.
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
from typing import Any, Final

from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from apps.console.management.commands.serve import web_command
from tests.benchmarks.dataplane_city import COLUMNS, City, build, name_of
from tests.benchmarks.harness import Measurement

CLIENT = Path(__file__).with_name("dataplane_client.py")
CONNECTIONS: Final = 8
ROUNDS: Final = 5
SECONDS: Final = 4.0
INSERT: Final = """
INSERT INTO ledger_accessrecord (opened_at, grant_id, grant_version, system_id, user_id, dataset_id,
    "table", kind, query, horizon, rows, bytes, first_id, last_id, purpose)
VALUES (now(), 1, 1, 1, 1, 1, 'pool_1.t1', 'page', '{"fields": [], "where": [], "limit": 1000}',
    1, %s, 250000, %s, %s, 'baseline')
"""


@cache
def city() -> City:
    """The table that all claims of the data plane read; made once a run."""
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


def ask_client(**plan: Any) -> dict[str, Any]:
    """Let the client carry out a plan; what it met with other than success is an error."""
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


def http(port: int, kind: str, paths: Sequence[str], **more: Any) -> dict[str, Any]:
    """The part of a plan that says whom to call; the paths go on from the dataset's address."""
    return {
        "kind": kind,
        "host": "127.0.0.1",
        "port": port,
        "token": city().token,
        "paths": [f"{city().path}{ending}" for ending in paths],
        **more,
    }


def compare(
    paths: Sequence[str], ending: str, values: Sequence[Any], *, rows: int, **more: Any
) -> Measurement:
    """Calls a second of the portal, of those of PostgreSQL reading the same rows.

    ending: what follows the bare SELECT's condition; values: what is put into it, one for a call.
    """
    load = {"connections": CONNECTIONS, "seconds": SECONDS}
    bare = load | {
        "kind": "bare",
        "conninfo": owner_conninfo(),
        "select": bare_select(city(), ending),
        "insert": INSERT,
        "values": list(values),
        "rows": rows,
    }
    with served() as port:
        portal = load | http(port, "http", paths, **more)
        rounds = [(ask_client(**bare), ask_client(**portal)) for _round in range(ROUNDS)]
    ours = [mine for _bare, mine in rounds]
    return Measurement(
        statistics.median(mine["per_second"] / other["per_second"] for other, mine in rounds),
        {
            "calls_per_second": round(middle(ours, "per_second")),
            "baseline_per_second": round(middle([other for other, _mine in rounds], "per_second")),
            "rounds": [f"{o['per_second']:.0f}/{b['per_second']:.0f}" for b, o in rounds],
            "median_ms": round(middle(ours, "median_ms"), 2),
            "p99_ms": round(middle(ours, "p99_ms"), 2),
            "p99_of_median": round(
                statistics.median(each["p99_ms"] / each["median_ms"] for each in ours), 2
            ),
        },
    )


def starts(rows: int, *, most: int) -> list[int]:
    """Where pages of so many rows begin, spread over the table."""
    chosen = random.Random(7)
    return [chosen.randrange(most - 3 * rows) for _page in range(2000)]


def middle(rounds: Sequence[dict[str, Any]], figure: str) -> float:
    return float(statistics.median(each[figure] for each in rounds))


def bare_select(city: City, ending: str) -> str:
    """The same columns and rows straight from the table, without masks, as its owner."""
    statement = sql.SQL("SELECT _id, {} FROM {} WHERE district >= '500103' ").format(
        sql.SQL(", ").join(map(sql.Identifier, COLUMNS)), name_of(city.table)
    )
    return statement.as_string() + ending


def bare_copy(city: City) -> dict[str, Any]:
    """Read the grant's rows and columns by COPY straight from the table."""
    copy = f"COPY ({bare_select(city, 'ORDER BY _id')}) TO STDOUT (FORMAT csv)"
    return ask_client(kind="copy", conninfo=owner_conninfo(), copy=copy)


def owner_conninfo() -> str:
    place = connection.settings_dict
    return make_conninfo(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=settings.DATABASES["default"]["NAME"],
    )
