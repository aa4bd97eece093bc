"""DuckDB judging rows that were copied out of a data table, in bounded memory.

One pass reads the copy and keeps, of each row, which rules speak of it and which it breaks; of rows
that break one, their texts too. For a rule that wants rows to differ it keeps a hash of what must;
only rows that share one are read again.
"""

# ruff: noqa: S608 -- names and literals are quoted by `landing.rules`; no SQL comes from a user

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Self

import duckdb

from apps.core.contracts import Contract
from apps.quality.models import QualityRule
from apps.quality.row_rules import RowRule
from apps.standards.checks import macros_sql
from apps.warehouse.landing.reader import MEMORY_LIMIT, THREADS
from apps.warehouse.landing.rules import literal, quoted, text_of, typed_select, value_of

_AT_ONCE = 60  # rules of a pass: a bit of a BIGINT each
_LINE_BYTES = 2 << 20
_LONG_LINE_BYTES = 40 << 20


class Judge:
    """A connection of its own; a context manager. `on`: the day for which checks answer."""

    def __init__(self, workplace: Path, *, on: date) -> None:
        self._connection = duckdb.connect(
            config={
                "threads": THREADS,
                "memory_limit": MEMORY_LIMIT,
                "temp_directory": str(workplace / "spill"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._connection.execute(macros_sql(on=on))
        self._is_careful = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def try_out(self, contract: Contract, rules: Sequence[RowRule]) -> None:
        """Run the rules over no rows.

        Raises:
            duckdb.Error: a rule cannot be run, as a pattern that is none.
        """
        names = ", ".join(f"NULL::VARCHAR AS {quoted(name)}" for name in _names(contract))
        typed = typed_select(_as_landed(contract), f"(SELECT {names} LIMIT 0) AS none")
        for rule in rules:
            self._connection.execute(f"SELECT {rule.broken}, {rule.applies} FROM ({typed}) AS r")

    def judge(
        self,
        copy: Path,
        contract: Contract,
        rules: Sequence[RowRule],
        *,
        rows: int,
        failing: Path | None,
        unique: Sequence[QualityRule] = (),
    ) -> list[int]:
        """Return of how many rows each rule speaks; write those that break one into `failing`.

        copy: CSV of `_id`, `_batch` and the contract's columns, `rows` of them. failing: a folder
        for CSVs of rule, `_id`, `_batch`, key and values (JSON); None when none is wanted. unique:
        rules, counted after the others, whose columns no two of these rows may share.
        """
        counts: list[int] = []
        parts = list(_parts(rules)) or [()]
        for place, part in enumerate(parts):
            asked = unique if part is parts[-1] else ()
            self._pass(copy, contract, part, rows, asked)
            counts += self._spoken_of(part)
            if failing is not None and self._value("SELECT count(*) FROM judged WHERE broken <> 0"):
                self._write_failing(contract, part, failing / f"{place}.csv")
        for place, rule in enumerate(unique):
            counts.append(self._value(f"SELECT count(same_{place}) FROM judged"))
            if failing is not None and self._find_shared(place):
                self._write_shared(copy, contract, rule, place, failing / f"unique-{rule.pk}.csv")
        return counts

    def _find_shared(self, place: int) -> int:
        """Keep the hashes that several rows have; return how many."""
        self._connection.execute(
            f"CREATE OR REPLACE TABLE shared AS SELECT same_{place} AS same FROM judged"
            f" WHERE same_{place} IS NOT NULL GROUP BY 1 HAVING count(*) > 1"
        )
        return self._value("SELECT count(*) FROM shared")

    def _write_shared(
        self, copy: Path, contract: Contract, rule: QualityRule, place: int, path: Path
    ) -> None:
        """Write the rows that share the values themselves, not their hash alone."""
        values = ", ".join(value_of(contract.column(name)) for name in rule.columns)
        texts = ", ".join(quoted(name) for name in _names(contract))
        source = (
            f"(SELECT source.* FROM {_scan(copy, contract, careful=self._is_careful)} AS source"
            f" JOIN judged USING (_id) JOIN shared ON judged.same_{place} = shared.same)"
        )
        typed = typed_select(_as_landed(contract), source, carried=f"_id, _batch, {texts}, ")
        self._connection.execute(
            f"COPY (SELECT {rule.pk}, _id, _batch, {_json_of(contract.key)},"
            f" {_json_of(rule.columns)} FROM (SELECT *,"
            f" count(*) OVER (PARTITION BY {values}) AS times FROM ({typed}) AS typed) AS counted"
            f" WHERE times > 1) TO {literal(str(path))} (FORMAT csv, HEADER false)"
        )

    def _pass(
        self,
        copy: Path,
        contract: Contract,
        rules: Sequence[RowRule],
        rows: int,
        unique: Sequence[QualityRule],
    ) -> None:
        """Judge every row; a copy with line ends inside of values is read by one thread."""
        for careful in (False, True):
            self._is_careful = careful
            source = _scan(copy, contract, careful=careful)
            try:
                self._connection.execute(_judgement(source, contract, rules, unique))
            except duckdb.Error:
                if careful:
                    raise
                continue
            if self._value("SELECT count(*) FROM judged") == rows:
                return
        raise RuntimeError(f"{copy.name}: the copy was not read whole")

    def _spoken_of(self, rules: Sequence[RowRule]) -> list[int]:
        if not rules:
            return []
        counts = ", ".join(
            f"count(*) FILTER (WHERE applies & {1 << place} <> 0)" for place in range(len(rules))
        )
        row = self._connection.execute(f"SELECT {counts} FROM judged").fetchone()
        return [int(count) for count in row or ()]

    def _write_failing(self, contract: Contract, rules: Sequence[RowRule], path: Path) -> None:
        place_of = {name: place for place, name in enumerate(_names(contract), 1)}
        broken = ", ".join(
            f"CASE WHEN broken & {1 << place} <> 0 THEN {{'rule': {rule.rule.pk},"
            f" 'found': CAST({_json(rule.rule.columns, place_of)} AS VARCHAR)}} END"
            for place, rule in enumerate(rules)
        )
        self._connection.execute(
            "COPY (SELECT one.rule, _id, _batch, key, one.found FROM (SELECT _id, _batch,"
            f" CAST({_json(contract.key, place_of)} AS VARCHAR) AS key,"
            f" unnest(list_filter([{broken}], lambda x: x IS NOT NULL)) AS one"
            f" FROM judged WHERE broken <> 0)) TO {literal(str(path))} (FORMAT csv, HEADER false)"
        )

    def _value(self, statement: str) -> int:
        row = self._connection.execute(statement).fetchone()
        return 0 if row is None else int(row[0])


def _parts(rules: Sequence[RowRule]) -> Iterator[Sequence[RowRule]]:
    for start in range(0, len(rules), _AT_ONCE):
        yield rules[start : start + _AT_ONCE]


def needed(contract: Contract, names: Sequence[str]) -> Contract:
    """Return the contract of the key and these columns alone; values are normalised already."""
    wanted = {*contract.key, *names}
    columns = tuple(column for column in contract.columns if column.name in wanted)
    return replace(contract, columns=columns)


def _as_landed(contract: Contract) -> Contract:
    columns = tuple(replace(column, normalise=()) for column in contract.columns)
    return replace(contract, columns=columns)


def _judgement(
    source: str, contract: Contract, rules: Sequence[RowRule], unique: Sequence[QualityRule]
) -> str:
    """SQL that judges every row, and keeps the texts of those that break a rule."""
    names = _names(contract)
    texts = ", ".join(quoted(name) for name in names)
    typed = typed_select(_as_landed(contract), source, carried=f"_id, _batch, {texts}, ")
    same = "".join(
        f", {_hash_of(contract, rule)} AS same_{place}" for place, rule in enumerate(unique)
    )
    return (
        f"CREATE OR REPLACE TABLE judged AS SELECT * EXCLUDE ({texts}),"
        f" CASE WHEN broken <> 0 THEN [{texts}] END AS texts FROM ("
        f"SELECT _id, _batch, {texts}, {_bits([rule.broken for rule in rules])} AS broken,"
        f" {_bits([rule.applies for rule in rules])} AS applies{same}"
        f" FROM ({typed}) AS typed) AS bits"
    )


def _hash_of(contract: Contract, rule: QualityRule) -> str:
    """SQL of a hash of the rule's values, NULL unless all of them are filled."""
    columns = [contract.column(name) for name in rule.columns]
    filled = " AND ".join(f"{text_of(column)} IS NOT NULL" for column in columns)
    return f"CASE WHEN {filled} THEN hash({', '.join(map(value_of, columns))}) END"


def _bits(conditions: Sequence[str]) -> str:
    bits = " + ".join(
        f"CASE WHEN {condition} THEN {1 << place} ELSE 0 END"
        for place, condition in enumerate(conditions)
    )
    return f"CAST({bits or 0} AS BIGINT)"


def _scan(copy: Path, contract: Contract, *, careful: bool) -> str:
    kinds = {"_id": "BIGINT", "_batch": "BIGINT", **dict.fromkeys(_names(contract), "VARCHAR")}
    columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in kinds.items())
    line = _LONG_LINE_BYTES if careful else _LINE_BYTES
    options = [
        "auto_detect = false",
        "header = false",
        f"columns = {{{columns}}}",
        "delim = ','",
        "quote = '\"'",
        "escape = '\"'",
        "new_line = '\\n'",
        f"max_line_size = {line}",
        f"buffer_size = {line + _LINE_BYTES if careful else 4 * line}",
        *(["parallel = false"] if careful else []),
    ]
    return f"read_csv({literal(str(copy))}, {', '.join(options)})"


def _names(contract: Contract) -> list[str]:
    return [column.name for column in contract.columns]


def _json_of(names: Sequence[str]) -> str:
    """SQL of the text of an object of these columns' texts."""
    parts = ", ".join(f"{literal(name)}, {quoted(name)}" for name in names)
    return f"CAST(json_object({parts}) AS VARCHAR)"


def _json(names: Sequence[str], place_of: Mapping[str, int]) -> str:
    """SQL of an object of the kept texts of these columns."""
    parts = ", ".join(f"{literal(name)}, texts[{place_of[name]}]" for name in names)
    return f"json_object({parts})"
