"""From rows to bytes. No serializer per row: a class with the names is given the values.

msgspec writes such objects with names that it has ready; dictionaries would take five times as
long to make as to write.

Where the dataset has records under correction, an object of such a record says `_disputed`, the
names of its doubtful items; rows of arrays and CSV then have a last column of that name.

Codes and N and Y are strings, so that no digit is lost; I are numbers; days are ISO 8601, moments
too, in local time without zone; NULL is null, in CSV an empty field.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, Final

import msgspec
from django.utils import timezone

from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.cursor import Cursor
from apps.sharing.gateway.filters import FORMATS, Query
from apps.sharing.gateway.marks import DISPUTED, SEPARATOR, Marks
from apps.sharing.gateway.shapes import KEY

ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as it will be sent, and what its record says of it. next: the cursor, if any."""

    body: bytes
    content_type: str
    rows: int
    first_id: int | None
    last_id: int | None
    next: str | None


def names_of(query: Query, *, with_marks: bool = False) -> list[str]:
    names = [KEY, *(field.name for field in query.fields)]
    return [*names, DISPUTED] if with_marks else names


def of_rows(call: Call, query: Query, rows: list[tuple[Any, ...]], marks: Marks = None) -> Page:
    """Write a page of rows as JSON or lines of JSON; a row beyond the limit is left out."""
    more = len(rows) > query.limit
    kept = rows[: query.limit] if more else rows
    last_id = kept[-1][0] if kept else None
    following = cursor_after(call, last_id) if more and last_id is not None else None
    if query.format == "ndjson":
        body = json_lines(query, kept, marks)
    else:
        values = _values(query, kept, marks)
        body = ENCODER.encode(_envelope(call, query, values, following, marks))
    return Page(
        body=body,
        content_type=FORMATS[query.format],
        rows=len(kept),
        first_id=kept[0][0] if kept else None,
        last_id=last_id,
        next=following,
    )


def json_lines(query: Query, rows: Sequence[tuple[Any, ...]], marks: Marks = None) -> bytes:
    """Write rows as lines of JSON."""
    return ENCODER.encode_lines(_values(query, rows, marks))


def of_csv(call: Call, query: Query, lines: list[bytes], marks: Marks = None) -> Page:
    """Put the heading before lines of CSV; a line beyond the limit is left out."""
    more = len(lines) > query.limit
    kept = lines[: query.limit] if more else lines
    last_id = id_of(kept[-1]) if kept else None
    first = heading(query, with_marks=marks is not None)
    return Page(
        body=b"".join([first, *marked_lines(kept, marks)]),
        content_type=FORMATS["csv"],
        rows=len(kept),
        first_id=id_of(kept[0]) if kept else None,
        last_id=last_id,
        next=cursor_after(call, last_id) if more and last_id is not None else None,
    )


def heading(query: Query, *, with_marks: bool = False) -> bytes:
    """Return the first line of a CSV: column names need no quotes, they are plain words."""
    return ",".join(names_of(query, with_marks=with_marks)).encode() + b"\n"


def marked_lines(lines: list[bytes], marks: Marks) -> list[bytes]:
    """Return the lines of CSV with the column of marks; as they are where there is none.

    Names of items are plain words, so that the column needs no quotes.
    """
    if marks is None:
        return lines
    return [
        line[:-1] + b"," + SEPARATOR.join(marks.get(id_of(line), ())).encode() + b"\n"
        for line in lines
    ]


def id_of(line: bytes) -> int:
    """Return the `_id` of a line of CSV, which stands first."""
    return int(line[: line.index(b",")] if b"," in line else line)


def grant_of(call: Call) -> dict[str, Any]:
    """Return what an answer says of the dataset and the grant, before the rows."""
    return {
        **({"test": True} if call.trial else {}),
        "dataset": call.dataset_code,
        "grant": {
            "id": call.grant_id,
            "version": call.grant_version,
            "expires_at": timezone.localtime(call.expires_at),
        },
    }


def _envelope(
    call: Call, query: Query, values: Sequence[Any], following: str | None, marks: Marks
) -> dict[str, Any]:
    answer = {**grant_of(call), "count": len(values), "next": following}
    if query.shape == "arrays":
        answer["columns"] = names_of(query, with_marks=marks is not None)
    answer["data"] = values
    return answer


def _values(query: Query, rows: Sequence[tuple[Any, ...]], marks: Marks) -> Sequence[Any]:
    """Put names to values; rows without marks take the shortest way."""
    if query.shape == "arrays":
        return rows if marks is None else [(*row, marks.get(row[0], [])) for row in rows]
    named = _named(tuple(names_of(query)))
    if not marks:
        return list(starmap(named, rows))
    marked = _named(tuple(names_of(query, with_marks=True)))
    return [marked(*row, marks[row[0]]) if row[0] in marks else named(*row) for row in rows]


@lru_cache(maxsize=4096)
def _named(names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a class whose objects are written with these names, in this order."""
    places = [f"place_{number}" for number in range(len(names))]
    made: Callable[..., Any] = msgspec.defstruct(
        "Row",
        [(place, Any) for place in places],
        rename=dict(zip(places, names, strict=True)),
        gc=False,
    )
    return made


def cursor_after(call: Call, last_id: int) -> str:
    """Return the cursor with which the caller goes on after that record."""
    is_trial = call.trial is not None
    return Cursor(
        call.dataset_id, call.grant_id, call.grant_version, last_id, is_trial=is_trial
    ).write()
