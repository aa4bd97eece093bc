"""What normalising changed in a file: how many values of which column, in which ways, for example.

Landing must not pay for it: the file is read once more while PostgreSQL makes the indexes of a new
table or reads out the keys of one that has rows. Ways and examples are looked for only in columns
of which something was changed.
The value as it was sent stays in the file, which is kept: `each` gives it beside the one that
landed, record by record.

Source: house rule (design §5: never silent)
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from apps.core.contracts import Column, Contract
from apps.standards.rewritings import OTHER, rewritings_of
from apps.warehouse.landing import rules
from apps.warehouse.landing.reader import Reader
from apps.warehouse.landing.rules import quoted

EXAMPLES: Final = 10
EXAMPLE_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One column of which normalising changed values.

    count: values; ways: rewriting → values that show it (one value may show several); examples:
    (as sent, as kept), at most ten, shortened; kept is None where nothing but blanks was sent.
    """

    column: Column
    count: int
    ways: dict[str, int]
    examples: list[tuple[str, str | None]] = field(default_factory=list)


def columns_of(contract: Contract, *, only_key: bool) -> list[Column]:
    """Return the columns that have normalisers."""
    return [each for each in rules.columns_of(contract, only_key=only_key) if each.normalise]


def touched(reader: Reader, columns: Sequence[Column]) -> list[Column]:
    """Return the columns of which the file has a value that normalising changes."""
    if not columns:
        return []
    flags = ", ".join(f"coalesce(bool_or({rules.rewritten(column)}), false)" for column in columns)
    found = reader.beside(f"SELECT {flags} FROM {_texts(reader, columns)}")
    return [column for column, is_touched in zip(columns, found, strict=True) if is_touched]


def rewritten(reader: Reader, columns: Sequence[Column]) -> list[Rewritten]:
    """Count the changed values of these columns by the ways in which they were changed."""
    if not columns:
        return []
    parts: list[str] = []
    for column in columns:
        changed = rules.rewritten(column)
        parts.append(f"count_if({changed})")
        parts += [
            f"count_if(CASE WHEN {changed} THEN {shown} ELSE false END)" for shown in _ways(column)
        ]
        pair = f"[{quoted(column.name)}[1:{EXAMPLE_CHARACTERS}], {_shortened(column)}]"
        parts.append(f"arg_min({pair}, 1, {EXAMPLES}) FILTER (WHERE {changed})")
    values = iter(reader.beside(f"SELECT {', '.join(parts)} FROM {_texts(reader, columns)}"))
    found = []
    for column in columns:
        count = int(next(values))
        ways = {name: int(next(values)) for name in _names(column)}
        examples = [(raw, kept) for raw, kept in next(values) or ()]
        counted = {name: number for name, number in ways.items() if number}
        found.append(Rewritten(column, count, counted, examples))
    return [each for each in found if each.count]


def each(
    reader: Reader, contract: Contract, *, only_key: bool = False
) -> Iterator[tuple[int, Column, str, str | None]]:
    """Yield rank, column, the value as sent and as kept, of every changed value of the file."""
    columns = columns_of(contract, only_key=only_key)
    if not columns:
        return
    entries = ", ".join(
        f"CASE WHEN {rules.rewritten(column)} THEN struct_pack(place := {place},"
        f" raw := {quoted(column.name)}, kept := {rules.text_of(column)}) END"
        for place, column in enumerate(columns)
    )
    statement = (
        f"SELECT rank, list_filter([{entries}], lambda one: one IS NOT NULL) AS found"
        f" FROM {_texts(reader, columns, ranked=True)} WHERE len(found) > 0"
    )
    for rank, found in reader.rows(statement):
        for one in found:
            yield rank, columns[one["place"]], one["raw"], one["kept"]


def _texts(reader: Reader, columns: Sequence[Column], *, ranked: bool = False) -> str:
    """SQL of the columns' texts as sent and as normalised."""
    names = ", ".join(
        f"{quoted(column.name)}, {rules.normalised(column)} AS {rules.text_of(column)}"
        for column in columns
    )
    rank = "rank, " if ranked else ""
    return f"(SELECT {rank}{names} FROM {reader.source(ranked=ranked)}) AS texts"


def _names(column: Column) -> list[str]:
    return [*(way.name for way in rewritings_of(column.normalise)), OTHER]


def _ways(column: Column) -> list[str]:
    """SQL that says of a changed value, way by way, whether it shows it; at last: none of them."""
    raw, kept = quoted(column.name), rules.text_of(column)
    shown = [way.shown_between(raw, kept) for way in rewritings_of(column.normalise)]
    none = f"NOT ({' OR '.join(shown)})" if shown else "true"
    return [*shown, none]


def _shortened(column: Column) -> str:
    return f"{rules.text_of(column)}[1:{EXAMPLE_CHARACTERS}]"
