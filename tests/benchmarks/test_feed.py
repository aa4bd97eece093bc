"""The feed of changes and its proof, at a million rows, read in this process through the gateway.

Run by `make bench ONLY=feed`.
"""

from functools import cache
from typing import Any

from django.db import connection

from apps.sharing.keeping import GatewaySource
from apps.warehouse.models import DataTable
from tests.benchmarks.dataplane_city import COLUMNS, City, build, name_of
from tests.benchmarks.harness import Measurement, claim, timed

PAGE_ROWS = 10_000
RANGE_ROWS = 10_000


@cache
def city() -> City:
    return build()


@cache
def source() -> GatewaySource:
    return GatewaySource(city().grant)


def sweep(cursor: str) -> tuple[int, str]:
    """Read the feed from a cursor until it is complete; give the events and the cursor then."""
    events = 0
    while True:
        query = {"cursor": cursor, "limit": str(PAGE_ROWS)}
        answer = source().get(f"{city().path}/changes", query)
        events, cursor = events + answer["count"], answer["next"]
        if answer["is_complete"]:
            return events, cursor


@claim("feed.one_percent", target="<= 0.03")
def one_percent() -> Measurement:
    """The sweep over a batch that changed one row in a hundred, of the sweep over all of them."""
    found: dict[str, Any] = {}

    def first() -> None:
        found["all"], found["cursor"] = sweep("")

    def second() -> None:
        found["changed"], _cursor = sweep(found["cursor"])

    whole = timed(first)
    _change_one_in_a_hundred()
    changed = timed(second)
    detail = {"rows": found["all"], "changed": found["changed"]}
    return Measurement(
        changed / whole,
        {**detail, "seconds": round(changed, 2), "whole_seconds": round(whole, 2)},
    )


@claim("feed.proof", target="<= 3.0")
def proof() -> Measurement:
    """Count and hash of every range of ten thousand rows, of COPY of the same rows and columns."""
    cursor = source().get(f"{city().path}/changes", {"cursor": "now"})["next"]
    proved: list[dict[str, Any]] = []

    def prove() -> None:
        following: int | None = 0
        while following is not None:
            query = {"cursor": cursor, "from_id": str(following), "size": str(RANGE_ROWS)}
            answer = source().get(f"{city().path}/changes/proof", query)
            proved.extend(answer["ranges"])
            following = answer["next_from_id"]

    seconds, copied = timed(prove), timed(_copy)
    rows = sum(each["count"] for each in proved)
    detail = {"rows": rows, "ranges": len(proved), "rows_per_second": round(rows / seconds)}
    return Measurement(
        seconds / copied,
        {**detail, "seconds": round(seconds, 2), "copy_seconds": round(copied, 2)},
    )


def _change_one_in_a_hundred() -> None:
    """What a batch of upserts does, by hand: old versions to the past, new ones in their place."""
    table = city().table
    name, past = (f'"{table.schema}"."{each}"' for each in (table.name, table.past_name))
    columns = ", ".join([*COLUMNS, "_id", "_batch", "_hash"])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {past} ({columns}, _until_batch)"
            f" SELECT {columns}, 2 FROM {name} WHERE _id %% 100 = 0",
            [],
        )
        cursor.execute(f"UPDATE {name} SET _batch = 2, household = 9 WHERE _id %% 100 = 0", [])
        cursor.execute(f"ANALYZE {name}")
        cursor.execute(f"ANALYZE {past}")
    DataTable.objects.filter(pk=table.pk).update(batch_counter=2)


def _copy() -> None:
    chosen = f"SELECT _id, {', '.join(COLUMNS)} FROM {name_of(city().table).as_string()}"
    statement = f"COPY ({chosen} WHERE district >= '500103' ORDER BY _id) TO STDOUT (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for _block in copy:
            pass
