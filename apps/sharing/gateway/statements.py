"""The SQL of the data plane. Identifiers and values go through `psycopg.sql` or are bound."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from psycopg import sql

from apps.core import conditions
from apps.sharing import naming
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.shapes import KEY

BEGIN: Final = "BEGIN"
COMMIT: Final = "COMMIT"
# Types that would be written otherwise than the API promises: a moment has a "T" between day and
# time, a truth is true or false in every format.
_WRITTEN: Final = {"T": "replace({}::text, ' ', 'T')", "L": "{}::text"}


@dataclass(frozen=True, slots=True)
class Statement:
    text: str
    parameters: list[Any]


@lru_cache(maxsize=4096)
def take_role(role: str) -> str:
    """Return the statement by which the rest of the transaction runs as that role."""
    return sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)).as_string()


def page(view: str, query: Query, *, after: int) -> Statement:
    """Return the SELECT of one page and a row more, which tells whether another page follows."""
    head = _head(view, _written_fields(query), for_copy=False)
    limit = query.limit + 1
    if not query.conditions:
        return Statement(f"{head} WHERE _id > %s ORDER BY _id LIMIT {limit}", [after])
    clause, values = conditions.as_parameters(query.conditions, query.known)
    text = f"{head} WHERE {clause.as_string()} AND _id > %s ORDER BY _id LIMIT {limit}"
    return Statement(text, [*values, after])


def copy(view: str, query: Query, *, after: int, limit: int) -> str:
    """Return the COPY of the rows that follow `after`, as CSV without a heading.

    COPY takes no parameters, so the values stand in it as literals.
    """
    head = _head(view, _written_fields(query), for_copy=True)
    clause = conditions.as_literal(query.conditions, query.known).as_string()
    return (
        f"COPY ({head} WHERE {clause} AND _id > {after:d} ORDER BY _id LIMIT {limit:d})"
        " TO STDOUT (FORMAT csv)"
    )


def _written_fields(query: Query) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.type) for field in query.fields)


@lru_cache(maxsize=4096)
def _head(view: str, fields: tuple[tuple[str, str], ...], *, for_copy: bool) -> str:
    written = [KEY, *(_expression(name, kind, for_copy=for_copy) for name, kind in fields)]
    source = sql.Identifier(naming.SHARE_SCHEMA, view).as_string()
    return f"SELECT {', '.join(written)} FROM {source}"  # noqa: S608 (quoted identifiers only)


def _expression(name: str, kind: str, *, for_copy: bool) -> str:
    quoted = sql.Identifier(name).as_string()
    if kind == "T" or (for_copy and kind == "L"):
        return _WRITTEN[kind].format(quoted)
    return quoted
