"""What is asked of stores, tables and batches."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from psycopg import sql

from apps.accounts.models import Department, User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.contracts import Contract
from apps.warehouse.models import (
    Batch,
    DataTable,
    FileProposal,
    FrontNode,
    MendedRecord,
    NoChange,
    ProposalRun,
    PullRun,
    PullSource,
    Rejection,
    StoredFile,
    Upload,
)

LEASE = timedelta(seconds=30)
"""A worker beats once a second; one that was silent for so long is dead, or is fenced out."""
LOST_AFTER = timedelta(minutes=15)
OPEN = (Batch.Status.RECEIVED, Batch.Status.CHECKING)


@dataclass(frozen=True)
class ReasonCount:
    """How many records one reason kept out; `column` and `label` are empty for whole records."""

    code: str
    column: str
    label: str
    count: int


def table_of(dataset: Dataset) -> DataTable | None:
    """Return the dataset's table, if one was made."""
    return DataTable.objects.filter(dataset=dataset).first()


def contract_of(dataset: Dataset) -> Contract | None:
    """Return the contract of the version in force; None where there is none."""
    version = catalog.current_version(dataset)
    return None if version is None else Contract.from_json(version.contract)


def landing_places(actor: User, at: datetime) -> QuerySet[Dataset]:
    """Return the datasets whose landing the person may see: published, or with a table."""
    seen = access.rows(actor, "view_landing", Dataset, at=at)
    published = catalog.published().values("pk")
    return seen.filter(Q(pk__in=published) | Q(data_table__isnull=False))


def last_batches(datasets: Iterable[Dataset]) -> dict[int, Batch]:
    """Return the latest batch of each of the datasets, by the dataset's key."""
    latest = (
        Batch.objects.filter(dataset__in=[dataset.pk for dataset in datasets])
        .order_by("dataset_id", "-id")
        .distinct("dataset_id")
    )
    return {batch.dataset_id: batch for batch in latest}


def reasons_of(batch: Batch) -> list[ReasonCount]:
    """Count the batch's rejections by item and reason, the commonest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reason->>'code', reason->>'column', max(reason->>'label'), count(*)"
            " FROM warehouse_rejection, jsonb_array_elements(reasons) AS reason"
            " WHERE batch_id = %s GROUP BY 1, 2 ORDER BY 4 DESC, 1, 2 LIMIT 50",
            [batch.pk],
        )
        return [ReasonCount(*row) for row in cursor.fetchall()]


def is_mendable(batch: Batch) -> bool:
    """Say whether rejected records can be handed in by themselves: the others have landed."""
    return batch.status == Batch.Status.LANDED and batch.rejected > 0


def to_mend(batch: Batch) -> QuerySet[Rejection]:
    """Return the rejected records that no batch has taken along, in the order of the file.

    What a batch took along that was refused is to be handed in again.
    """
    back = (Batch.Status.REFUSED, Batch.Status.FAILED)
    return (
        Rejection.objects.filter(batch=batch, released_by=None)
        .exclude(kind=Rejection.Kind.DUPLICATE)
        .filter(Q(mended=None) | Q(mended__sent_in=None) | Q(mended__sent_in__status__in=back))
        .select_related("mended")
        .order_by("record_number")
    )


def drafts_of(batch: Batch) -> QuerySet[MendedRecord]:
    """Return the mended records that wait to be handed in."""
    return (
        MendedRecord.objects.filter(rejection__in=to_mend(batch).order_by().values("pk"))
        .select_related("rejection")
        .order_by("rejection__record_number")
    )


def mended_along(batch: Batch) -> list[Batch]:
    """Return the batch that this one mends, the one which that one mends, and so on."""
    found = []
    while batch.mends is not None:
        batch = batch.mends
        found.append(batch)
    return found


def mended_rows(batch: Batch) -> int:
    """Count the rejected records that have landed since, in whatever batch that mends this one."""
    landed, level = 0, [batch.pk]
    while level:
        later = list(Batch.objects.filter(mends__in=level, status=Batch.Status.LANDED))
        landed += sum(each.landed + each.changed + each.unchanged for each in later)
        level = [each.pk for each in later]
    return min(landed, batch.rejected)


def landed_since(batch: Batch) -> QuerySet[Batch]:
    """Return the batches that landed in the same dataset after this one and do not mend any."""
    return Batch.objects.filter(
        dataset=batch.dataset_id, pk__gt=batch.pk, status=Batch.Status.LANDED, mends=None
    )


def batches_of(dataset: Dataset) -> QuerySet[Batch]:
    """Return the dataset's batches, latest first."""
    return Batch.objects.filter(dataset=dataset).select_related("source", "file").order_by("-id")


def open_uploads_of(dataset: Dataset) -> QuerySet[Upload]:
    """Return the files of the dataset that were begun and are not whole yet, latest first."""
    return Upload.objects.filter(dataset=dataset, status=Upload.Status.OPEN).select_related(
        "source"
    )


def due(at: datetime) -> QuerySet[Batch]:
    """Return the batches to land, oldest first: waiting, or left by a worker that died.

    One waits until every earlier one of its dataset is over: a later file must not be overwritten
    by an older one that took longer to check.
    """
    waiting = Q(status=Batch.Status.RECEIVED)
    left = Q(status=Batch.Status.CHECKING, heartbeat_at__lt=at - LEASE)
    earlier = Batch.objects.filter(
        dataset=OuterRef("dataset"), pk__lt=OuterRef("pk"), status__in=OPEN
    )
    return Batch.objects.filter(waiting | left).exclude(Exists(earlier)).order_by("id")


def proposals_due(at: datetime) -> QuerySet[ProposalRun]:
    """Return the files to read for a draft, oldest first: waiting, or left by a dead worker."""
    left = Q(status=ProposalRun.Status.READING, heartbeat_at__lt=at - LEASE)
    return ProposalRun.objects.filter(Q(status=ProposalRun.Status.WAITING) | left).order_by("id")


def proposals_under_way(at: datetime) -> int:
    """Return how many files are being read for a draft by workers that live."""
    reading = ProposalRun.objects.filter(status=ProposalRun.Status.READING)
    return reading.filter(heartbeat_at__gte=at - LEASE).count()


def file_of_department(department: Department | None, sha256: str) -> StoredFile | None:
    """Return the file of this digest if the department handed it in, by whatever way."""
    batches = Batch.objects.filter(file=OuterRef("pk"), dataset__department=department)
    runs = ProposalRun.objects.filter(file=OuterRef("pk"), department=department)
    drafts = FileProposal.objects.filter(file=OuterRef("pk"), dataset__department=department)
    files = StoredFile.objects.filter(sha256=sha256, discarded_at=None)
    return files.filter(Exists(batches) | Exists(runs) | Exists(drafts)).first()


@dataclass(frozen=True)
class SourceLine:
    """A source with its last reading; `heartbeat_at`: when it was last heard of at all.

    last_error: why the latest reading failed, in words; empty when it did not.
    """

    source: Any
    run: Any
    heartbeat_at: datetime | None
    last_error: str
    is_overdue: bool


def source_lines(sources: Iterable[PullSource], at: datetime) -> list[SourceLine]:
    """Return each of the sources with what became of its last reading."""
    rows = list(sources)
    latest = PullRun.objects.filter(source__in=[row.pk for row in rows])
    latest = latest.order_by("source_id", "-id").distinct("source_id").select_related("batch")
    runs = {run.source_id: run for run in latest}
    return [_source_line(row, runs.get(row.pk), at) for row in rows]


def _source_line(source: PullSource, run: PullRun | None, at: datetime) -> SourceLine:
    failed = run is not None and run.status in (PullRun.Status.FAILED, PullRun.Status.REFUSED)
    is_overdue = (
        source.status == PullSource.Status.ACTIVE
        and source.next_run_at is not None
        and source.next_run_at < at - 5 * LEASE
    )
    heard = None if run is None else run.ended_at or run.heartbeat_at
    return SourceLine(source, run, heard, run.message if run and failed else "", is_overdue)


@dataclass(frozen=True)
class NodeLine:
    """A front node; `is_lost` when it was not heard of for a quarter of an hour."""

    node: FrontNode
    is_lost: bool


def node_lines(nodes: QuerySet[FrontNode], at: datetime) -> list[NodeLine]:
    """Return the front nodes, those heard of last at the end, a hundred at most."""
    rows = nodes.select_related("system__department").order_by("heartbeat_at")[:100]
    return [NodeLine(node, node.heartbeat_at < at - LOST_AFTER) for node in rows]


def runs_of(source: PullSource) -> QuerySet[PullRun]:
    """Return the readings of the source, latest first."""
    return PullRun.objects.filter(source=source).select_related("batch").order_by("-id")


OPEN_RUNS = (PullRun.Status.READING, PullRun.Status.HANDED_IN)


def open_runs() -> QuerySet[PullRun]:
    """Return the readings that are not over."""
    return PullRun.objects.filter(status__in=OPEN_RUNS).order_by("id")


def open_run(source: PullSource) -> PullRun | None:
    """Return the reading of the source that is not over; there is at most one."""
    return open_runs().filter(source=source).first()


def due_sources(at: datetime) -> QuerySet[PullSource]:
    """Return the sources to read now, the longest overdue first."""
    return (
        PullSource.objects.filter(status=PullSource.Status.ACTIVE, next_run_at__lte=at)
        .exclude(Exists(open_runs().filter(source=OuterRef("pk"))))
        .select_related("dataset__department", "system__service_user")
        .order_by("next_run_at", "id")
    )


def landed_tables() -> QuerySet[DataTable]:
    """Return the tables in which any batch ever landed."""
    return DataTable.objects.filter(batch_counter__gt=0)


def has_landed(dataset: Dataset) -> bool:
    """Say whether any batch of the dataset ever landed."""
    return landed_tables().filter(dataset=dataset).exists()


def changing_batches(dataset: Dataset, begin: date, end: date) -> QuerySet[Batch]:
    """Return the batches that changed the dataset's rows on these days, both included."""
    moved = Q(landed__gt=0) | Q(changed__gt=0) | Q(deleted__gt=0)
    return Batch.objects.filter(
        moved,
        dataset=dataset,
        status=Batch.Status.LANDED,
        finished_at__date__gte=begin,
        finished_at__date__lte=end,
    )


def confirmations_of(dataset: Dataset) -> QuerySet[NoChange]:
    """Return the periods in which the dataset was confirmed unchanged, latest first."""
    return NoChange.objects.filter(dataset=dataset).select_related("confirmed_by")


def unconfirmed_from(dataset: Dataset, today: date) -> date | None:
    """Return the first day that neither a batch nor a confirmation covers.

    None when nothing ever landed, or when all days up to today are covered.
    """
    last = (
        Batch.objects.filter(
            dataset=dataset, status__in=(Batch.Status.LANDED, Batch.Status.UNCHANGED)
        )
        .order_by("-id")
        .values_list("finished_at", flat=True)
        .first()
    )
    if last is None:
        return None
    confirmed = confirmations_of(dataset).values_list("period_to", flat=True).first()
    covered = max(timezone.localdate(last), confirmed or date.min)
    return covered + timedelta(days=1) if covered < today else None


def last_applied(table: DataTable) -> Batch | None:
    """Return the batch that last changed the table."""
    return Batch.objects.filter(table=table, horizon__isnull=False).order_by("-horizon").first()


def state_as_of(
    table: DataTable, horizon: int, columns: Sequence[str] | None = None
) -> list[tuple[Any, ...]]:
    """Return the table's rows as they stood right after the batch that drew `horizon`, by `_id`.

    For the provider's own history of batches; consumers read through the view of their grant.
    """
    names = sql.SQL(", ").join(
        sql.Identifier(name) for name in (columns or ["_id", *table.column_names])
    )
    statement = sql.SQL(
        "SELECT {names} FROM ("
        " SELECT {names}, _id AS position FROM {now} WHERE _batch <= %(horizon)s"
        " UNION ALL"
        " SELECT {names}, _id AS position FROM {past}"
        " WHERE _batch <= %(horizon)s AND _until_batch > %(horizon)s"
        ") AS state ORDER BY position"
    ).format(
        names=names,
        now=sql.Identifier(table.schema, table.name),
        past=sql.Identifier(table.schema, table.past_name),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"horizon": horizon})
        return list(cursor.fetchall())


def versions_of_row(table: DataTable, row_id: int) -> list[dict[str, Any]]:
    """Return every version of a row, oldest first, with the batches between which it stood."""
    names = sql.SQL(", ").join(sql.Identifier(name) for name in table.column_names)
    statement = sql.SQL(
        "SELECT {names}, _batch, _until_batch FROM {past} WHERE _id = %(id)s"
        " UNION ALL SELECT {names}, _batch, NULL FROM {now} WHERE _id = %(id)s"
        " ORDER BY _batch"
    ).format(
        names=names,
        now=sql.Identifier(table.schema, table.name),
        past=sql.Identifier(table.schema, table.past_name),
    )
    keys = [*table.column_names, "_batch", "_until_batch"]
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": row_id})
        return [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]
