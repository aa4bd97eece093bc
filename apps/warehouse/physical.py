"""All DDL of data tables, and the only place that knows how they are spread over machines.

A dataset's table `t<id>` lies in its store's schema, with typed item columns and the system
columns `_id` (the row's, for as long as its key is in the table), `_batch` and `_hash`; its twin
`t<id>__past` keeps versions that were superseded or deleted, with `_until_batch`. The business key
is unique and begins with the subject key, `text NOT NULL`, by which Citus distributes the table
where it is installed. No trigger, no foreign key, no default that reads the clock (design §4, §8).

A table is made without its key's index; the first batch loads first and indexes after. Nothing
else writes there, so an unindexed table is an empty one.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.accounts.models import Department
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset, DatasetVersion
from apps.core.contracts import Contract
from apps.core.errors import NotFound
from apps.standards.types import postgres_type
from apps.warehouse import shapes
from apps.warehouse.models import DataTable, Store
from apps.warehouse.rehashing import rehash

SYSTEM_COLUMNS = ("_id", "_batch", "_hash")

OBSTACLES = ("table_shape_changed", "table_key_changed", "grant_cannot_follow")
"""Why a table does not follow its contract until a person does something."""

StandAside = Callable[[DataTable], AbstractContextManager[None]]
_dependents: list[StandAside] = []


def register_dependents(stand_aside: StandAside) -> None:
    """Let a higher app take down what it built on a table while its columns change.

    The context is entered before the change, in its transaction, and left after it: by then the
    app has rebuilt everything, or raised.
    """
    if stand_aside not in _dependents:
        _dependents.append(stand_aside)


@transaction.atomic
def ensure_table(dataset: Dataset, *, at: datetime | None = None) -> DataTable:
    """Return the dataset's table, made or brought up to the published contract. Repeat-safe.

    Raises:
        NotFound: the entry was never published.
        Conflict: the contract changed in a way that the table cannot follow.
    """
    version = catalog.current_version(dataset)
    if version is None:
        raise NotFound(_("目录尚未发布，还不能建表"), code="not_published")
    # The dataset's row is the lock: two first batches, or a batch and a delivery, make one table.
    Dataset.objects.select_for_update(of=("self",), no_key=True).get(pk=dataset.pk)
    table = DataTable.objects.filter(dataset=dataset).first()
    if table is not None and table.version_id == version.pk:
        return table
    if table is not None:
        _follow(table, version)
        return table
    contract = Contract.from_json(version.contract)
    store = ensure_pool(dataset, at=at)
    table = DataTable(
        dataset=dataset,
        store=store,
        schema=store.schema,
        name=f"t{dataset.pk}",
        version=version,
        column_names=[column.name for column in contract.columns],
        created_at=at or timezone.now(),
    )
    create_table(contract, schema=table.schema, name=table.name)
    table.save(force_insert=True)
    return table


def ensure_pool(dataset: Dataset, *, at: datetime | None = None) -> Store:
    """Return the pool of the dataset's department; a merged department keeps several."""
    return pool_of(dataset.department, at=at)


def pool_of(department: Department, *, at: datetime | None = None) -> Store:
    """Return a department's pool, made where it has none."""
    found = Store.objects.filter(department=department).order_by("number").first()
    if found is not None:
        return found
    _run(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(_table_of(Store)))
    found = Store.objects.filter(department=department).order_by("number").first()
    if found is not None:
        return found
    kind = Store.Kind.DEPARTMENT_POOL
    number = 1 + (Store.objects.filter(kind=kind).aggregate(last=Max("number"))["last"] or 0)
    return Store.objects.create(
        kind=kind,
        number=number,
        code=f"pool-{number}",
        name=str(_("%(department)s数据池") % {"department": department.name}),
        schema=f"pool_{number}",
        department=department,
        created_at=at or timezone.now(),
    )


def create_table(contract: Contract, *, schema: str, name: str) -> None:
    """Make the table of a contract and its twin for past versions, closed by row security."""
    _run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    items = [_item_column(contract, column.name) for column in contract.columns]
    _create(
        schema,
        name,
        [
            *items,
            sql.SQL("_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000)"),
            sql.SQL("_batch bigint NOT NULL"),
            sql.SQL("_hash bigint NOT NULL"),
        ],
        contract,
    )
    past = f"{name}__past"
    _create(
        schema,
        past,
        [
            *items,
            sql.SQL("_id bigint NOT NULL"),
            sql.SQL("_batch bigint NOT NULL"),
            sql.SQL("_hash bigint NOT NULL"),
            sql.SQL("_until_batch bigint NOT NULL"),
        ],
        contract,
    )
    _create_index(schema, past, "id", ["_id"])
    _create_index(schema, past, "until", ["_until_batch", "_id"])


def create_indexes(contract: Contract, *, schema: str, name: str) -> None:
    """Make the key unique and the table's pages and feed quick.

    Raises:
        django.db.IntegrityError: a key stands in the table twice.
    """
    key = sql.SQL(", ").join(sql.Identifier(column) for column in contract.key)
    _run(
        sql.SQL("CREATE UNIQUE INDEX {} ON {} ({}) NULLS NOT DISTINCT").format(
            sql.Identifier(f"{name}_key"), qualified(schema, name), key
        )
    )
    _create_index(schema, name, "id", ["_id"])
    _create_index(schema, name, "batch", ["_batch", "_id"])


def qualified(schema: str, name: str) -> sql.Composed:
    return sql.SQL("{}.{}").format(sql.Identifier(schema), sql.Identifier(name))


def _item_column(contract: Contract, name: str) -> sql.Composed:
    column = contract.column(name)
    if name == contract.key[0]:
        return sql.SQL("{} text NOT NULL").format(sql.Identifier(name))
    return sql.SQL("{} {}").format(
        sql.Identifier(name),
        sql.SQL(postgres_type(column)),  # one of a closed set
    )


def _create(schema: str, name: str, columns: list[Any], contract: Contract) -> None:
    table = qualified(schema, name)
    _run(sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(columns)))
    _distribute(schema, name, contract.key[0])
    _run(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))


def _create_index(schema: str, name: str, suffix: str, columns: list[str]) -> None:
    _run(
        sql.SQL("CREATE INDEX {} ON {} ({})").format(
            sql.Identifier(f"{name}_{suffix}"),
            qualified(schema, name),
            sql.SQL(", ").join(sql.Identifier(column) for column in columns),
        )
    )


def _distribute(schema: str, name: str, subject_key: str) -> None:
    """Spread the table over the workers by its subject key, where Citus is installed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        if cursor.fetchone():
            cursor.execute(
                "SELECT create_distributed_table(%s, %s)", [f"{schema}.{name}", subject_key]
            )


def _follow(table: DataTable, version: DatasetVersion) -> None:
    """Bring a table and its twin to another contract, and all that stands on them with it.

    One transaction: whoever reads sees the table before or after. What would change a value, or
    lose one, is refused in words and nothing is done.

    Raises:
        Conflict: the table cannot follow, or something that stands on it cannot.
    """
    contract = Contract.from_json(version.contract)
    steps = shapes.steps(table, contract)
    shapes.require_possible(steps)
    with ExitStack() as aside:
        if any(step.touches_readers for step in steps):
            for stand_aside in _dependents:
                aside.enter_context(stand_aside(table))
        _alter(table, contract, steps)
        table.version = version
        table.save(update_fields=["version", "column_names", "earlier_types"])
        turned = [step.column for step in steps if step.kind in ("retire", "restore")]
        if turned and table.is_indexed:
            rehash(table, contract, turned)


def _alter(table: DataTable, contract: Contract, steps: Sequence[shapes.Step]) -> None:
    parts: list[sql.Composable] = []
    for step in steps:
        if step.kind == "add":
            parts.append(sql.SQL("ADD COLUMN {}").format(_item_column(contract, step.column)))
            table.column_names = [*table.column_names, step.column]
        elif step.kind == "widen":
            parts.append(
                sql.SQL("ALTER COLUMN {} TYPE {}").format(
                    sql.Identifier(step.column), sql.SQL(step.now)
                )
            )
            earlier = table.earlier_types.get(step.column, [])
            table.earlier_types = {
                **table.earlier_types,
                step.column: [*earlier, shapes.of_duckdb(step.was)],
            }
    if not parts:
        return
    for name in (table.name, table.past_name):
        _run(
            sql.SQL("ALTER TABLE {} {}").format(
                qualified(table.schema, name), sql.SQL(", ").join(parts)
            )
        )


def _table_of(model: type[Store]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
