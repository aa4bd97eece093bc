"""The data plane against PostgreSQL doing the bare minimum in the same run.

Run by `make bench ONLY=dataplane`. Every call shows a token and is answered under a grant with a
row condition and two masks, its access record on disk before the first byte.
"""

import json
import random
import statistics
from functools import cache

from tests.benchmarks.dataplane_city import (
    ROWS,
    add_grants,
    add_grants_elsewhere,
    add_systems,
    person_id,
    readable_rows,
)
from tests.benchmarks.dataplane_sides import (
    ROUNDS,
    ask_client,
    bare_copy,
    city,
    compare,
    http,
    middle,
    served,
    starts,
)
from tests.benchmarks.harness import Measurement, claim

SYSTEMS, TABLES_ELSEWHERE = 999, 9
VERIFIED = 100


@cache
def pages(rows: int, words: str = "") -> Measurement:
    """Pages of so many rows a second on eight connections, of those of PostgreSQL."""
    begins = starts(rows, most=ROWS)
    paths = [f"?limit={rows}{words}&cursor={cursor}" for cursor in city().cursors(begins)]
    return compare(paths, f"AND _id > %s ORDER BY _id LIMIT {rows}", begins, rows=rows)


@claim("dataplane.page_1000_json", target=">= 0.45")
def page_1000_json() -> Measurement:
    """Pages of 1,000 objects."""
    return pages(1000)


@claim("dataplane.page_1000_arrays", target=">= 0.55")
def page_1000_arrays() -> Measurement:
    """Pages of 1,000 arrays."""
    return pages(1000, "&shape=arrays")


@claim("dataplane.page_1000_csv", target=">= 0.55")
def page_1000_csv() -> Measurement:
    """Pages of 1,000 lines of CSV."""
    return pages(1000, "&format=csv")


@claim("dataplane.page_100", target=">= 0.25")
def page_100() -> Measurement:
    """Pages of 100 objects."""
    return pages(100)


@claim("dataplane.record", target=">= 0.35")
def record() -> Measurement:
    """Single records by their key."""
    keys = [person_id(number) for number in readable_rows(2000)]
    paths = [f"?person_id={key}&limit=1" for key in keys]
    return compare(paths, "AND person_id = %s", keys, rows=1)


@claim("dataplane.tail", target="<= 4")
def tail() -> Measurement:
    """The 99th percentile of a page of 100 rows on eight connections, of the median."""
    measured = pages(100).detail
    return Measurement(
        measured["p99_of_median"], {name: measured[name] for name in ("median_ms", "p99_ms")}
    )


@claim("dataplane.verify_100", target="<= 2")
def verify_100() -> Measurement:
    """Seconds of a call that verifies 100 values, of those of the bare query for their records."""
    keys = [person_id(number) for number in readable_rows(VERIFIED)]
    body = json.dumps({"records": [{"person_id": key, "household": "3"} for key in keys]})
    path = ["/verify"]
    found = compare(path, "AND person_id = ANY(%s)", [keys], rows=VERIFIED, bodies=[body])
    return Measurement(1 / found.ratio, found.detail)


@claim("dataplane.export_csv", target=">= 0.75")
def export_csv() -> Measurement:
    """Rows a second of a whole grant as CSV, against COPY of the same rows and columns."""
    rounds = []
    with served() as port:
        export = http(port, "export", ["/export.csv"])
        for _round in range(ROUNDS):
            baseline, portal = bare_copy(city()), ask_client(**export)
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


@cache
def crowded() -> tuple[Measurement, float]:
    """A page of 100 rows alone, then with 10,000 grants; and the milliseconds a grant took."""
    chosen = random.Random(11)
    cursors = city().cursors([chosen.randrange(ROWS - 1000) for _page in range(500)])
    paths = [f"?limit=100&cursor={cursor}" for cursor in cursors]
    with served() as port:
        plan = http(port, "http", paths, connections=1, seconds=2.0)
        with_one = [ask_client(**plan) for _round in range(ROUNDS)]
        systems = add_systems(city(), SYSTEMS, grants=SYSTEMS * (1 + TABLES_ELSEWHERE))
        add_grants_elsewhere(city(), systems, tables=TABLES_ELSEWHERE)
        seconds = add_grants(city(), systems)
        with_many = [ask_client(**plan) for _round in range(ROUNDS)]
    one, many = middle(with_one, "median_ms"), middle(with_many, "median_ms")
    figures = {
        "median_ms_with_one": round(one, 2),
        "median_ms_with_many": round(many, 2),
        "p99_ms_with_one": round(middle(with_one, "p99_ms"), 2),
        "p99_ms_with_many": round(middle(with_many, "p99_ms"), 2),
    }
    return Measurement(many / one, figures), seconds * 1000 / SYSTEMS


@claim("dataplane.grants_10000", target="<= 1.2")
def grants_10000() -> Measurement:
    """Latency of a page with 10,000 grants, 1,000 of them on the table, against one."""
    return crowded()[0]


@claim("dataplane.provision_ms", target="<= 100")
def provision_ms() -> Measurement:
    """Milliseconds in which a grant is provisioned, with 9,000 to 10,000 others in the database."""
    return Measurement(crowded()[1])
