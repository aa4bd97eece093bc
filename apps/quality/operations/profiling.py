"""Draw the columns of tables that changed, after their checks."""

import logging
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from psycopg import sql

from apps.catalog.models import DataItem, Dataset
from apps.core import files
from apps.core.contracts import Contract
from apps.quality.judging import needed
from apps.quality.models import ColumnProfile, QualityRun
from apps.quality.profiling import Profiler
from apps.quality.queries.runs import runs_to_profile
from apps.quality.set_rules import place_of
from apps.warehouse import queries as warehouse
from apps.warehouse.models import DataTable

logger = logging.getLogger(__name__)


def profile_due(*, at: datetime) -> int:
    """Profile every table that changed since it was profiled last; return how many.

    Apart from the checks, which must be quick after a batch; repeat-safe, and two workers at
    once do the work twice but keep it once.
    """
    done = 0
    for run in runs_to_profile().select_related("dataset"):
        try:
            profile(run=run, at=at)
        except Exception:
            logger.exception("profile of quality run %s", run.pk)  # the others are not kept waiting
            continue
        done += 1
    return done


def profile(*, run: QualityRun, at: datetime) -> list[ColumnProfile]:
    """Draw the columns of the run's table as it stands now, and keep them with the run.

    Values of personal, sensitive or masked columns are not kept: their shapes and counts are.

    Source: GB/T 45574-2025 (敏感个人信息处理)
    """
    table = warehouse.table_of(run.dataset)
    if table is None:
        return []
    contract = Contract.from_json(table.version.contract)
    present = needed(contract, [name for name in table.column_names if name in _names(contract)])
    workplace = files.make_workplace(f"profile-{run.pk}")
    try:
        copy = workplace / "rows.csv"
        _copy_out(table, present, copy)
        withheld = _withheld(run.dataset, present)
        with Profiler(copy, present, withheld=withheld, workplace=workplace) as profiler:
            profiles = profiler.profile(run)
    finally:
        files.clear_workplace(workplace)
    with transaction.atomic():
        QualityRun.objects.select_for_update().get(pk=run.pk)
        ColumnProfile.objects.filter(run=run).delete()
        ColumnProfile.objects.bulk_create(profiles)
        QualityRun.objects.filter(pk=run.pk).update(profiled_at=at)
    return profiles


def _names(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns}


def _withheld(dataset: Dataset, contract: Contract) -> set[str]:
    """Columns that say something about a person, or that grants cover, or the key itself."""
    personal = DataItem.objects.filter(dataset=dataset, personal=True)
    names = set(personal.values_list("column_name", flat=True))
    if dataset.contains_personal:
        names.add(contract.key[0])
    checks = {"identity_number", "mobile"}
    return names | {
        column.name
        for column in contract.columns
        if column.sensitive or column.mask or column.check in checks
    }


def _copy_out(table: DataTable, contract: Contract, path: Path) -> None:
    names = sql.SQL(", ").join(
        sql.SQL("{}::text" if column.type == "L" else "{}").format(sql.Identifier(column.name))
        for column in contract.columns
    )
    statement = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv)").format(
        names, place_of(table)
    )
    with (
        connection.cursor() as cursor,
        path.open("wb") as file,
        cursor.copy(statement) as copy,
    ):
        file.writelines(copy)
