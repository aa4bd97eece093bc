"""What a run finds out about a table, all of it in one snapshot.

Row rules are judged in DuckDB over a copy of the needed columns, and so is, when every row is asked
about, what must be unique; other rules about sets by PostgreSQL, at the same time.
A rule that was answered before, unchanged, is asked again only of rows that were touched since;
how many rows it speaks of follows from those that came and those that they replaced.

Source: house rule (design §5)
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from apps.core.contracts import Contract
from apps.quality.judging import Judge, needed
from apps.quality.models import ROW_KINDS, SET_KINDS, QualityRule, RuleKind, RuleResult
from apps.quality.parameters import columns_read
from apps.quality.row_rules import CannotCompile, RowRule, compile_row_rule, lists_of
from apps.quality.set_rules import SetRule, compile_set_rule, place_of
from apps.warehouse.models import DataTable

NotEvaluable = RuleResult.NotEvaluable
_WORK_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Answered:
    """What is known of a rule from before: up to which `_batch`, of how many rows it spoke."""

    horizon: int
    evaluated: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Of how many rows the rule speaks; how many break it is counted from the findings.

    is_whole: every row that was found before was looked at again, not only those that were
    touched.
    """

    rule: QualityRule
    evaluated: int
    not_evaluable: str
    fingerprint: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Inspected:
    """failing: files of rule, `_id`, `_batch`, key, values."""

    horizon: int
    rows_read: int
    answers: list[Answer]
    failing: list[Path]


@dataclass(frozen=True, slots=True)
class Judging:
    """Rules on their way through DuckDB; `counts`: of how many rows each speaks, now and of those
    that were replaced since."""

    rules: Sequence[RowRule]
    unique: Sequence[QualityRule]
    since: int | None
    counts: Future[tuple[list[int], list[int]]]


class Inspection:
    """One look at one table; `known`: by rule, what its unchanged version answered before."""

    def __init__(
        self,
        table: DataTable,
        contract: Contract,
        rules: Sequence[QualityRule],
        *,
        known: dict[int, Answered],
        counterparts: dict[str, tuple[DataTable, Contract]],
        workplace: Path,
        at: datetime,
    ) -> None:
        self._table = table
        self._contract = contract
        self._rules = rules
        self._known = known
        self._counterparts = counterparts
        self._workplace = workplace
        self._on = timezone.localdate(at)
        self._answers: list[Answer] = []
        self._failing: list[Path] = []
        self._rows_read = 0

    def look(self) -> Inspected:
        """Ask every rule about rows; the table as it stands now."""
        with (
            _snapshot(),
            Judge(self._workplace, on=self._on) as judge,
            ThreadPoolExecutor(1, "quality-judge") as beside,
        ):
            table = DataTable.objects.get(pk=self._table.pk)
            self._table = table
            by_horizon = self._row_rules()
            unique = [rule for rule in self._rules if self._is_found_in_copy(rule)]
            if unique:
                by_horizon.setdefault(None, [])
            judged = [
                self._judge(judge, beside, group, unique if since is None else [], since)
                for since, group in by_horizon.items()
            ]
            for rule in self._rules:
                if rule.kind in SET_KINDS and rule not in unique:
                    self._ask_sets(rule)
            for judging in judged:
                self._take(judging)
        return Inspected(table.batch_counter, self._rows_read, self._answers, self._failing)

    # Row rules

    def _row_rules(self) -> dict[int | None, list[RowRule]]:
        """Return the rules about rows, by the `_batch` up to which they were answered before."""
        rules = [rule for rule in self._rules if rule.kind in ROW_KINDS]
        lists = lists_of(rules)
        by_horizon: dict[int | None, list[RowRule]] = defaultdict(list)
        for rule in rules:
            try:
                compiled = compile_row_rule(rule, self._present(), lists, on=self._on)
            except CannotCompile:
                self._cannot(rule, NotEvaluable.NO_COLUMN)
                continue
            before = self._before(rule, compiled.fingerprint)
            by_horizon[before.horizon if before else None].append(compiled)
        return by_horizon

    def _judge(
        self,
        judge: Judge,
        beside: ThreadPoolExecutor,
        rules: Sequence[RowRule],
        unique: Sequence[QualityRule],
        since: int | None,
    ) -> Judging:
        """Copy out what the rules ask about, and have it judged while PostgreSQL does the rest."""
        names = [
            name
            for rule in (*(one.rule for one in rules), *unique)
            for name in columns_read(rule.kind, rule.columns, rule.parameters)
        ]
        contract = needed(self._contract, names)
        copy, left = (self._workplace / f"{name}-{since}.csv" for name in ("rows", "left"))
        rows = self._copy_out(self._select(contract, self._now(), _after(since)), copy)
        gone = None
        if since is not None:
            gone = self._copy_out(self._select(contract, self._past(), _replaced(since)), left)
        self._rows_read += rows
        failing = self._workplace / f"failing-{since}"
        failing.mkdir()

        def judged() -> tuple[list[int], list[int]]:
            counts = judge.judge(copy, contract, rules, rows=rows, failing=failing, unique=unique)
            copy.unlink()
            if gone is None:
                return counts, [0] * len(counts)
            return counts, judge.judge(left, contract, rules, rows=gone, failing=None)

        return Judging(rules, unique, since, beside.submit(judged))

    def _is_found_in_copy(self, rule: QualityRule) -> bool:
        """Say whether the rows that share what must be unique are looked for in the copy of all."""
        known = {*self._table.column_names} & _names(self._contract)
        has_columns = known.issuperset(rule.columns)
        return rule.kind == RuleKind.UNIQUE and has_columns and self._before(rule, "") is None

    def _take(self, judging: Judging) -> None:
        came, went = judging.counts.result()
        since = judging.since
        self._failing += sorted((self._workplace / f"failing-{since}").iterdir())
        asked = [*((one.rule, one.fingerprint) for one in judging.rules)]
        asked += [(rule, "") for rule in judging.unique]
        for (rule, fingerprint), new, old in zip(asked, came, went, strict=True):
            self._answer(rule, new, old, since, fingerprint, is_whole=since is None)

    def _select(
        self, contract: Contract, place: sql.Composable, where: sql.Composable
    ) -> sql.Composable:
        names = sql.SQL(", ").join(
            sql.SQL("t.{}::text" if column.type == "L" else "t.{}").format(
                sql.Identifier(column.name)
            )
            for column in contract.columns
        )
        return sql.SQL("SELECT t._id, t._batch, {names} FROM {place} t WHERE {where}").format(
            names=names, place=place, where=where
        )

    # Rules about sets

    def _ask_sets(self, rule: QualityRule) -> None:
        counterpart = self._counterparts.get(rule.parameters.get("dataset", ""))
        if rule.parameters.get("dataset") and counterpart is None:
            self._cannot(rule, NotEvaluable.NO_COUNTERPART)
            return
        try:
            compiled = self._compile_set(rule, None, counterpart)
            before = self._before(rule, compiled.fingerprint)
            if before is not None:
                compiled = self._compile_set(rule, before.horizon, counterpart)
        except CannotCompile:
            self._cannot(rule, NotEvaluable.NO_COLUMN)
            return
        since = before.horizon if before else None
        self._write_failing(compiled)
        came = self._count(self._now(), sql.SQL("{} AND ").format(_after(since)), compiled)
        went = 0
        if since is not None:
            went = self._count(self._past(), sql.SQL("{} AND ").format(_replaced(since)), compiled)
        self._answer(rule, came, went, since, compiled.fingerprint, is_whole=True)

    def _compile_set(
        self,
        rule: QualityRule,
        since: int | None,
        counterpart: tuple[DataTable, Contract] | None,
    ) -> SetRule:
        return compile_set_rule(
            rule, self._table, since=since, counterpart=counterpart, contract=self._contract
        )

    def _write_failing(self, compiled: SetRule) -> None:
        path = self._workplace / f"failing-{compiled.rule.pk}.csv"
        statement = sql.SQL(
            "SELECT {rule}, t._id, t._batch, {key}, {found}"
            " FROM ({failing}) AS f JOIN {now} t ON t._id = f._id"
        ).format(
            rule=sql.Literal(compiled.rule.pk),
            key=_json(self._contract.key),
            found=_json(compiled.rule.columns),
            failing=compiled.failing,
            now=self._now(),
        )
        self._copy_out(statement, path)
        self._failing.append(path)

    def _count(self, place: sql.Composable, where: sql.Composable, compiled: SetRule) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("SELECT count(*) FROM {place} t WHERE {where} {applies}").format(
                    place=place, where=where, applies=compiled.applies
                )
            )
            (count,) = cursor.fetchone()
        return int(count)

    # Both

    def _present(self) -> Contract:
        """The contract without columns that the table does not have yet."""
        names = [name for name in self._table.column_names if name in _names(self._contract)]
        return needed(self._contract, names) if names else self._contract

    def _before(self, rule: QualityRule, fingerprint: str) -> Answered | None:
        known = self._known.get(rule.pk)
        return known if known is not None and known.fingerprint == fingerprint else None

    def _answer(
        self,
        rule: QualityRule,
        came: int,
        went: int,
        since: int | None,
        fingerprint: str,
        *,
        is_whole: bool,
    ) -> None:
        evaluated = came
        if since is not None:
            evaluated += self._known[rule.pk].evaluated - went
        reason = "" if evaluated > 0 else NotEvaluable.NO_ROWS.value
        self._answers.append(Answer(rule, evaluated, reason, fingerprint, is_whole))

    def _cannot(self, rule: QualityRule, reason: str) -> None:
        self._answers.append(Answer(rule, 0, reason, "", is_whole=True))

    def _now(self) -> sql.Composable:
        return place_of(self._table)

    def _past(self) -> sql.Composable:
        return sql.Identifier(self._table.schema, self._table.past_name)

    def _copy_out(self, select: sql.Composable, path: Path) -> int:
        """Write the rows of a SELECT as CSV; return how many."""
        with connection.cursor() as cursor, path.open("wb") as file:
            with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(select)) as copy:
                file.writelines(copy)
            return int(cursor.rowcount)


@contextmanager
def _snapshot() -> Iterator[None]:
    """Read everything as it stood at one moment, whatever lands meanwhile."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            # Groups of a million rows are found by hash in this much, and by sorting in less.
            cursor.execute(f"SET LOCAL work_mem = '{_WORK_MEMORY}'")
        yield


def _after(since: int | None) -> sql.Composable:
    if since is None:
        return sql.SQL("true")
    return sql.SQL("t._batch > {}").format(sql.Literal(since))


def _replaced(since: int) -> sql.Composable:
    """Versions that stood at `since` and were superseded or removed after it."""
    return sql.SQL("t._batch <= {0} AND t._until_batch > {0}").format(sql.Literal(since))


def _json(names: Sequence[str]) -> sql.Composable:
    parts = [
        sql.SQL("{}, t.{}::text").format(sql.Literal(name), sql.Identifier(name)) for name in names
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(parts))


def _names(contract: Contract) -> set[str]:
    return {column.name for column in contract.columns}
