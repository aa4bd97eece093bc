"""The changes of a grant since a batch: what a consumer applies to hold what the grant shows.

A sweep leads from the state after one batch to the state after another, the horizon, which is fixed
when the sweep begins. The changes between two batches are history and never differ, so no page of a
sweep loses or doubles a record, whatever lands meanwhile. Records that stand come as `upsert`, once
and as they are at the horizon; records that left the grant's condition or the table as `delete`;
records whose marks of correction changed, last, as `mark`.

Source: house rule (design §5)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.ledger import access_sql
from apps.quality import queries as quality
from apps.sharing.gateway import cursor, formats, pages, statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.cursor import FeedCursor
from apps.sharing.gateway.filters import FORMATS, Query, only, read_query
from apps.sharing.gateway.marks import DISPUTED, Marks, marks_of
from apps.sharing.gateway.refusals import ResyncRequired
from apps.sharing.gateway.shapes import KEY, Shape, fingerprint_of
from apps.sharing.gateway.wire import Exchange, GatewayConnection

WORDS: Final = frozenset({"cursor", "limit", "format"})
FEED_FORMATS: Final = ("json", "ndjson")
FROM_NOW: Final = "now"
OPERATION: Final = "_op"
NOTHING_YET: Final = -1
LAST_OF_A_BATCH: Final = (1 << 63) - 1
# A correction is written a moment before its transaction ends; a mark sent twice does no harm.
MARK_OVERLAP: Final = timedelta(minutes=5)

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of changes as it will be sent."""

    body: bytes
    content_type: str
    next: str
    horizon: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the access record keeps of the question."""

    query: Query
    at: FeedCursor

    def to_json(self) -> dict[str, Any]:
        position = {"since": self.at.since, "batch": self.at.batch, "after": self.at.last_id}
        return {**self.query.to_json(), **position}


def read_feed_query(parameters: Mapping[str, list[str]], shape: Shape, *, accept: str) -> Query:
    """Check the parameters of a feed: it has no filters and no choice of fields.

    Raises:
        InvalidInput: names the parameter that is unknown, doubled or of the wrong shape.
    """
    only(parameters, WORDS)
    query = read_query(parameters, shape, accept=accept, allowed=WORDS)
    if query.format in FEED_FORMATS:
        return query
    if "format" not in parameters:
        return replace(query, format=FEED_FORMATS[0])
    raise InvalidInput(
        _("参数 %(name)s 只能是 %(known)s") % {"name": "format", "known": "、".join(FEED_FORMATS)},
        code="unknown_format",
        field="format",
    )


def read_changes(call: Call, query: Query) -> Changes:
    """Read and record one page of changes.

    Raises:
        CursorInvalid, ResyncRequired: the cursor is not of this grant as it now is.
        GrantRefused: the database refused what was admitted a moment ago.
        Busy, TooSlow: try again later.
    """
    position = _position(call, query.cursor)
    return pages.guarded(call, lambda connection: _read(connection, call, query, position))


def _position(call: Call, text: str) -> FeedCursor:
    present = call.horizon or 0
    if not text or text == FROM_NOW:
        since = present if text else NOTHING_YET
        return FeedCursor(
            call.dataset_id,
            call.grant_id,
            call.grant_version,
            fingerprint_of(call),
            since=since,
            horizon=present,
            batch=since,
            last_id=LAST_OF_A_BATCH,
            marks_at=_marks_at(call),
            is_trial=call.trial is not None,
        )
    found = known_position(call, text)
    return replace(found, horizon=present) if found.is_complete else found


def known_position(call: Call, text: str) -> FeedCursor:
    """Return what a cursor of the feed says, if the way on from there is still known.

    Raises:
        CursorInvalid: not one of ours, altered, or of another dataset.
        ResyncRequired: of other terms, of a state that the table left again, or of one so long ago
            that what ended since is not kept any more.
    """
    found = cursor.read_feed(
        text,
        dataset_id=call.dataset_id,
        grant_id=call.grant_id,
        version=call.grant_version,
        is_trial=call.trial is not None,
    )
    words: str | Promise | None = None
    if found.horizon > (call.horizon or 0):
        words = _("数据表恢复到了较早的状态，此前的增量标记失效，请从头重新读取")
    elif found.needs_past_after < call.forgotten:
        words = _("增量标记过旧，其后的历史版本已清理，请从头重新读取")
    elif found.shape != fingerprint_of(call):
        words = _("数据项的类型已放宽，值的写法变了，请从头重新读取")
    if words is not None:
        raise ResyncRequired(words, version=call.grant_version)
    return found


def _read(connection: GatewayConnection, call: Call, query: Query, at: FeedCursor) -> Changes:
    bound = {
        "since": at.since,
        "horizon": at.horizon,
        "batch": at.batch,
        "after": at.last_id,
        "limit": query.limit + 1,
    }
    with Exchange(connection) as exchange:
        text = statements.changes(call.relation, call.past_relation, query)
        rows: Rows = pages.ask_as(exchange, call.role, text, bound)
        more, kept = len(rows) > query.limit, rows[: query.limit]
        ids = [row[2] for row in kept]
        ends = (min(ids), max(ids)) if ids else (None, None)
        events = list(_events(query, kept, marks_of(call, query, *ends)))
        if not more:
            events += _marks_changed(exchange, call, query, at)
        page = _written(call, query, events, _following(call, at, kept, more=more))
        pages.refuse_if_over(call, at=timezone.now())
        pages.record(
            exchange,
            access_sql.PAGE,
            replace(call, horizon=at.horizon),
            _Asked(query, at),
            kind="feed",
            rows=len(events),
            bytes=len(page.body),
            first_id=ends[0],
            last_id=ends[1],
        )
    return page


def _following(call: Call, at: FeedCursor, kept: Rows, *, more: bool) -> FeedCursor:
    if more:
        return replace(at, batch=kept[-1][0], last_id=kept[-1][2])
    return replace(
        at,
        since=at.horizon,
        batch=at.horizon,
        last_id=LAST_OF_A_BATCH,
        marks_at=_marks_at(call),
    )


def _events(query: Query, rows: Rows, marks: Marks) -> Iterable[dict[str, Any]]:
    names = [field.name for field in query.fields]
    for _batch, stands, row_id, *values in rows:
        if not stands:
            yield {OPERATION: "delete", KEY: row_id}
            continue
        event = {OPERATION: "upsert", KEY: row_id, **dict(zip(names, values, strict=True))}
        if marks and row_id in marks:
            event[DISPUTED] = marks[row_id]
        yield event


def _marks_changed(
    exchange: Exchange, call: Call, query: Query, at: FeedCursor
) -> list[dict[str, Any]]:
    """Return the marks that came or went since the caller last knew them, of rows he may see."""
    if call.trial:  # marks are of real records
        return []
    nothing_marked = not call.has_marks and at.marks_at < 0
    if nothing_marked or at.batch == NOTHING_YET:  # or all was read just now, marks and all
        return []
    names = [field.name for field in query.fields]
    since = datetime.fromtimestamp(abs(at.marks_at) / 1000, tz=UTC) - MARK_OVERLAP
    changed = quality.changed_marks(call.dataset_id, since, names)
    if not changed:
        return []
    shown = exchange.ask(statements.present(call.relation), {"rows": list(changed)})
    return [
        {OPERATION: "mark", KEY: row_id, DISPUTED: quality.shown_marks(changed[row_id], names)}
        for (row_id,) in sorted(shown)
    ]


def _marks_at(call: Call) -> int:
    moment = int(call.at.timestamp() * 1000)
    return moment if call.has_marks else -moment


def _written(
    call: Call, query: Query, events: list[dict[str, Any]], following: FeedCursor
) -> Changes:
    text = following.write()
    if query.format == "ndjson":
        body = b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in events)
    else:
        body = orjson.dumps(
            {
                **formats.grant_of(call),
                "horizon": following.horizon,
                "is_complete": following.is_complete,
                "count": len(events),
                "next": text,
                "data": events,
            }
        )
    return Changes(
        body, FORMATS[query.format], text, following.horizon, is_complete=following.is_complete
    )
