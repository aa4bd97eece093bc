"""One attempt at one batch: prepare it outside the table's lock, apply it inside."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from apps.core.contracts import Contract
from apps.core.errors import Conflict
from apps.core.workbooks.refusal import Refusal
from apps.warehouse import added_rules, physical, queries
from apps.warehouse.arriving import Arrived, arrived
from apps.warehouse.balance import Counts, TooDirty, require_done
from apps.warehouse.heartbeat import LandingHeartbeat
from apps.warehouse.landing.arrivals import Arrivals, Write
from apps.warehouse.landing.difference import Difference
from apps.warehouse.landing.reader import Reader
from apps.warehouse.landing.resent import NotTold, Resent
from apps.warehouse.landing.rewriting import Rewritten
from apps.warehouse.landing.rules import Rule
from apps.warehouse.landing.survey import Survey, survey
from apps.warehouse.loading import Loading
from apps.warehouse.models import Batch, DataTable
from apps.warehouse.rejecting import keep_rejections
from apps.warehouse.since_last import difference_since, is_judged_alike, judged_by

Mode = Batch.Mode
Stage = Batch.Stage

# A file with fewer rows than this share of the table asks the table instead of reading it out.
_FEW = 0.2


class Application:
    """A batch on its way into its table; a context manager that frees what it opened."""

    def __init__(
        self, batch: Batch, heartbeat: LandingHeartbeat, workplace: Path, at: datetime
    ) -> None:
        self.batch = batch
        self._heartbeat = heartbeat
        self._workplace = workplace
        self._at = at
        self._open = ExitStack()
        self.table: DataTable
        self.contract: Contract
        self.file: Arrived
        self.arrivals: Arrivals
        self.added: list[Rule] = []
        self.counts = Counts(0)
        self.rewritten: list[Rewritten] = []
        self.is_unchanged = False
        self.is_quarantined = False
        self.same_lines = 0
        self._last: Batch | None = None
        self._difference: Difference | None = None
        self._counted: Arrivals | None = None
        self._counting: Future[list[Rewritten]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def survey(self) -> Survey:
        return self.file.survey

    def prepare(self) -> None:
        """Make the table if need be, survey the file and match its header.

        Raises:
            Refusal: the file as a whole cannot land.
        """
        try:
            self.table = physical.ensure_table(self.batch.dataset, at=self._at)
        except Conflict as obstacle:
            if obstacle.code not in physical.OBSTACLES:
                raise  # it will pass; the batch is taken again
            raise Refusal(str(obstacle), code=obstacle.code, **obstacle.details) from obstacle
        self.contract = Contract.from_json(self.table.version.contract)
        today = timezone.localdate(self._at)
        self.added = added_rules.of_batch(self.batch, self.contract, on=today)
        self._last = self._judged_alike()
        self.is_unchanged = self._is_same_as(self._last)
        if self.is_unchanged:
            return
        self.file = arrived(self.batch, self.contract, self._workplace)
        self._heartbeat.expect(self.survey.record_count, self.batch.file.size_bytes)
        if self._last is not None:
            self._difference = difference_since(
                self._last, self.batch, self.table, self.file, self.contract, self._workplace
            )
        self.arrivals = Arrivals(
            self._reader(self.survey),
            self.contract,
            column_order=self.table.column_names,
            earlier_types=self.table.earlier_types,
            only_key=self.batch.mode == Mode.DELETE,
            added=self.added,
        )

    def apply(self) -> None:
        """Change the table, in the caller's transaction; `counts` says what happened.

        Raises:
            Refusal: too much was rejected, or the numbers do not agree.
        """
        if self.is_unchanged:
            return
        self.table = DataTable.objects.select_for_update(of=("self",)).get(pk=self.table.pk)
        last = self._judged_alike()
        self.is_unchanged = self._is_same_as(last)
        if self.is_unchanged:
            return
        if last != self._last:  # another batch came between
            self._difference = None
        loading = Loading(self.table, self.contract, self.table.batch_counter + 1)
        is_first = not self.table.is_indexed and not self.survey.faults
        if is_first and self.batch.mode != Mode.DELETE:
            self.counts = self._load_first(loading)
        else:
            self.counts = self._merge_difference(loading) or self._merge(loading)
        self.counts.require_balance()
        keep_rejections(self.batch, self.arrivals)
        self.rewritten = self._counting.result() if self._counting else []
        self._note_on_table(loading.horizon)

    def analyse(self) -> None:
        """Let the planner know the table; after the commit, so that nobody waits for it."""
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("ANALYZE {}").format(physical.qualified(self.table.schema, self.table.name))
            )

    def _reader(self, text: Survey) -> Reader:
        day = timezone.localdate(self._at)
        reader = Reader(text, self.file.columns, workplace=self._workplace, on=day)
        return self._open.enter_context(reader)

    def _judged_alike(self) -> Batch | None:
        """Return the table's last applied batch, if what judged it would judge this one."""
        last = queries.last_applied(self.table)
        if last is None:
            return None
        day = timezone.localdate(self._at)
        alike = is_judged_alike(last, self.batch, self.table, self.added, on=day)
        return last if alike else None

    def judged_by(self) -> dict[str, Any]:
        """Return what tells whether the same file would be judged alike another time."""
        return judged_by(self.batch, self.added, on=timezone.localdate(self._at))

    def _is_same_as(self, last: Batch | None) -> bool:
        return last is not None and (last.file_id, last.mode) == (
            self.batch.file_id,
            self.batch.mode,
        )

    def _load_first(self, loading: Loading) -> Counts:
        """Stream sound rows into the empty table and index it; look back only if numbers differ."""
        self._heartbeat.enter(Stage.LOADING)
        streamed = loading.add(
            self._metered(lambda write: self.arrivals.stream_sound(loading.horizon, write))
        )
        if streamed < self.survey.record_count - len(self.arrivals.unreadable):
            streamed += loading.add(
                self._metered(lambda write: self.arrivals.stream_rewritten(loading.horizon, write))
            )
            self._count_rewritten(self.arrivals)
        unsound = self.arrivals.collect_unsound(streamed)
        rejected = unsound + len(self.arrivals.unreadable)
        self._refuse_too_dirty(rejected, quarantined=self.arrivals.quarantined())
        duplicate = 0
        if not loading.index():
            self.arrivals.take_sound_keys()
            repeated = self._workplace / "repeated.csv"
            duplicate = self.arrivals.write_repeated_keys(repeated)
            if loading.keep_last(repeated) != duplicate or not loading.index():
                raise Refusal(_("文件内重复的主键未能去重，整批不予入库"), code="unbalanced")
        return Counts(
            declared=self.survey.record_count,
            landed=streamed - duplicate,
            duplicate=duplicate,
            rejected=rejected,
        )

    def _merge_difference(self, loading: Loading) -> Counts | None:
        """Merge only the lines that the last batch's file had not; None where that cannot be told.

        What normalising changed is counted in the whole file if it changed anything of the last.
        """
        if self._difference is None or self._last is None:
            return None
        whole = self.arrivals
        text = survey(self._difference.ahead, workplace=self._workplace)
        self.arrivals = Resent(self._reader(text), whole, self._difference)
        counted = whole if self._last.normalisations.exists() else self.arrivals
        try:
            counts = self._merge(loading, counted)
        except NotTold:
            self.arrivals = whole
            return None
        self.same_lines = self._difference.same
        return counts

    def _merge(self, loading: Loading, counted: Arrivals | None = None) -> Counts:
        """Compare keys and hashes with the table's and send only what differs.

        counted: in which rows to count what normalising changed, if not in those that are merged.
        """
        self._heartbeat.enter(Stage.CHECKING)
        self._count_rewritten(counted or self.arrivals)
        unsound = self.arrivals.take()
        self.arrivals.keep_unsound(unsound)
        rejected = unsound + len(self.arrivals.unreadable)
        quarantined = self.arrivals.quarantined()
        self._refuse_too_dirty(rejected, quarantined=quarantined)
        self._heartbeat.enter(Stage.COMPARING)
        present = self._workplace / "present.csv"
        if isinstance(self.arrivals, Resent) or self._is_small():
            asked = self._workplace / "asked.csv"
            self.arrivals.write_keys(asked)
            loading.write_present_among(asked, present)
        else:
            loading.write_present(present)
        found = self.arrivals.compare(present)
        self._heartbeat.enter(Stage.LOADING)
        counts = Counts(
            declared=self.survey.record_count,
            landed=found.new,
            changed=found.changed,
            unchanged=found.same,
            duplicate=found.duplicate,
            rejected=rejected,
        )
        match self.batch.mode:
            case Mode.DELETE:
                return self._delete(loading, counts)
            case Mode.APPEND:
                return self._append(loading, counts, quarantined=quarantined)
            case Mode.SNAPSHOT:
                return self._snapshot(loading, counts)
            case _:
                return self._upsert(loading, counts)

    def _count_rewritten(self, counted: Arrivals) -> None:
        """Begin to count what normalising changed, beside what keeps only one core busy."""
        if counted is self._counted:
            return  # it goes on since a first try to merge
        self._counted = counted
        beside = self._open.enter_context(ThreadPoolExecutor(1, "landing-rewritten"))
        self._counting = beside.submit(counted.rewritten)

    def _is_small(self) -> bool:
        """Say whether it is quicker to ask the table for the file's keys than to read all of it."""
        few = _FEW * self.table.row_count
        return self.batch.mode != Mode.SNAPSHOT and self.survey.record_count < few

    def _delete(self, loading: Loading, counts: Counts) -> Counts:
        """Take the named rows out; a name that is not in the table changes nothing."""
        found = counts.changed + counts.unchanged
        removed = loading.remove(self._metered(self.arrivals.stream_found))
        require_done(removed, found)
        return replace(counts, landed=0, changed=found, unchanged=counts.landed, deleted=removed)

    def _append(self, loading: Loading, counts: Counts, *, quarantined: int) -> Counts:
        """Add new rows; a key that is there with other content is rejected, not overwritten."""
        self.arrivals.refuse_changed()
        rejected = counts.rejected + counts.changed
        self._refuse_too_dirty(rejected, quarantined=quarantined)
        self._add(loading, counts.landed)
        return replace(counts, changed=0, rejected=rejected)

    def _upsert(self, loading: Loading, counts: Counts) -> Counts:
        if counts.changed:
            produce = self._metered(
                lambda write: self.arrivals.stream_changed(loading.horizon, write)
            )
            require_done(loading.replace(produce), counts.changed)
        self._add(loading, counts.landed)
        return counts

    def _snapshot(self, loading: Loading, counts: Counts) -> Counts:
        # A file so dirty that it is quarantined does not prove that what it lacks is gone.
        missing = 0 if self.is_quarantined else self.arrivals.missing()
        if missing:
            require_done(loading.remove(self._metered(self.arrivals.stream_missing)), missing)
        return replace(self._upsert(loading, counts), deleted=missing)

    def _add(self, loading: Loading, new: int) -> None:
        if new:
            produce = self._metered(lambda write: self.arrivals.stream_new(loading.horizon, write))
            require_done(loading.add(produce), new)
        if not loading.index():
            raise Refusal(_("数据表里主键重复，整批不予入库"), code="unbalanced")

    def _refuse_too_dirty(self, rejected: int, *, quarantined: int) -> None:
        """Refuse or quarantine the batch when more was rejected than the contract allows.

        A batch that mends another is not judged: its records are known to be bad, and what is still
        wrong with them waits for the next time.

        What is only set aside for a person to look at does not count against the limit.

        Raises:
            TooDirty: with the share that was rejected, and the limit.
        """
        declared = self.survey.record_count
        self.counts = Counts(declared=declared, rejected=rejected)
        rejected -= quarantined
        by_rows = self.contract.dirty_limit_rows
        ratio = rejected / declared
        if ratio <= self.contract.dirty_limit_ratio and (by_rows is None or rejected <= by_rows):
            return
        if self.batch.mends_id is not None:
            return
        if self.contract.dirty_limit_action == "quarantine":
            self.is_quarantined = True
            return
        limit = f"{self.contract.dirty_limit_ratio:.1%}"
        if by_rows is not None:
            limit += str(_("（且不超过 %(rows)s 条）") % {"rows": f"{by_rows:,}"})
        raise TooDirty(
            _(
                "%(declared)s 条中有 %(rejected)s 条未通过（%(ratio)s），超过规定的上限 %(limit)s，"
                "整批不予入库；按明细改正后重新提交"
            )
            % {
                "declared": f"{declared:,}",
                "rejected": f"{rejected:,}",
                "ratio": f"{ratio:.1%}",
                "limit": limit,
            },
            rejected=rejected,
            declared=declared,
        )

    def _note_on_table(self, horizon: int) -> None:
        table = self.table
        table.batch_counter = horizon
        table.row_count += self.counts.landed - self.counts.deleted
        table.last_landed_at = self._at
        table.save(update_fields=["batch_counter", "row_count", "last_landed_at", "is_indexed"])

    def _metered(self, produce: Callable[[Write], None]) -> Callable[[Write], None]:
        def run(write: Write) -> None:
            def passed(block: bytes) -> None:
                write(block)
                self._heartbeat.advance(len(block))

            produce(passed)

        return run
