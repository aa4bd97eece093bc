"""A table that holds what a grant shows, and the cursor up to which it does, in one transaction.

Items keep the type they are read in: texts and codes are text, N and Y decimals, days and moments
dates. Values travel as the portal writes them, so no digit passes through a float.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import mysql
from sqlalchemy.pool import NullPool

KEY = "_id"
DISPUTED = "_disputed"
CHECKPOINTS = "huiliu_checkpoint"
IDS_A_STATEMENT = 500
FETCH_ROWS = 2_000
GREATEST_ID = (1 << 63) - 1
_MYSQL = {"charset": "utf8mb4", "collate": "utf8mb4_bin"}


class Overtaken(Exception):
    """Somebody else went on with the copy meanwhile; what was read is not applied."""


@dataclass(frozen=True)
class Standing:
    """How far a copy is. cursor: "" before the first page; revision: counts what changed it."""

    dataset: str
    grant: tuple[int, int] = (0, 0)  # id, version
    columns: tuple[dict[str, Any], ...] = ()
    cursor: str = ""
    horizon: int = -1
    is_complete: bool = False
    revision: int = 0
    updated_at: str = ""

    @property
    def names(self) -> list[str]:
        return [str(column["name"]) for column in self.columns]

    @property
    def kinds(self) -> list[str]:
        return [str(column["type"]) for column in self.columns]


@dataclass
class Page:
    """A page of changes: what goes, what comes in its place, which marks change."""

    gone: list[int] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    marks: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.gone or self.rows or self.marks)


class Copy:
    """One copy in one database. table: the copy's name there, and of its line of checkpoints."""

    def __init__(self, engine: Engine, table: str, *, dataset: str, schema: str = "") -> None:
        self.engine, self.name, self.dataset = engine, table, dataset
        self.schema = schema or None
        text = sqlalchemy.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
        self._checkpoints = sqlalchemy.Table(
            CHECKPOINTS,
            sqlalchemy.MetaData(),
            sqlalchemy.Column("copy", sqlalchemy.String(190), primary_key=True),
            sqlalchemy.Column("standing", text, nullable=False),
            schema=self.schema,
            **_for_mysql(),
        )

    def standing(self) -> Standing:
        """Return how far the copy is: at nothing the first time, and when its table was removed."""
        self._checkpoints.create(self.engine, checkfirst=True)
        with self.engine.begin() as connection:
            found = self._standing(connection)
            return found if self._exists(connection) else replace(found, cursor="")

    def begin_anew(self, grant: tuple[int, int], columns: Sequence[dict[str, Any]]) -> Standing:
        """Empty the copy and shape it for these columns; nothing of before is left.

        Killed in the middle, it is begun anew again: the cursor is given up first.
        """
        with self.engine.begin() as connection:
            before = self._standing(connection, locked=True)
            self._keep(connection, replace(before, cursor="", horizon=-1, is_complete=False))
        after = Standing(
            self.dataset, grant, tuple(columns), revision=before.revision + 1, updated_at=stamp()
        )
        with self.engine.begin() as connection:
            table = self._table(after)
            if [dict(each) for each in before.columns] == list(columns) and self._exists(
                connection
            ):
                connection.execute(table.delete())
            else:
                table.drop(connection, checkfirst=True)
                table.create(connection)
            self._keep(connection, after)
        return after

    def clear(self) -> None:
        """Take everything out of the copy, as when its grant has ended."""
        with self.engine.begin() as connection:
            before = self._standing(connection, locked=True)
            if before.columns and self._exists(connection):
                connection.execute(self._table(before).delete())
            emptied = Standing(self.dataset, before.grant, before.columns)
            self._keep(connection, replace(emptied, revision=before.revision + 1))

    def apply(self, before: Standing, page: Page, following: Standing) -> Standing:
        """Apply a page that was read from `before`'s cursor, and keep where it leads.

        Raises:
            Overtaken: the copy is not there any more.
        """
        after = replace(following, revision=before.revision + bool(page), updated_at=stamp())
        with self.engine.begin() as connection:
            if self._standing(connection, locked=True) != before:
                raise Overtaken
            self.put(connection, before, page)
            self._keep(connection, after)
        return after

    @contextmanager
    def held(self) -> Iterator[tuple[Connection, Standing]]:
        """Let nobody else change the copy while the block looks at it, or mends it."""
        self._checkpoints.create(self.engine, checkfirst=True)
        with self.engine.begin() as connection:
            yield connection, self._standing(connection, locked=True)

    def put(self, connection: Connection, standing: Standing, page: Page) -> None:
        """Apply the rows of a page; applied twice, it does no harm."""
        table = self._table(standing)
        gone = [*page.gone, *(row[KEY] for row in page.rows)]
        for start in range(0, len(gone), IDS_A_STATEMENT):
            ids = gone[start : start + IDS_A_STATEMENT]
            connection.execute(table.delete().where(table.c[KEY].in_(ids)))
        names = [KEY, *standing.names, DISPUTED]
        if page.rows:
            connection.execute(
                table.insert(), [{name: row[name] for name in names} for row in page.rows]
            )
        for mark in page.marks:
            changed = table.update().where(table.c[KEY] == mark[KEY])
            connection.execute(changed.values({DISPUTED: mark[DISPUTED]}))

    def note_change(self, connection: Connection, standing: Standing) -> None:
        """Count a change that did not come by the feed."""
        changed = replace(standing, revision=standing.revision + 1, updated_at=stamp())
        self._keep(connection, changed)

    def empty_range(
        self, connection: Connection, standing: Standing, first: int, last: int | None
    ) -> None:
        table = self._table(standing)
        connection.execute(table.delete().where(_between(table, first, last)))

    def rows(
        self, connection: Connection, standing: Standing, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[int, list[Any], str | None]]:
        """Yield `_id`, values and mark of the rows between two `_id`s, both included, in order."""
        table = self._table(standing)
        chosen = table.select().where(_between(table, first, last)).order_by(table.c[KEY])
        with connection.execute(chosen.execution_options(yield_per=FETCH_ROWS)) as found:
            for row in found:
                yield int(row[0]), list(row[1:-1]), row[-1]

    def _exists(self, connection: Connection) -> bool:
        return sqlalchemy.inspect(connection).has_table(self.name, schema=self.schema)

    def _standing(self, connection: Connection, *, locked: bool = False) -> Standing:
        kept = self._checkpoints
        asked = sqlalchemy.select(kept.c.standing).where(kept.c.copy == self.name)
        found = connection.execute(asked.with_for_update() if locked else asked).scalar()
        if found is None:
            return Standing(self.dataset)
        facts = json.loads(found)
        facts["grant"], facts["columns"] = tuple(facts["grant"]), tuple(facts["columns"])
        return Standing(**facts)

    def _keep(self, connection: Connection, standing: Standing) -> None:
        kept, facts = self._checkpoints, json.dumps(asdict(standing), ensure_ascii=False)
        same = kept.c.copy == self.name
        changed = connection.execute(kept.update().where(same).values(standing=facts))
        if not changed.rowcount and connection.execute(kept.select().where(same)).first() is None:
            connection.execute(kept.insert().values(copy=self.name, standing=facts))

    def _table(self, standing: Standing) -> sqlalchemy.Table:
        items = [
            sqlalchemy.Column(str(column["name"]), _type_of(column)) for column in standing.columns
        ]
        return sqlalchemy.Table(
            self.name,
            sqlalchemy.MetaData(),
            sqlalchemy.Column(KEY, sqlalchemy.BigInteger(), primary_key=True, autoincrement=False),
            *items,
            sqlalchemy.Column(DISPUTED, sqlalchemy.Text()),
            schema=self.schema,
            **_for_mysql(),
        )


def engine_for(url: sqlalchemy.URL) -> Engine:
    """Return an engine whose transactions on SQLite take the lock when they begin."""
    engine = sqlalchemy.create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _leave_beginning_to_us)
        event.listen(engine, "begin", _begin_at_once)
    return engine


def stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _leave_beginning_to_us(connection: Any, _record: Any) -> None:
    connection.isolation_level = None


def _begin_at_once(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _type_of(column: dict[str, Any]) -> Any:
    long_text = sqlalchemy.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
    kinds: dict[str, Any] = {
        "N": sqlalchemy.Numeric(column["digits"], column["scale"]),
        "Y": sqlalchemy.Numeric(column["digits"], column["scale"]),
        "D": sqlalchemy.Date(),
        "T": sqlalchemy.DateTime(),
        "L": sqlalchemy.Boolean(),
        "I": sqlalchemy.BigInteger(),
        "B": sqlalchemy.Double(),
        "F": sqlalchemy.Double(),
    }
    kind = kinds.get(column["type"], long_text)
    if column["type"] in ("N", "Y", "D", "T"):  # SQLite has neither decimals nor days
        return kind.with_variant(sqlalchemy.Text(), "sqlite")
    return kind


def _between(table: sqlalchemy.Table, first: int, last: int | None) -> Any:
    key = table.c[KEY]
    return key.between(first, GREATEST_ID if last is None else last)


def _for_mysql() -> dict[str, Any]:
    kinds = ("mysql", "mariadb")
    return {f"{kind}_{name}": value for kind in kinds for name, value in _MYSQL.items()}
