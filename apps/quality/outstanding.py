"""Which rejected records an order still waits for: those of which nothing better has landed since.

A clean file of other records mends none of them. A record counts as mended when a full replacement
landed after it, when the batch that corrects it landed, or when its key stands in the table with
what a later batch brought. One that was sent again just as it stood in the table before brought
nothing, and cannot be told from one that was not sent: the head vouches for it, or it is corrected
in the batch itself.

Source: 《政务数据共享条例》第二十六条; house rule
"""

# ruff: noqa: S608 -- names are quoted by `rules`; values are bound

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final

import duckdb
from django.db import connection
from django.db.models import Max, QuerySet
from psycopg import sql

from apps.core.contracts import Contract
from apps.quality.models import Basis, RuleResult, WorkOrder
from apps.quality.queries.findings import rejections_of
from apps.standards.checks import macros_sql
from apps.standards.types import postgres_type
from apps.warehouse import queries as warehouse
from apps.warehouse.landing import rules
from apps.warehouse.models import Batch, DataTable, Rejection
from apps.warehouse.rejected_file import Mending

BLOCK: Final = 5_000

Key = tuple[str | None, ...]


def outstanding(order: WorkOrder, *, on: date) -> int:
    """Count the rejected records behind an order that nothing has mended yet."""
    table, contract = warehouse.table_of(order.dataset), warehouse.contract_of(order.dataset)
    if table is None or contract is None:
        return 0
    seen: set[Key] = set()
    return sum(
        _left_of(batch, records, table, contract, on, seen) for batch, records in _behind(order)
    )


def _behind(order: WorkOrder) -> Iterator[tuple[Batch, QuerySet[Rejection]]]:
    """Yield the files with records that broke the order's rule since it was opened, newest first.

    What a full replacement followed is mended.
    """
    results = RuleResult.objects.filter(
        rule=order.rule_id,
        basis=Basis.DELIVERED,
        failed__gt=0,
        run__gte=order.opened_by_run_id,
        run__batch__isnull=False,
    ).select_related("run__batch__dataset", "rule")
    replacing = Batch.objects.filter(
        dataset=order.dataset_id, mode=Batch.Mode.SNAPSHOT, status=Batch.Status.LANDED
    ).exclude(details__has_key="quarantined")
    replaced = replacing.aggregate(last=Max("pk"))["last"] or 0
    for result in results.order_by("-run"):
        batch = result.run.batch
        if batch is not None and batch.pk >= replaced:
            yield batch, rejections_of(result).exclude(kind=Rejection.Kind.DUPLICATE)


def _left_of(
    batch: Batch,
    records: QuerySet[Rejection],
    table: DataTable,
    contract: Contract,
    on: date,
    seen: set[Key],
) -> int:
    """Count a file's records that wait, but for those of which a later file has one; add to `seen`.

    A record without a usable key is none that was seen before.
    """
    if batch.rejected and warehouse.mended_rows(batch) >= batch.rejected:
        return 0
    waiting = records.exclude(mended__sent_in__status=Batch.Status.LANDED).order_by("pk")
    mending = Mending(batch, contract)
    found = waiting.iterator(chunk_size=BLOCK)
    left = 0
    while block := list(islice(found, BLOCK)):
        cells = [mending.cells_sent(record) for record in block]
        keys = _settled(contract, [[one[name] for name in contract.key] for one in cells], on)
        fresh = [key for key in dict.fromkeys(keys) if key[0] and key not in seen]
        seen.update(fresh)
        left += sum(not key[0] for key in keys) + len(fresh)
        left -= _landed(table, contract, fresh, after=batch.horizon or 0)
    return left


def _settled(contract: Contract, keys: Sequence[Sequence[str]], on: date) -> list[Key]:
    """Return business keys as the table would hold them, in text."""
    columns = tuple(contract.column(name) for name in contract.key)
    only_key = Contract(contract.dataset_id, contract.code, columns, contract.key)
    asked = ", ".join(f"unnest(?::VARCHAR[]) AS {rules.quoted(c.name)}" for c in columns)
    select = rules.typed_select(only_key, f"(SELECT {asked})")
    values = ", ".join(f"CAST({rules.value_of(column)} AS VARCHAR)" for column in columns)
    with duckdb.connect(config={"threads": 1, "memory_limit": "128MB"}) as engine:
        engine.execute(macros_sql(on=on))
        lists = [list(part) for part in zip(*keys, strict=True)]
        return engine.execute(f"SELECT {values} FROM ({select}) AS typed", lists).fetchall()


def _landed(table: DataTable, contract: Contract, keys: Sequence[Key], *, after: int) -> int:
    """Count the keys that stand in the table with what a batch after that one brought."""
    if not keys:
        return 0
    places = [sql.Identifier(f"key_{place}") for place in range(len(contract.key))]
    matches = []
    for place, name in zip(places, contract.key, strict=True):
        is_subject = name == contract.key[0]
        kind = "text" if is_subject else postgres_type(contract.column(name))
        # The type is one of a closed set.
        matches.append(
            sql.SQL("t.{} {} CAST(given.{} AS {})").format(
                sql.Identifier(name),
                sql.SQL("=" if is_subject else "IS NOT DISTINCT FROM"),
                place,
                sql.SQL(kind),
            )
        )
    statement = sql.SQL(
        "SELECT count(*) FROM unnest({}) AS given ({}) JOIN {} t ON {} AND t._batch > %s"
    ).format(
        sql.SQL(", ").join(sql.SQL("%s::text[]") for _place in places),
        sql.SQL(", ").join(places),
        sql.Identifier(table.schema, table.name),
        sql.SQL(" AND ").join(matches),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*(list(part) for part in zip(*keys, strict=True)), after])
        (count,) = cursor.fetchone()
    return int(count)
