"""Pages of lists by keyset, latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import QueryDict

RowT = TypeVar("RowT")


@dataclass(frozen=True)
class Page(Generic[RowT]):
    """One page of a list; `total` counts everything that matches."""

    rows: list[RowT]
    total: int
    next_url: str
    previous_url: str

    @property
    def shown(self) -> int:
        return len(self.rows)


def page_of(
    found: QuerySet[Any], query: QueryDict, *, size: int, key: str = "-pk", total: int | None = None
) -> Page[Any]:
    """Return the page that the address asks for; `key` is what the rows are ordered by."""
    name = key.removeprefix("-")
    after = query.get("after", "")
    ordered = found.order_by(key)
    if after.isascii() and after.isdigit() and len(after) < 19:
        beyond = "lt" if key.startswith("-") else "gt"
        ordered = ordered.filter(**{f"{name}__{beyond}": int(after)})
    else:
        after = ""  # somebody wrote the address by hand: begin at the first page
    rows = list(ordered[: size + 1])
    shown = rows[:size]
    following = ""
    if len(rows) > size:
        following = _with(query, after=str(getattr(shown[-1], name)))
    count = found.count() if total is None else total
    return Page(shown, count, following, _with(query, after="") if after else "")


def page_of_list(found: Sequence[RowT], query: QueryDict, *, size: int) -> Page[RowT]:
    """Return the page of what is in memory already; `after` counts the rows before it."""
    text = query.get("after", "")
    begin = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    end = begin + size
    following = _with(query, after=str(end)) if end < len(found) else ""
    before = max(begin - size, 0)
    previous = _with(query, after=str(before) if before else "") if begin else ""
    return Page(list(found[begin:end]), len(found), following, previous)


def _with(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for key, value in changes.items():
        changed.pop(key, None)
        if value:
            changed[key] = value
    return "?" + changed.urlencode()
