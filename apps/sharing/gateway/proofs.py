"""Whether a copy is exact: count and hash of what a grant showed at a horizon, range by range.

Whoever follows the feed can reckon the same from his own copy, so that both sides agree on every
row and value without sending them again; a range that differs is asked for in smaller ones, and its
rows as they stood at that very horizon mend it. A range is an interval of `_id`, bounded by rows.

The canonical form of a row, which never changes:
    `_id`, then every granted item in the grant's order, joined by ";". An item is "-" where it has
    no value, otherwise the number of bytes of its text in UTF-8, ":" and the text. The text of N
    and Y is the decimal without zeros at its end, of I the number, of D and T as the API writes
    them, of L true or false, of B and F the 16 hex digits of the IEEE 754 double, big-endian, where
    -0 is 0; of all others the value itself.
The hash of a range is the SHA-256 of its rows in the order of `_id`, joined by a line feed.

Source: house rule (issue 5: the proof of the feed)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.ledger import access_sql
from apps.sharing.gateway import formats, pages, statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.changes import known_position
from apps.sharing.gateway.filters import DEFAULT_LIMIT, MAXIMUM_LIMIT, only
from apps.sharing.gateway.marks import DISPUTED, marks_of_items
from apps.sharing.gateway.refusals import CursorInvalid, CursorNotComplete
from apps.sharing.gateway.shapes import KEY, Readable, Shape, shape_as_landed
from apps.sharing.gateway.wire import Exchange, GatewayConnection
from apps.sharing.leaving import Ending, endings_by_name

WORDS: Final = frozenset({"cursor", "from_id", "to_id", "size"})
ROWS_WORDS: Final = frozenset({"cursor", "from_id", "to_id", "limit"})
DEFAULT_SIZE: Final = 10_000
MAXIMUM_SIZE: Final = 100_000
ROWS_A_CALL: Final = 100_000
GREATEST_ID: Final = (1 << 63) - 1
OF_NOTHING: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, slots=True)
class Span:
    """The interval of `_id` that is asked about; size: rows in one range, or in one answer."""

    cursor: str
    first: int
    last: int
    size: int

    def to_json(self) -> dict[str, Any]:
        return {"from_id": self.first, "to_id": self.last, "size": self.size}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the access record keeps of the question."""

    span: Span
    what: str

    def to_json(self) -> dict[str, Any]:
        return {"of": self.what, **self.span.to_json()}


def read_span(parameters: Mapping[str, list[str]], *, of_rows: bool = False) -> Span:
    """Check the parameters of a proof, or of the rows of a range.

    Raises:
        InvalidInput: names the parameter that is unknown, doubled, missing or out of bounds.
    """
    given = only(parameters, ROWS_WORDS if of_rows else WORDS)
    first = _id_of(given, "from_id", 0, lowest=0)
    last = _id_of(given, "to_id", GREATEST_ID, lowest=first)
    if of_rows:
        size = _size_of(given, "limit", DEFAULT_LIMIT, highest=MAXIMUM_LIMIT)
    else:
        size = _size_of(given, "size", DEFAULT_SIZE, highest=MAXIMUM_SIZE)
    return Span(given.get("cursor", ""), first, last, size)


def require_no_parameters(parameters: Mapping[str, list[str]]) -> None:
    """Raises InvalidInput, naming the first that there is."""
    only(parameters, frozenset())


def prove(call: Call, span: Span) -> bytes:
    """Return count and hash of the ranges of a span, as far as one answer reaches, and record it.

    The ranges leave no gap: what the copy holds between them or after the last is too much.

    Raises:
        CursorInvalid, CursorNotComplete, ResyncRequired: the cursor names no state to prove.
        GrantRefused, Busy, TooSlow: as when a page is read.
    """
    horizon = _horizon(call, span)
    text = statements.proof(call.grant_id, shape_as_landed(call))

    def read(connection: GatewayConnection) -> bytes:
        bound = {**_bounds(span, horizon), "size": span.size, "limit": _reach(span)}
        with Exchange(connection) as exchange:
            found = pages.ask_as(exchange, call.role, text, bound)
            ranges, following = _ranges(span, found)
            body = orjson.dumps(
                {
                    **formats.grant_of(call),
                    "horizon": horizon,
                    "count": sum(each["count"] for each in ranges),
                    "next_from_id": following,
                    "ranges": ranges,
                }
            )
            _record(exchange, replace(call, horizon=horizon), span, "proof", body, [])
        return body

    return pages.guarded(call, read)


def rows_of_span(call: Call, span: Span) -> bytes:
    """Return the rows of a span as they stood at the cursor's horizon, and record it.

    Raises:
        as `prove`.
    """
    horizon = _horizon(call, span)
    shape = shape_as_landed(call)
    text = statements.standing(call.grant_id, shape)

    def read(connection: GatewayConnection) -> bytes:
        with Exchange(connection) as exchange:
            bound = {**_bounds(span, horizon), "limit": span.size + 1}
            found = pages.ask_as(exchange, call.role, text, bound)
            kept = found[: span.size]
            rows = _with_marks(call, shape, kept)
            body = orjson.dumps(
                {
                    **formats.grant_of(call),
                    "horizon": horizon,
                    "count": len(kept),
                    "next_from_id": kept[-1][0] + 1 if len(found) > span.size else None,
                    "data": rows,
                }
            )
            _record(exchange, replace(call, horizon=horizon), span, "rows", body, kept)
        return body

    return pages.guarded(call, read)


def description(call: Call) -> bytes:
    """Return what a copy's table has to hold: the granted items in order, as they are read."""
    shape = shape_as_landed(call)
    endings = endings_by_name(shape.dropped)
    return orjson.dumps(
        {
            **formats.grant_of(call),
            "horizon": call.horizon or 0,
            "columns": [_described(each, endings.get(each.name)) for each in shape.columns],
        }
    )


def _with_marks(call: Call, shape: Shape, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    names = (KEY, *shape.names)
    ends = (rows[0][0], rows[-1][0]) if rows else (None, None)
    marks = marks_of_items(call, shape.names, *ends) or {}
    return [{**dict(zip(names, row, strict=True)), **_mark_of(marks.get(row[0]))} for row in rows]


def _mark_of(items: list[str] | None) -> dict[str, list[str]]:
    return {DISPUTED: items} if items else {}


def _described(readable: Readable, ending: Ending | None) -> dict[str, Any]:
    digits, scale = readable.digits or (None, None)
    return {
        "name": readable.name,
        "label": readable.column.label,
        "type": readable.type,
        "digits": digits,
        "scale": scale,
        "is_masked": readable.is_masked,
        "served_until": ending.last_day.isoformat() if ending else None,
        "replaced_by": ending.replaced_by or None if ending else None,
    }


def _horizon(call: Call, span: Span) -> int:
    if not span.cursor:
        raise CursorInvalid(_("须给出 cursor：应用完一轮变更后得到的那一个"))
    position = known_position(call, span.cursor)
    if not position.is_complete:
        raise CursorNotComplete
    return position.horizon


def _id_of(given: Mapping[str, str], name: str, default: int, *, lowest: int) -> int:
    number = _number(given.get(name), default)
    if not lowest <= number <= GREATEST_ID:
        words = _("参数 %(name)s 须为不小于 %(lowest)s 的整数") % {"name": name, "lowest": lowest}
        raise InvalidInput(words, code="invalid_range", field=name)
    return number


def _size_of(given: Mapping[str, str], name: str, default: int, *, highest: int) -> int:
    number = _number(given.get(name), default)
    if not 1 <= number <= highest:
        words = _("参数 %(name)s 须为 1 至 %(highest)s 的整数") % {"name": name, "highest": highest}
        raise InvalidInput(words, code="invalid_limit", field=name)
    return number


def _number(text: str | None, default: int) -> int:
    """Return the number, the default where nothing was given, -1 where it is none."""
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1


def _reach(span: Span) -> int:
    """Return how many rows one answer reads: whole ranges only, so that its end is one's end."""
    return max(1, ROWS_A_CALL // span.size) * span.size


def _bounds(span: Span, horizon: int) -> dict[str, int]:
    return {"first": span.first, "last": span.last, "horizon": horizon}


def _ranges(span: Span, found: list[tuple[Any, ...]]) -> tuple[list[dict[str, Any]], int | None]:
    is_cut = sum(count for _last, count, _hash in found) == _reach(span)
    ranges: list[dict[str, Any]] = []
    begins = span.first
    for last, count, digest in found:
        ranges.append({"from_id": begins, "to_id": last, "count": count, "sha256": digest})
        begins = last + 1
    if is_cut and begins <= span.last:
        return ranges, begins
    end = None if span.last == GREATEST_ID else span.last
    if ranges:
        ranges[-1]["to_id"] = end
    else:
        ranges = [{"from_id": begins, "to_id": end, "count": 0, "sha256": OF_NOTHING}]
    return ranges, None


def _record(
    exchange: Exchange,
    call: Call,
    span: Span,
    what: str,
    body: bytes,
    rows: list[tuple[Any, ...]],
) -> None:
    pages.refuse_if_over(call, at=timezone.now())
    pages.record(
        exchange,
        access_sql.PAGE,
        call,
        _Asked(span, what),
        kind="feed",
        rows=len(rows),
        bytes=len(body),
        first_id=rows[0][0] if rows else None,
        last_id=rows[-1][0] if rows else None,
    )
