"""How large a table is, how it grew, and what its batches changed."""

from dataclasses import dataclass
from typing import Final

from django.db import connection
from psycopg import sql

from apps.warehouse.models import Batch, DataTable

COUNTED_VERSIONS: Final = 1_000_000
"""Up to so many earlier versions are counted; of more the planner's estimate is told."""


@dataclass(frozen=True, slots=True)
class Size:
    """bytes: rows in force and earlier versions with their indexes, on disk."""

    bytes: int
    versions: int
    is_estimate: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A landed batch: rows in the table after it, and what it moved."""

    batch: Batch
    rows: int

    @property
    def moved(self) -> int:
        """Rows that are new, changed or gone; in mode `delete` what is gone counts as changed."""
        gone = 0 if self.batch.mode == Batch.Mode.DELETE else self.batch.deleted
        return self.batch.landed + self.batch.changed + gone


def size_of(table: DataTable) -> Size:
    """Return what the table takes on disk, and how many earlier versions of rows it keeps."""
    names = [f'"{table.schema}"."{name}"' for name in (table.name, table.past_name)]
    bounded = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS kept").format(
        sql.Identifier(table.schema, table.past_name), sql.Literal(COUNTED_VERSIONS + 1)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)), (SELECT reltuples FROM pg_class"
            " WHERE oid = %s::regclass) FROM unnest(%s::text[]) AS name",
            [names[1], names],
        )
        taken, estimate = cursor.fetchone()
        cursor.execute(bounded)
        (counted,) = cursor.fetchone()
    if counted <= COUNTED_VERSIONS:
        return Size(int(taken), int(counted), is_estimate=False)
    return Size(int(taken), max(int(estimate), int(counted)), is_estimate=True)


def steps_of(table: DataTable, count: int) -> list[Step]:
    """Return the last landed batches, oldest first, with the rows in the table after each."""
    batches = Batch.objects.filter(table=table, horizon__isnull=False).order_by("-horizon")
    rows = table.row_count
    found = []
    for batch in batches[:count]:
        found.append(Step(batch, rows))
        rows -= batch.landed - batch.deleted
    found.reverse()
    return found
