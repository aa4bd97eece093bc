"""One record of a data table as its owner has it: what it holds, who landed it, what it became.

For the provider's own work on corrections; consumers read through the view of their grant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.accounts.models import Department
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset, Duplicate, SourceDesignation
from apps.core.contracts import Column, Contract
from apps.standards.types import postgres_type
from apps.warehouse import queries as warehouse
from apps.warehouse.models import Batch, DataTable

NAMED_BY_BATCH: Final = _("该记录由其提交的批次 %(batch)s 入库")
NAMED_BY_DESIGNATION: Final = _("数源认定：%(subject)s")
NAMED_AS_PROVIDER: Final = _("目录的提供部门")


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A record that stands in the table; `values` as text by column, None for no value."""

    row_id: int
    batch: int
    values: Mapping[str, str | None]


def standing_row(table: DataTable, row_id: int) -> StandingRow | None:
    """Return the record of that `_id`; None when it left the table."""
    return _read(table, sql.SQL("_id = %s"), [row_id])


def row_by_key(table: DataTable, contract: Contract, key: Mapping[str, str]) -> StandingRow | None:
    """Return the record of that business key, its values given as the table holds them."""
    parts: list[sql.Composable] = []
    values: list[Any] = []
    for name in contract.key:
        comparison, bound = _equals(contract, contract.column(name), key.get(name) or "")
        parts.append(comparison)
        values += bound
    return _read(table, sql.SQL(" AND ").join(parts), values)


def batch_holding(table: DataTable, contract: Contract, row_id: int, item: str, value: str) -> int:
    """Return the table's `_batch` of the record if it holds that value in that item, else 0."""
    comparison, bound = _equals(contract, contract.column(item), value)
    row = _read(table, sql.SQL("_id = %s AND {}").format(comparison), [row_id, *bound])
    return row.batch if row is not None else 0


def batch_that_removed(table: DataTable, row_id: int) -> int:
    """Return the `_until_batch` with which the record left the table; 0 while it stands."""
    statement = sql.SQL(
        "SELECT max(_until_batch) FROM {past} WHERE _id = %s"
        " AND NOT EXISTS (SELECT FROM {now} WHERE _id = %s)"
    ).format(
        past=sql.Identifier(table.schema, table.past_name),
        now=sql.Identifier(table.schema, table.name),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [row_id, row_id])
        found = cursor.fetchone()
    return int(found[0] or 0) if found else 0


def batch_numbered(table: DataTable, horizon: int) -> Batch | None:
    """Return the batch that drew this number of the table."""
    return Batch.objects.filter(table=table, horizon=horizon).select_related("source").first()


def who_verifies(
    dataset: Dataset, *, on: date, item: str = "", row: StandingRow | None = None
) -> tuple[Department, str]:
    """Return the department that a doubt goes to, and by what it was found.

    Who landed the record, where that is another than the provider; else the source department that
    the authority designated for the item or the dataset; else the provider.

    Source: 《政务数据共享条例》第十九条、第二十六条
    """
    by_batch = _landed_by(dataset, row)
    if by_batch is not None:
        return by_batch
    designation = _designation(dataset, item, on)
    if designation is not None:
        words = str(NAMED_BY_DESIGNATION) % {"subject": designation.subject}
        return designation.department, words
    return dataset.department, str(NAMED_AS_PROVIDER)


def _landed_by(dataset: Dataset, row: StandingRow | None) -> tuple[Department, str] | None:
    table = warehouse.table_of(dataset)
    if row is None or table is None:
        return None
    batch = batch_numbered(table, row.batch)
    source = batch.source.department if batch is not None else None
    if batch is None or source is None or source.valid_to is not None:
        return None
    if source.pk == dataset.department_id:
        return None
    return source, str(NAMED_BY_BATCH) % {"batch": batch}


def _designation(dataset: Dataset, item: str, on: date) -> SourceDesignation | None:
    """The designation of the item's data element, or of the entry by a decided duplicate."""
    in_force = catalog.designations_of(dataset, on=on).filter(department__valid_to=None)
    if item:
        elements = dataset.items.filter(column_name=item).exclude(data_element=None)
        by_item = in_force.filter(data_element__in=elements.values("data_element")).first()
        if by_item is not None:
            return by_item
    decided = Duplicate.objects.filter(status="source_named", first=dataset) | (
        Duplicate.objects.filter(status="source_named", second=dataset)
    )
    return in_force.filter(pk__in=decided.values("designation")).first()


def _equals(contract: Contract, column: Column, value: str) -> tuple[sql.Composable, list[str]]:
    """A condition that an index can serve, and what it binds; "" is no value."""
    name = sql.Identifier(column.name)
    if not value:
        return sql.SQL("{} IS NULL").format(name), []
    kind = "text" if column.name == contract.key[0] else postgres_type(column)
    # The type is one of a closed set.
    return sql.SQL("{} = CAST(%s AS {})").format(name, sql.SQL(kind)), [value]


def _read(table: DataTable, where: sql.Composable, values: list[Any]) -> StandingRow | None:
    columns = sql.SQL(", ").join(
        sql.SQL("{}::text").format(sql.Identifier(name)) for name in table.column_names
    )
    statement = sql.SQL("SELECT _id, _batch, {} FROM {} WHERE {} LIMIT 1").format(
        columns, sql.Identifier(table.schema, table.name), where
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found = cursor.fetchone()
    if found is None:
        return None
    return StandingRow(found[0], found[1], dict(zip(table.column_names, found[2:], strict=True)))
