"""Write `_hash` anew for the rows whose value counts no longer, or again, because a column was
retired or restored; the engine that made it makes it.

A row that is the same but for a retired column then still compares as the same.
"""

# ruff: noqa: S608 -- names and literals are quoted by `rules`; no SQL comes from a user

from collections.abc import Sequence
from pathlib import Path

from django.db import connection
from psycopg import sql

from apps.core import files
from apps.core.contracts import Column, Contract
from apps.standards.types import duckdb_type
from apps.warehouse.landing.forms.engine import engine
from apps.warehouse.landing.rules import literal, row_hash, value_of
from apps.warehouse.models import DataTable


def rehash(table: DataTable, contract: Contract, columns: Sequence[str]) -> int:
    """Compute `_hash` again for the rows that have a value in one of the columns; return how many.

    In the caller's transaction; needs room on the disk for those rows as text.
    """
    workplace = files.make_workplace(f"rehash-{table.pk}")
    try:
        rows, hashes = workplace / "rows.csv", workplace / "hashes.csv"
        _write_rows(table, contract, columns, rows)
        _write_hashes(table, contract, rows, hashes)
        return _take_hashes(table, contract, hashes)
    finally:
        files.clear_workplace(workplace)


def _write_rows(table: DataTable, contract: Contract, columns: Sequence[str], target: Path) -> None:
    names = ["_id", *(column.name for column in contract.columns)]
    statement = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.Identifier(table.schema, table.name),
        sql.SQL(" OR ").join(
            sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in columns
        ),
    )
    with (
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
        target.open("wb") as file,
    ):
        for block in copy:
            file.write(block)


def _write_hashes(table: DataTable, contract: Contract, source: Path, target: Path) -> None:
    columns = ", ".join(["'row_id': 'BIGINT'", *(_read_as(column) for column in contract.columns)])
    subject = value_of(contract.subject_key)
    hashed = row_hash(contract, table.column_names, table.earlier_types)
    with engine(target.parent) as duck:
        duck.execute(
            f"COPY (SELECT CAST({subject} AS VARCHAR), row_id, {hashed} FROM"
            f" read_csv({literal(str(source))}, columns = {{{columns}}}, auto_detect = false,"
            " header = false, delim = ',', quote = '\"', escape = '\"', new_line = '\\n',"
            " max_line_size = 33554432, parallel = false))"
            f" TO {literal(str(target))} (FORMAT csv, HEADER false)"
        )


def _read_as(column: Column) -> str:
    name = value_of(column)[1:-1].replace('""', '"')
    return f"{literal(name)}: {literal(duckdb_type(column))}"


def _take_hashes(table: DataTable, contract: Contract, source: Path) -> int:
    subject = sql.Identifier(contract.key[0])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS rehashed")
        cursor.execute(
            "CREATE TEMPORARY TABLE rehashed (subject text, row_id bigint, hash bigint)"
            " ON COMMIT DROP"
        )
        with (
            cursor.copy("COPY rehashed FROM STDIN (FORMAT csv)") as copy,
            source.open("rb") as file,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
        cursor.execute(
            sql.SQL(
                "UPDATE {table} t SET _hash = r.hash FROM rehashed r"
                " WHERE t.{subject} = r.subject AND t._id = r.row_id"
            ).format(table=sql.Identifier(table.schema, table.name), subject=subject)
        )
        return int(cursor.rowcount)
