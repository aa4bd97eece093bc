"""The SQL of the data plane. Identifiers and values go through `psycopg.sql` or are bound."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from psycopg import sql

from apps.core import conditions
from apps.sharing import naming
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.shapes import KEY, Readable, Shape

BEGIN: Final = "BEGIN"
COMMIT: Final = "COMMIT"
# Types that would be written otherwise than the API promises: a moment has a "T" between day and
# time, a truth is true or false in every format.
_WRITTEN: Final = {"T": "replace({}::text, ' ', 'T')", "L": "{}::text"}
# Every value as the text of a proof (`gateway.proofs`). A double has no text that all languages
# write alike, so its bits stand for it; what JSON cannot carry is no value there either.
_FINITE: Final = "CASE WHEN {0} NOT IN ('NaN', 'Infinity', '-Infinity') THEN"
_DOUBLE: Final = f"{_FINITE} encode(float8send({{0}} + 0), 'hex') END"
_CANONICAL: Final = {
    "N": "trim_scale({})::text",
    "Y": "trim_scale({})::text",
    "T": _WRITTEN["T"],
    "B": _DOUBLE,
    "F": _DOUBLE,
}


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    parameters: list[Any]


@lru_cache(maxsize=4096)
def take_role(role: str) -> str:
    """Return the statement by which the rest of the transaction runs as that role."""
    return sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)).as_string()


def page(relation: str, query: Query, *, after: int) -> Statement:
    """Return the SELECT of one page and a row more, which tells whether another page follows."""
    head = _head(relation, _written_fields(query), for_copy=False)
    limit = query.limit + 1
    if not query.conditions:
        return Statement(f"{head} WHERE _id > %s ORDER BY _id LIMIT {limit}", [after])
    clause, values = conditions.as_parameters(query.conditions, query.known)
    text = f"{head} WHERE {clause.as_string()} AND _id > %s ORDER BY _id LIMIT {limit}"
    return Statement(text, [*values, after])


def copy(relation: str, query: Query, *, after: int, limit: int) -> str:
    """Return the COPY of the rows that follow `after`, as CSV without a heading.

    COPY takes no parameters, so the values stand in it as literals.
    """
    head = _head(relation, _written_fields(query), for_copy=True)
    clause = conditions.as_literal(query.conditions, query.known).as_string()
    return (
        f"COPY ({head} WHERE {clause} AND _id > {after:d} ORDER BY _id LIMIT {limit:d})"
        " TO STDOUT (FORMAT csv)"
    )


def standing_rows(
    grant_id: int, query: Query, *, after: int, horizon: int, limit: int, for_copy: bool
) -> str:
    """Return the SELECT of the rows that follow `after`, as they stood at the horizon.

    Its values stand in it as literals, for a COPY takes no parameters.
    """
    written = [
        f"{_expression(name, kind, for_copy=for_copy)} AS {_quoted(name)}"
        for name, kind in _written_fields(query)
    ]
    clause = conditions.as_literal(query.conditions, query.known).as_string()
    view, past = _views(grant_id)
    return _STANDING_AFTER.format(
        columns=", ".join([KEY, *written]),
        where=f"{clause} AND _id > {after:d} AND _batch <= {horizon:d}",
        horizon=f"{horizon:d}",
        limit=f"{limit:d}",
        view=view,
        past=past,
    )


def copy_out(select: str) -> str:
    """Return the COPY of a SELECT's rows, as CSV without a heading."""
    return f"COPY ({select}) TO STDOUT (FORMAT csv)"


def last_id(view: str) -> str:
    """Return the SELECT of the greatest `_id` that the grant shows; no row where it shows none."""
    source = sql.Identifier(naming.SHARE_SCHEMA, view).as_string()
    return f"SELECT _id FROM {source} ORDER BY _id DESC LIMIT 1"  # noqa: S608


def count_up_to(view: str, query: Query, limit: int) -> str:
    """Return the SELECT of how many rows there are, counted no further than `limit`."""
    source = sql.Identifier(naming.SHARE_SCHEMA, view).as_string()
    clause = conditions.as_literal(query.conditions, query.known).as_string()
    rows = f"SELECT FROM {source} WHERE {clause} LIMIT {limit:d}"
    return f"SELECT count(*) FROM ({rows}) AS found"  # noqa: S608


# One version of each record stands at the horizon: the present one, or, where a later batch took
# that away since the caller began, the past one. A record that has none any more left with the last
# of its past versions that the grant showed. Every arm reads an index in its order and stops at the
# limit, the last one at the edge of the first; the questions about other versions are asked record
# by record, for a join might read the whole table instead.
_CHANGES: Final = """
WITH standing AS MATERIALIZED (
  SELECT _batch AS at_batch, {columns} FROM {view}
   WHERE (_batch, _id) > (%(batch)s::bigint, %(after)s::bigint) AND _batch <= %(horizon)s::bigint
   ORDER BY _batch, _id LIMIT %(limit)s
), edge AS MATERIALIZED (
  SELECT at_batch, _id FROM standing ORDER BY 1, 2 OFFSET %(limit)s - 1
)
SELECT * FROM (
 (SELECT at_batch, TRUE, {names} FROM standing)
 UNION ALL
 (SELECT _batch, TRUE, {columns} FROM {past}
   WHERE _until_batch > %(horizon)s::bigint
     AND (_batch, _id) > (%(batch)s::bigint, %(after)s::bigint) AND _batch <= %(horizon)s::bigint
   ORDER BY _batch, _id LIMIT %(limit)s)
 UNION ALL
 (SELECT _until_batch, FALSE, {absent} FROM {past} AS p
   WHERE %(since)s::bigint >= 0 AND _until_batch > %(since)s::bigint
     AND (_until_batch, _id) > (%(batch)s::bigint, %(after)s::bigint)
     AND (_until_batch, _id) <= (COALESCE((SELECT at_batch FROM edge), %(horizon)s::bigint),
                                 COALESCE((SELECT _id FROM edge), 9223372036854775807))
     AND (SELECT 1 FROM {view} AS v
           WHERE v._id = p._id AND v._batch <= %(horizon)s::bigint LIMIT 1) IS NULL
     AND (SELECT 1 FROM {past} AS q WHERE q._id = p._id AND q._batch <= %(horizon)s::bigint
             AND q._until_batch > p._until_batch LIMIT 1) IS NULL
   ORDER BY _until_batch, _id LIMIT %(limit)s)
) AS changes ORDER BY 1, 3 LIMIT %(limit)s
"""


def changes(relation: str, past: str, query: Query) -> str:
    """Return the SELECT of a page of a grant's changes: batch, whether it stands, `_id`, values.

    Bound: since, horizon, batch, after, limit.
    """
    return _changes(relation, past, _written_fields(query))


# The versions that stood at the horizon: of one record never two.
_STANDING: Final = """
SELECT * FROM (
 (SELECT {columns} FROM {view}
   WHERE _id BETWEEN %(first)s::bigint AND %(last)s::bigint AND _batch <= %(horizon)s::bigint
   ORDER BY _id LIMIT %(limit)s)
 UNION ALL
 (SELECT {columns} FROM {past}
   WHERE _id BETWEEN %(first)s::bigint AND %(last)s::bigint AND _batch <= %(horizon)s::bigint
     AND _until_batch > %(horizon)s::bigint
   ORDER BY _id LIMIT %(limit)s)
) AS standing ORDER BY _id LIMIT %(limit)s
"""
_STANDING_AFTER: Final = """
SELECT * FROM (
 (SELECT {columns} FROM {view} WHERE {where} ORDER BY _id LIMIT {limit})
 UNION ALL
 (SELECT {columns} FROM {past} WHERE {where} AND _until_batch > {horizon}
   ORDER BY _id LIMIT {limit})
) AS standing ORDER BY _id LIMIT {limit}
"""
_PROOF: Final = """
WITH standing AS ({standing}),
lines AS (
  SELECT _id, (row_number() OVER (ORDER BY _id) - 1) / %(size)s AS place,
         concat_ws(';', _id, {fields}) AS line
    FROM standing
)
SELECT max(_id), count(*),
       encode(sha256(convert_to(string_agg(line, E'\\n' ORDER BY _id), 'UTF8')), 'hex')
  FROM lines GROUP BY place ORDER BY place
"""


@lru_cache(maxsize=4096)
def standing(grant_id: int, shape: Shape) -> str:
    """Return the SELECT of the records that the grant showed at a horizon: `_id`, values.

    Bound: first, last (`_id`s), horizon, limit.
    """
    columns = [
        f"{_expression(each.name, each.type, for_copy=False)} AS {_quoted(each.name)}"
        for each in shape.columns
    ]
    return _standing(grant_id, columns)


@lru_cache(maxsize=4096)
def proof(grant_id: int, shape: Shape) -> str:
    """Return the SELECT of ranges of such records: last `_id`, count, hash.

    Bound: as `standing`, and size, the records in a range.
    """
    named = [(each, _quoted(each.name)) for each in shape.columns]
    columns = [
        f"{_CANONICAL.get(each.type, '{}::text').format(name)} AS {name}" for each, name in named
    ]
    fields = [
        f"COALESCE(octet_length({name})::text || ':' || {name}, '-')" for _each, name in named
    ]
    return _PROOF.format(standing=_standing(grant_id, columns), fields=", ".join(fields))


def _standing(grant_id: int, columns: list[str]) -> str:
    view, past = _views(grant_id)
    return _STANDING.format(columns=", ".join([KEY, *columns]), view=view, past=past)


def _views(grant_id: int) -> tuple[str, str]:
    return naming.relation_of_grant(grant_id), naming.past_relation_of_grant(grant_id)


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string()


def present(relation: str) -> str:
    """Return the SELECT of those among `rows` that the grant shows at the horizon."""
    return f"SELECT _id FROM {relation} WHERE _id = ANY(%(rows)s)"  # noqa: S608 (quoted identifier)


@lru_cache(maxsize=4096)
def _changes(view: str, past: str, fields: tuple[tuple[str, str], ...]) -> str:
    named = [(_expression(name, kind, for_copy=False), name) for name, kind in fields]
    columns = [f"{written} AS {sql.Identifier(name).as_string()}" for written, name in named]
    return _CHANGES.format(
        columns=", ".join([KEY, *columns]),
        names=", ".join([KEY, *(sql.Identifier(name).as_string() for _written, name in named)]),
        absent=", ".join([KEY, *["NULL"] * len(columns)]),
        view=view,
        past=past,
    )


def _written_fields(query: Query) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.type) for field in query.fields)


@lru_cache(maxsize=4096)
def _head(relation: str, fields: tuple[tuple[str, str], ...], *, for_copy: bool) -> str:
    written = [KEY, *(_expression(name, kind, for_copy=for_copy) for name, kind in fields)]
    return f"SELECT {', '.join(written)} FROM {relation}"  # noqa: S608 (quoted identifiers only)


def written(readable: Readable) -> str:
    """Return the expression by which a granted column is written in an answer, under its name."""
    return (
        f"{_expression(readable.name, readable.type, for_copy=False)} AS {_quoted(readable.name)}"
    )


def _expression(name: str, kind: str, *, for_copy: bool) -> str:
    quoted = sql.Identifier(name).as_string()
    if kind == "T" or (for_copy and kind == "L"):
        return _WRITTEN[kind].format(quoted)
    return quoted
