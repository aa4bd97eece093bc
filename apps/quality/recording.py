"""Failing rows into findings, set by set, in the caller's transaction.

A million failing rows are one COPY and three statements. Statuses move by the lifecycle's own
table: where a move leads from and to is read there.

Source: house rule (design §3.1, §3.6)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from psycopg import sql

from apps.quality.lifecycle import FINDING
from apps.quality.models import Finding, QualityRule, QualityRun
from apps.quality.models.findings import FAILING, LIVE_FINDINGS
from apps.quality.set_rules import place_of
from apps.warehouse.models import DataTable

Outcome = Finding.Outcome


def move_findings(rows: QuerySet[Finding], name: str, *, at: datetime, **fields: Any) -> int:
    """Move those of the findings from whose status the move leads; return how many.

    One compare-and-set statement, however many rows: they may be a million, and keep no history
    of their own beside the order's.
    """
    move = FINDING.move(name)
    return rows.filter(status__in=move.sources).update(
        status=move.target, revision=F("revision") + 1, updated_at=at, **fields
    )


@dataclass(slots=True)
class Tally:
    """Per rule: findings that are new or opened again, fixed, and failing now."""

    newly_failed: dict[int, int] = field(default_factory=dict)
    newly_fixed: dict[int, int] = field(default_factory=dict)
    failing: dict[int, int] = field(default_factory=dict)


class Recording:
    """The statements of one run; `horizon` is the table's `_batch` that it looked at."""

    def __init__(self, run: QualityRun, table: DataTable, horizon: int, at: datetime) -> None:
        self._run = run
        self._table = table
        self._horizon = horizon
        self._at = at
        self.tally = Tally()

    def take(self, files: Iterable[Path]) -> None:
        """Copy the failing rows into a temporary table."""
        self._execute("DROP TABLE IF EXISTS pg_temp.failing")
        self._execute(
            "CREATE TEMP TABLE failing (rule_id bigint, row_id bigint, row_batch bigint,"
            " key jsonb, found jsonb) ON COMMIT DROP"
        )
        with connection.cursor() as cursor:
            for path in files:
                with (
                    path.open("rb") as file,
                    cursor.copy("COPY failing FROM STDIN (FORMAT csv)") as copy,
                ):
                    while block := file.read(1 << 20):
                        copy.write(block)
        self._execute("ANALYZE failing")

    def note(self, whole: Sequence[QualityRule], touched: Sequence[QualityRule]) -> Tally:
        """Open, refresh, reopen and fix the findings of these rules.

        whole: rules asked of every row, or at least of every row found before. touched: rules
        asked only of rows that changed since.
        """
        versions = {rule.pk: rule.version for rule in (*whole, *touched)}
        if not versions:
            return self.tally
        self._reopen(versions)
        self._refresh(versions)
        self._insert(versions)
        self._fix([rule.pk for rule in whole], [rule.pk for rule in touched])
        self._count(list(versions))
        return self.tally

    def _reopen(self, versions: dict[int, int]) -> None:
        """What was fixed fails again; what was accepted stands otherwise now and fails again."""
        move = FINDING.move("reopen")
        self._add(
            self.tally.newly_failed,
            "UPDATE quality_finding f SET status = %(target)s, revision = f.revision + 1,"
            " updated_at = %(at)s, outcome = '', fixed_at = NULL, reason = '',"
            " decided_by_id = NULL, decided_at = NULL, times_found = f.times_found + 1,"
            " last_run_id = %(run)s,"
            " row_batch = x.row_batch, key = x.key, values = x.found, rule_version = v.version"
            " FROM failing x JOIN unnest(%(rules)s::bigint[], %(versions)s::int[])"
            " AS v (rule_id, version) USING (rule_id)"
            " WHERE f.rule_id = x.rule_id AND f.row_id = x.row_id AND f.status = ANY(%(sources)s)"
            " AND (f.status <> 'accepted' OR f.values <> x.found)"
            " RETURNING f.rule_id",
            versions,
            target=move.target,
            sources=list(move.sources),
        )

    def _refresh(self, versions: dict[int, int]) -> None:
        """Rows that still fail: note the version that was looked at."""
        self._add(
            {},
            "UPDATE quality_finding f SET last_run_id = %(run)s, row_batch = x.row_batch,"
            " key = x.key, values = x.found, rule_version = v.version, updated_at = %(at)s"
            " FROM failing x JOIN unnest(%(rules)s::bigint[], %(versions)s::int[])"
            " AS v (rule_id, version) USING (rule_id)"
            " WHERE f.rule_id = x.rule_id AND f.row_id = x.row_id AND f.status = ANY(%(live)s)"
            " AND (f.row_batch <> x.row_batch OR f.rule_version <> v.version)"
            " RETURNING f.rule_id",
            versions,
            live=list(LIVE_FINDINGS),
        )

    def _insert(self, versions: dict[int, int]) -> None:
        self._add(
            self.tally.newly_failed,
            "INSERT INTO quality_finding (revision, created_at, updated_at, rule_id, dataset_id,"
            " row_id, row_batch, key, values, status, outcome, rule_version, first_run_id,"
            " last_run_id, times_found, reason)"
            " SELECT 1, %(at)s, %(at)s, x.rule_id, %(dataset)s, x.row_id, x.row_batch, x.key,"
            " x.found, 'open', '', v.version, %(run)s, %(run)s, 1, ''"
            " FROM failing x JOIN unnest(%(rules)s::bigint[], %(versions)s::int[])"
            " AS v (rule_id, version) USING (rule_id)"
            " WHERE NOT EXISTS (SELECT 1 FROM quality_finding f"
            " WHERE f.rule_id = x.rule_id AND f.row_id = x.row_id)"
            " RETURNING rule_id",
            versions,
            dataset=self._run.dataset_id,
        )

    def _fix(self, whole: list[int], touched: list[int]) -> None:
        """Rows that failed and do not any more; what was not looked at again is left alone."""
        move = FINDING.move("fix")
        statement = sql.SQL(
            "UPDATE quality_finding f SET status = %(target)s, revision = f.revision + 1,"
            " updated_at = %(at)s, fixed_at = %(at)s, last_run_id = %(run)s,"
            " outcome = CASE WHEN t._id IS NULL THEN 'removed' WHEN t._batch <> f.row_batch"
            " OR f.rule_version = r.version THEN 'changed' ELSE 'rule_changed' END"
            " FROM quality_finding g JOIN quality_qualityrule r ON r.id = g.rule_id"
            " LEFT JOIN {table} t ON t._id = g.row_id"
            " WHERE f.id = g.id AND g.dataset_id = %(dataset)s AND g.status = ANY(%(sources)s)"
            " AND (g.rule_id = ANY(%(whole)s) OR g.rule_id = ANY(%(touched)s) AND (t._id IS NULL"
            " OR t._batch <> g.row_batch AND t._batch <= %(horizon)s))"
            " AND NOT EXISTS (SELECT 1 FROM failing x"
            " WHERE x.rule_id = g.rule_id AND x.row_id = g.row_id)"
            " RETURNING f.rule_id"
        ).format(table=place_of(self._table))
        self._add(
            self.tally.newly_fixed,
            statement,
            {},
            target=move.target,
            sources=list(move.sources),
            whole=whole,
            touched=touched,
            horizon=self._horizon,
            dataset=self._run.dataset_id,
        )

    def _count(self, rules: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rule_id, count(*) FROM quality_finding"
                " WHERE dataset_id = %s AND status = ANY(%s) AND rule_id = ANY(%s) GROUP BY 1",
                [self._run.dataset_id, list(FAILING), rules],
            )
            self.tally.failing = dict(cursor.fetchall())

    def _add(
        self,
        counts: dict[int, int],
        statement: str | sql.Composed,
        versions: dict[int, int],
        **values: Any,
    ) -> None:
        """Run a statement that returns rules, and count its rows by them."""
        counted = sql.SQL("WITH moved AS ({}) SELECT rule_id, count(*) FROM moved GROUP BY 1")
        inner = sql.SQL(statement) if isinstance(statement, str) else statement
        with connection.cursor() as cursor:
            cursor.execute(
                counted.format(inner),
                {
                    "at": self._at,
                    "run": self._run.pk,
                    "rules": list(versions),
                    "versions": list(versions.values()),
                    **values,
                },
            )
            for rule, count in cursor.fetchall():
                counts[rule] = counts.get(rule, 0) + count

    def _execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)
