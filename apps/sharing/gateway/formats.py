"""From rows to bytes. No serializer per row: names are put to values, and orjson writes them.

Codes and N and Y are strings, so that no digit is lost; I are numbers; days are ISO 8601, moments
too, in local time without zone; NULL is null, in CSV an empty field.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import orjson
from django.utils import timezone

from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.cursor import Cursor
from apps.sharing.gateway.filters import FORMATS, Query
from apps.sharing.gateway.shapes import KEY


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as it will be sent, and what its record says of it. next: the cursor, if any."""

    body: bytes
    content_type: str
    rows: int
    first_id: int | None
    last_id: int | None
    next: str | None


def names_of(query: Query) -> list[str]:
    return [KEY, *(field.name for field in query.fields)]


def of_rows(call: Call, query: Query, rows: list[tuple[Any, ...]]) -> Page:
    """Write a page of rows as JSON or lines of JSON; a row beyond the limit is left out."""
    more = len(rows) > query.limit
    kept = rows[: query.limit] if more else rows
    last_id = kept[-1][0] if kept else None
    following = _next(call, last_id) if more else None
    if query.format == "ndjson":
        body = b"".join(_lines(query, kept))
    else:
        body = orjson.dumps(_envelope(call, query, kept, following))
    return Page(
        body=body,
        content_type=FORMATS[query.format],
        rows=len(kept),
        first_id=kept[0][0] if kept else None,
        last_id=last_id,
        next=following,
    )


def of_csv(call: Call, query: Query, lines: list[bytes]) -> Page:
    """Put the heading before lines of CSV; a line beyond the limit is left out."""
    more = len(lines) > query.limit
    kept = lines[: query.limit] if more else lines
    last_id = id_of(kept[-1]) if kept else None
    return Page(
        body=b"".join([heading(query), *kept]),
        content_type=FORMATS["csv"],
        rows=len(kept),
        first_id=id_of(kept[0]) if kept else None,
        last_id=last_id,
        next=_next(call, last_id) if more else None,
    )


def heading(query: Query) -> bytes:
    """Return the first line of a CSV: column names need no quotes, they are plain words."""
    return ",".join(names_of(query)).encode() + b"\n"


def id_of(line: bytes) -> int:
    """Return the `_id` of a line of CSV, which stands first."""
    return int(line[: line.index(b",")] if b"," in line else line)


def _envelope(
    call: Call, query: Query, rows: list[tuple[Any, ...]], following: str | None
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "dataset": call.dataset_code,
        "grant": {
            "id": call.grant_id,
            "version": call.grant_version,
            "expires_at": timezone.localtime(call.expires_at),
        },
        "count": len(rows),
        "next": following,
    }
    if query.shape == "arrays":
        answer["columns"] = names_of(query)
        answer["data"] = rows
    else:
        answer["data"] = list(_objects(query, rows))
    return answer


def _objects(query: Query, rows: Sequence[tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
    return map(dict, map(zip, repeat(names_of(query)), rows))


def _lines(query: Query, rows: list[tuple[Any, ...]]) -> Iterable[bytes]:
    values: Iterable[Any] = rows if query.shape == "arrays" else _objects(query, rows)
    return (orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE) for value in values)


def _next(call: Call, last_id: int | None) -> str | None:
    if last_id is None:
        return None
    return Cursor(call.dataset_id, call.grant_id, call.grant_version, last_id).write()
