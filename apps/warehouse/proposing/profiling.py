"""What stands in every column of a file, counted over the whole of it by DuckDB.

Values are counted as normalised in width and outer blanks. Passes take a few columns at a time, so
that memory and planning stay bounded however wide the file is.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Final

import duckdb

from apps.standards.normalisers import SCIENTIFIC
from apps.warehouse.landing.reader import Reader
from apps.warehouse.landing.rules import quoted

COLUMNS_A_PASS: Final = 8
FEW_VALUES: Final = 60
_PAIRS_TRIED: Final = 6
_X: Final = re.compile(r"\bx(_[a-z_]+)?\b")
_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_NUMBER = r"-?\d{1,30}(?:\.\d+)?"

# What a value is in each form it may have; a form is tried only where the value looks like it. Each
# stands in a layer of its own: a macro copies its argument to every place where it is used.
_FORMS: Final[dict[str, str]] = {
    "number": r"CASE WHEN regexp_matches(x, '^[-+]?[.\d]') THEN norm_number(x) END",
    "day": (
        r"CASE WHEN length(x) <= 32 AND regexp_matches(x, '^\d{4}') "
        r"AND NOT regexp_full_match(x, '\d{1,7}(?:\.\d+)?') THEN norm_date(x) END"
    ),
    "instant": (
        r"CASE WHEN length(x) <= 40 AND regexp_matches(x, '^\d{4}.*:|^\d{14}$|时')"
        " THEN norm_datetime(x) END"
    ),
    "whether": "CASE WHEN length(x) <= 5 THEN norm_boolean(x) END",
    "identity": "CASE WHEN length(x) BETWEEN 15 AND 20 THEN norm_identifier(x) END",
    "phone": "CASE WHEN length(x) BETWEEN 11 AND 17 THEN norm_mobile(x) END",
    "amount": (
        r"CASE WHEN length(x) <= 40 AND regexp_matches(x, '\d') "
        r"AND NOT regexp_full_match(x, '[-+.,\d]+') THEN norm_unit(x) END"
    ),
}
_LATER_FORMS: Final[dict[str, str]] = {
    "long_identity": "CASE WHEN strlen(x_identity) = 15 THEN norm_identity_18(x_identity) END",
    "date": rf"CASE WHEN regexp_full_match(x_day, '{_ISO_DAY}') THEN TRY_CAST(x_day AS DATE) END",
}
COUNTED: Final[dict[str, str]] = {
    "filled": "count(x)",
    "longest": "coalesce(max(length(x)), 0)",
    "shortest": "coalesce(min(length(x)), 0)",
    "about_distinct": "approx_count_distinct(x)",
    "integers": r"count_if(regexp_full_match(x_number, '-?\d{1,18}'))",
    "numbers": f"count_if(regexp_full_match(x_number, '{_NUMBER}'))",
    "whole_digits": (
        r"coalesce(max(strlen(regexp_extract(x_number, '^-?(\d+)(?:\.\d+)?$', 1))), 0)"
    ),
    "scale": r"coalesce(max(strlen(regexp_extract(x_number, '^-?\d+\.(\d+)$', 1))), 0)",
    "noughts": r"count_if(regexp_full_match(x, '0\d+'))",
    "digits": r"count_if(regexp_full_match(x, '\d+'))",
    "days": "count(x_date)",
    "serial_days": r"count_if(regexp_full_match(x, '[2-7]\d{4}'))",
    "instants": "count(TRY_CAST(x_instant AS TIMESTAMP))",
    "booleans": "count_if(x_whether IN ('true', 'false') AND x NOT IN ('0', '1'))",
    "scientific": f"count_if(regexp_full_match(x, '{SCIENTIFIC}'))",
    "units": f"count_if(regexp_full_match(x_amount, '{_NUMBER}'))",
    "identity_number": "count_if(check_identity_number(x_identity))",
    "old_identity_number": "count_if(strlen(x_long_identity) = 18)",
    "uscc": "count_if(check_uscc(x_identity))",
    "mobile": "count_if(check_mobile(x_phone))",
    "division_code": "count_if(strlen(x) IN (6, 9, 12) AND check_division_code(x))",
    "postcode": "count_if(strlen(x) = 6 AND check_postcode(x))",
    "longitude": "count_if(check_longitude(x_number))",
    "latitude": "count_if(check_latitude(x_number))",
    "first_day": "CAST(min(x_date) AS VARCHAR)",
    "last_day": "CAST(max(x_date) AS VARCHAR)",
}


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column: counts by the names of `COUNTED`; the commonest values where there are few."""

    name: str
    heading: str
    counts: dict[str, int]
    first_day: str | None
    last_day: str | None
    values: dict[str, int] = field(default_factory=dict)

    def of(self, name: str) -> int:
        return self.counts[name]

    def share(self, name: str) -> float:
        """Return the share (0–1) of the filled values that count under this name."""
        return self.counts[name] / self.counts["filled"] if self.counts["filled"] else 0.0


def profiles(
    reader: Reader, headings: dict[str, str], *, told: Callable[[Callable[[], int], int], None]
) -> list[ColumnProfile]:
    """Profile every column of the file, in the file's order.

    told: hears before every pass how to ask how many columns are counted, and of how many.

    How much memory a column's forms take depends on its values; a pass that has too little is
    tried again with half the columns.
    """
    names = [name for name in reader.columns if name in headings]
    found: list[ColumnProfile] = []
    size = COLUMNS_A_PASS
    while rest := names[len(found) :]:
        told(partial(_counted, reader, len(found), len(rest[:size])), len(names))
        try:
            found += list(_pass(reader, rest[:size], headings))
        except duckdb.OutOfMemoryException:
            if size == 1:
                raise
            size //= 2
    return found


def _counted(reader: Reader, before: int, of_this_pass: int) -> int:
    return before + int(of_this_pass * reader.share_done())


def unique_columns(reader: Reader, candidates: Sequence[str], rows: int) -> list[str]:
    """Return those of the columns of which no value stands twice."""
    if not candidates:
        return []
    parts = ", ".join(f"count(DISTINCT {quoted(name)})" for name in candidates)
    counts = reader.beside(f"SELECT {parts} FROM {_clean(reader, candidates)}")
    return [name for name, count in zip(candidates, counts, strict=True) if count == rows]


def unique_pair(reader: Reader, candidates: Sequence[str], rows: int) -> tuple[str, str] | None:
    """Return the first two columns that together are never the same twice."""
    for pair in list(combinations(candidates, 2))[:_PAIRS_TRIED]:
        names = ", ".join(map(quoted, pair))
        (count,) = reader.beside(
            f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {_clean(reader, pair)})"
        )
        if count == rows:
            return pair[0], pair[1]
    return None


def days_of(reader: Reader, name: str) -> list[str]:
    """Return the different days of a column, at most a thousand, in order."""
    statement = (
        f"SELECT DISTINCT norm_date({quoted(name)}) AS day FROM {_clean(reader, [name])}"
        f" WHERE regexp_full_match(day, '{_ISO_DAY}') ORDER BY 1 LIMIT 1000"
    )
    return [day for (day,) in reader.rows(statement)]


def _pass(
    reader: Reader, names: Sequence[str], headings: dict[str, str]
) -> Iterator[ColumnProfile]:
    first = [_of(name, text, form) for name in names for form, text in _FORMS.items()]
    later = [_of(name, text, form) for name in names for form, text in _LATER_FORMS.items()]
    counts_of = [_of(name, text) for name in names for text in COUNTED.values()]
    row = iter(
        reader.beside(
            f"SELECT {', '.join(counts_of)} FROM (SELECT *, {', '.join(later)} FROM"
            f" (SELECT *, {', '.join(first)} FROM {_clean(reader, names)}) AS first) AS later"
        )
    )
    for name in names:
        found = {key: next(row) for key in COUNTED}
        first, last = found.pop("first_day"), found.pop("last_day")
        # Of forms that no value has, nothing is counted.
        counts = {key: int(number or 0) for key, number in found.items()}
        few = counts["about_distinct"] <= FEW_VALUES and counts["longest"] <= 100
        values = _values(reader, name) if few else {}
        yield ColumnProfile(name, headings[name], counts, first, last, values)


def _of(name: str, text: str, form: str = "") -> str:
    """SQL of an expression over a column and its forms, under the form's name where it has one."""
    said = _X.sub(lambda found: quoted(name + (found[1] or "")), text)
    return f"{said} AS {quoted(f'{name}_{form}')}" if form else said


def _values(reader: Reader, name: str) -> dict[str, int]:
    statement = (
        f"SELECT {quoted(name)} AS value, count(*) FROM {_clean(reader, [name])}"
        f" WHERE value IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {2 * FEW_VALUES}"
    )
    return dict(reader.rows(statement))


def _clean(reader: Reader, names: Sequence[str]) -> str:
    chosen = ", ".join(
        f"nullif(norm_trim(norm_half_width({quoted(name)})), '') AS {quoted(name)}"
        for name in names
    )
    return f"(SELECT {chosen} FROM {reader.source()}) AS cleaned"
