"""What a rule would find if it were added now: everything as in earnest, and then undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import files
from apps.core.contracts import Contract
from apps.core.errors import Conflict
from apps.quality.inspecting import Inspection
from apps.quality.models import ROW_KINDS, SET_KINDS, QualityRule, RuleResult
from apps.quality.operations.rules import add_rule, change_rule
from apps.warehouse import queries as warehouse
from apps.warehouse.models import DataTable

MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True)
class Trial:
    """`failed` of `evaluated` rows; or why it cannot be said."""

    evaluated: int
    failed: int
    not_evaluable: str = ""

    @property
    def reason(self) -> str:
        return str(RuleResult.NotEvaluable(self.not_evaluable).label)


class _UndoneError(Exception):
    """Takes the trial back when everything is known."""


def try_rule(
    *,
    dataset: Dataset,
    kind: str,
    name: str,
    columns: Sequence[str],
    parameters: Mapping[str, Any],
    indicator: str,
    severity: str,
    actor: User,
    at: datetime,
    rule: QualityRule | None = None,
) -> Trial:
    """Say how many rows of the table would break the rule; nothing stays of it.

    rule: the one that would be changed; None for a new one.

    Raises:
        NotAllowed, InvalidInput, Conflict, StaleRevision, IllegalMove: as adding or changing it.
        Conflict: nothing landed, or the table is too large to be tried while somebody waits.
    """
    table = warehouse.table_of(dataset)
    if kind not in (*ROW_KINDS, *SET_KINDS):
        raise Conflict(_("这类规则针对整张数据表，没有逐条的结果可试算"), code="not_about_rows")
    if table is None:
        raise Conflict(_("数据尚未入库，没有可试算的记录"), code="nothing_landed")
    if table.row_count > MOST_ROWS:
        raise Conflict(_("数据表过大，不能当场试算；保存后由平台检查"), code="table_too_large")
    given: dict[str, Any] = {"name": name, "columns": columns, "parameters": parameters}
    given |= {"indicator": indicator, "severity": severity, "actor": actor, "at": at}
    found: list[Trial] = []
    try:
        with transaction.atomic():
            if rule is None:
                asked = add_rule(dataset=dataset, kind=kind, **given)
            else:
                asked = change_rule(rule=QualityRule.objects.get(pk=rule.pk), **given)
            found.append(_look(table, asked, at))
            raise _UndoneError
    except _UndoneError:
        return found[0]


def _look(table: DataTable, rule: QualityRule, at: datetime) -> Trial:
    contract = Contract.from_json(table.version.contract)
    workplace = files.make_workplace(f"quality-trial-{rule.pk}")
    try:
        looked = Inspection(
            table,
            contract,
            [rule],
            known={},
            counterparts=_counterparts(rule),
            workplace=workplace,
            at=at,
        ).look()
        failed = sum(path.read_bytes().count(b"\n") for path in looked.failing)
    finally:
        files.clear_workplace(workplace)
    answer = looked.answers[0]
    return Trial(answer.evaluated, min(failed, answer.evaluated), answer.not_evaluable)


def _counterparts(rule: QualityRule) -> dict[str, tuple[DataTable, Contract]]:
    code = rule.parameters.get("dataset")
    tables = DataTable.objects.filter(dataset__code=code).select_related("dataset", "version")
    return {
        table.dataset.code: (table, Contract.from_json(table.version.contract)) for table in tables
    }
