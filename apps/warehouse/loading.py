"""Rows into a data table, set by set, inside one transaction under the table's own lock.

Rows arrive checked and typed. New ones are copied straight in; what replaces or removes rows goes
through a temporary table that the commit drops. Old versions move to the table's past. Statements
take the batch's number as a parameter and join by subject key and `_id` (design §8).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from psycopg import sql

from apps.core.contracts import Contract
from apps.standards.types import postgres_type
from apps.warehouse import physical
from apps.warehouse.models import DataTable

Write = Callable[[bytes], object]
Produce = Callable[[Write], None]


class Loading:
    """The statements of one batch against its table; `horizon` is the batch's `_batch`."""

    def __init__(self, table: DataTable, contract: Contract, horizon: int) -> None:
        self.table = table
        self.contract = contract
        self.horizon = horizon
        self._name = physical.qualified(table.schema, table.name)
        self._past = physical.qualified(table.schema, table.past_name)
        self._columns = [column.name for column in contract.columns]
        self._subject = contract.key[0]

    def add(self, produce: Produce) -> int:
        """Copy new rows in: item columns, `_batch`, `_hash`."""
        return self._copy_in(self._name, [*self._columns, "_batch", "_hash"], produce)

    def index(self) -> bool:
        """Make the table's indexes; False, and none, when a key stands in it twice."""
        if self.table.is_indexed:
            return True
        try:
            with transaction.atomic():
                physical.create_indexes(
                    self.contract, schema=self.table.schema, name=self.table.name
                )
        except IntegrityError:
            return False
        self.table.is_indexed = True
        return True

    def keep_last(self, repeated: Path) -> int:
        """Of rows that share a key keep the one named in `repeated` (key columns, `_hash`)."""
        key = list(self.contract.key)
        self._make_temporary(
            "repeated", [*(self._column(name) for name in key), sql.SQL("_hash bigint")]
        )
        self._copy_file("repeated", [*key, "_hash"], repeated)
        return self._execute(
            sql.SQL(
                "DELETE FROM {table} t USING ("
                " SELECT t.{subject}, t._id, row_number() OVER"
                " (PARTITION BY {keys} ORDER BY t._hash = r._hash DESC, t._id DESC) AS place"
                " FROM {table} t JOIN repeated r ON {same}"
                ") AS ranked"
                " WHERE t.{subject} = ranked.{subject} AND t._id = ranked._id AND place > 1"
            ).format(
                table=self._name,
                subject=sql.Identifier(self._subject),
                keys=sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(k)) for k in key),
                same=self._same_key("t", "r"),
            )
        )

    def write_present(self, path: Path) -> None:
        """Write key columns, `_hash` and `_id` of every row as CSV."""
        self._copy_out(
            sql.SQL("SELECT {}, _hash, _id FROM {}").format(self._key_list(), self._name), path
        )

    def write_present_among(self, keys: Path, path: Path) -> None:
        """Write the same of those rows alone whose keys stand in the file `keys`."""
        key = list(self.contract.key)
        self._make_temporary("asked", [self._column(name) for name in key])
        self._copy_file("asked", key, keys)
        self._execute(sql.SQL("ANALYZE asked"))
        self._copy_out(
            sql.SQL("SELECT {}, t._hash, t._id FROM asked a JOIN {} t ON {}").format(
                self._key_list("t"), self._name, self._same_key("t", "a")
            ),
            path,
        )

    def replace(self, produce: Produce) -> int:
        """Put new versions (`_id`, item columns, `_batch`, `_hash`) in place of old ones."""
        names = ["_id", *self._columns, "_batch", "_hash"]
        self._drop_temporary("arriving")
        self._execute(
            sql.SQL(
                "CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
            ).format(_identifiers(names), self._name)
        )
        count = self._copy_in(sql.Identifier("arriving"), names, produce)
        self._execute(sql.SQL("ANALYZE arriving"))
        self._move_to_past("arriving")
        assignments = sql.SQL(", ").join(
            sql.SQL("{0} = a.{0}").format(sql.Identifier(name))
            for name in [*self._columns, "_batch", "_hash"]
            if name != self._subject  # the distribution column; equal by the join
        )
        self._execute(
            sql.SQL("UPDATE {table} t SET {set} FROM arriving a WHERE {same}").format(
                table=self._name, set=assignments, same=self._same_row("a")
            )
        )
        return count

    def remove(self, produce: Produce) -> int:
        """Move rows (subject, `_id`) to the past."""
        self._make_temporary("leaving", [self._column(self._subject), sql.SQL("_id bigint")])
        count = self._copy_in(sql.Identifier("leaving"), [self._subject, "_id"], produce)
        self._execute(sql.SQL("ANALYZE leaving"))
        self._move_to_past("leaving")
        self._execute(
            sql.SQL("DELETE FROM {} t USING leaving a WHERE {}").format(
                self._name, self._same_row("a")
            )
        )
        return count

    def _move_to_past(self, chosen: str) -> None:
        names = [*self.table.column_names, "_id", "_batch", "_hash"]
        self._execute(
            sql.SQL(
                "INSERT INTO {past} ({names}, _until_batch)"
                " SELECT {values}, {horizon} FROM {table} t JOIN {chosen} a ON {same}"
            ).format(
                past=self._past,
                names=_identifiers(names),
                values=sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(n)) for n in names),
                horizon=sql.Literal(self.horizon),
                table=self._name,
                chosen=sql.Identifier(chosen),
                same=self._same_row("a"),
            )
        )

    def _same_row(self, other: str) -> sql.Composed:
        return sql.SQL("t.{subject} = {other}.{subject} AND t._id = {other}._id").format(
            subject=sql.Identifier(self._subject), other=sql.Identifier(other)
        )

    def _same_key(self, left: str, right: str) -> sql.Composed:
        first, *others = self.contract.key
        parts = [_equal(left, right, first, "=")]
        parts += [_equal(left, right, name, "IS NOT DISTINCT FROM") for name in others]
        return sql.SQL(" AND ").join(parts)

    def _key_list(self, prefix: str = "") -> sql.Composed:
        names = [
            sql.Identifier(prefix, name) if prefix else sql.Identifier(name)
            for name in self.contract.key
        ]
        return sql.SQL(", ").join(names)

    def _column(self, name: str) -> sql.Composed:
        kind = "text" if name == self._subject else postgres_type(self.contract.column(name))
        return sql.SQL("{} {}").format(
            sql.Identifier(name),
            sql.SQL(kind),  # one of a closed set
        )

    def _drop_temporary(self, name: str) -> None:
        self._execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("pg_temp", name)))

    def _make_temporary(self, name: str, columns: Sequence[sql.Composable]) -> None:
        self._drop_temporary(name)
        self._execute(
            sql.SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DROP").format(
                sql.Identifier(name), sql.SQL(", ").join(columns)
            )
        )

    def _execute(self, statement: sql.Composable) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)

    def _copy_in(self, table: sql.Composable, names: Sequence[str], produce: Produce) -> int:
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(
            table, _identifiers(names)
        )
        with connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                produce(copy.write)
            return int(cursor.rowcount)

    def _copy_file(self, name: str, names: Sequence[str], path: Path) -> None:
        def produce(write: Write) -> None:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    write(block)

        self._copy_in(sql.Identifier(name), names, produce)

    def _copy_out(self, select: sql.Composable, path: Path) -> None:
        with connection.cursor() as cursor, path.open("wb") as file:
            statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(select)
            with cursor.copy(statement) as copy:
                for block in copy:
                    file.write(block)


def _equal(left: str, right: str, name: str, operator: str) -> sql.Composed:
    return sql.SQL("{} {} {}").format(
        sql.Identifier(left, name),
        sql.SQL(operator),  # one of two
        sql.Identifier(right, name),
    )


def _identifiers(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
