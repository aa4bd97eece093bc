"""Add rules to a dataset, change, stop and restore them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import duckdb
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.catalog.queries import published
from apps.core import access
from apps.core.access import Standing
from apps.core.contracts import Contract
from apps.core.errors import Conflict, IllegalMove, InvalidInput, StaleRevision, required_text
from apps.ledger import operations as ledger
from apps.quality.judging import Judge
from apps.quality.lifecycle import WORK_ORDER
from apps.quality.models import ROW_KINDS, Finding, QualityRule, RuleKind
from apps.quality.operations.ordering import end_order
from apps.quality.operations.running import ask_after_change
from apps.quality.parameters import parse
from apps.quality.queries.findings import live_order_of
from apps.quality.recording import move_findings
from apps.quality.row_rules import CannotCompile, compile_row_rule, lists_of
from apps.standards.models import CodeList
from apps.warehouse import queries as warehouse


@transaction.atomic
def add_rule(
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
) -> QualityRule:
    """Add a rule to a dataset; rows that are there already are checked against it next.

    columns, parameters: see `apps.quality.parameters`. A provider's rule may look into tables of
    his own department only: whether another department's table has a row is that table's data.

    Source: house rule
    Raises:
        NotAllowed: the actor sets no rules for the dataset.
        InvalidInput: it cannot be such a rule; `field` says where.
        Conflict: the dataset has a rule of this name.
    """
    standing = access.require(actor, "add_quality_rule", dataset, at=at)
    rule = QualityRule(
        dataset=dataset,
        kind=kind,
        owner=dataset.department,
        made_by=actor,
        created_at=at,
    )
    _write(rule, name, columns, parameters, indicator, severity, standing, at)
    remember(rule, actor=actor, at=at, reason=_("添加"))
    rule.save(force_insert=True)
    ledger.record(
        standing,
        "quality.add_rule",
        rule,
        at=at,
        department=dataset.department,
        details={"dataset": dataset.code, "kind": kind},
    )
    ask_after_change(dataset, at)
    return rule


@transaction.atomic
def change_rule(
    *,
    rule: QualityRule,
    name: str,
    columns: Sequence[str],
    parameters: Mapping[str, Any],
    indicator: str,
    severity: str,
    actor: User,
    at: datetime,
    reason: str = "",
    version: int | None = None,
) -> QualityRule:
    """Change an added rule; its version counts up, and every row is looked at again.

    version: what the person saw; another one means it changed since.

    Raises:
        NotAllowed: the actor sets no rules for the dataset, or the rule is the contract's.
        InvalidInput: it cannot be such a rule.
        StaleRevision: somebody changed it after `version`.
        IllegalMove: it is stopped.
    """
    standing = access.require(actor, "change", rule, at=at)
    current = _locked(rule, version)
    if not current.is_active:
        raise IllegalMove(_("规则已停用；重新启用后再修改"), state="retired")
    _write(current, name, columns, parameters, indicator, severity, standing, at)
    current.version += 1
    remember(current, actor=actor, at=at, reason=reason or _("修改"))
    current.save()
    ledger.record(
        standing,
        "quality.change_rule",
        current,
        at=at,
        department=current.dataset.department,
        details={"version": current.version, "reason": reason},
    )
    ask_after_change(current.dataset, at)
    rule.refresh_from_db()
    return rule


@transaction.atomic
def retire_rule(
    *, rule: QualityRule, reason: str, actor: User, at: datetime, version: int | None = None
) -> QualityRule:
    """Stop asking a rule; its findings are void and its order is cancelled.

    Raises:
        NotAllowed: the actor sets no rules for the dataset, or the rule is the contract's.
        InvalidInput: no reason.
        IllegalMove: it is stopped already.
    """
    standing = access.require(actor, "retire", rule, at=at)
    reason = required_text(reason, _("请填写停用的理由"), field="reason")
    current = _locked(rule, version)
    if not current.is_active:
        raise IllegalMove(_("规则已停用"), state="retired")
    _save(current, is_active=False, actor=actor, at=at, reason=reason)
    move_findings(Finding.objects.filter(rule=current), "void", at=at)
    order = live_order_of(current.pk)
    if order is not None:
        WORK_ORDER.apply(
            order, "cancel", actor=actor, at=at, reason=reason, closed_at=at, remark=reason
        )
        end_order(order, at)
    ledger.record(
        standing,
        "quality.retire_rule",
        current,
        at=at,
        department=current.dataset.department,
        details={"reason": reason},
    )
    rule.refresh_from_db()
    return rule


@transaction.atomic
def restore_rule(
    *, rule: QualityRule, actor: User, at: datetime, version: int | None = None
) -> QualityRule:
    """Ask a stopped rule again, of every row.

    Raises:
        NotAllowed: the actor sets no rules for the dataset.
        IllegalMove: it is being asked.
        Conflict: the dataset has another rule of its name meanwhile.
    """
    standing = access.require(actor, "restore", rule, at=at)
    current = _locked(rule, version)
    if current.is_active:
        raise IllegalMove(_("规则正在使用"), state="active")
    _require_free_name(current)
    current.version += 1
    _save(current, is_active=True, actor=actor, at=at, reason=_("重新启用"))
    ledger.record(
        standing, "quality.restore_rule", current, at=at, department=current.dataset.department
    )
    ask_after_change(current.dataset, at)
    rule.refresh_from_db()
    return rule


def _locked(rule: QualityRule, version: int | None) -> QualityRule:
    current = (
        QualityRule.objects.select_for_update(of=("self",))
        .select_related("dataset__department")
        .get(pk=rule.pk)
    )
    if version is not None and version != current.version:
        raise StaleRevision
    return current


def _save(rule: QualityRule, *, is_active: bool, actor: User, at: datetime, reason: Any) -> None:
    rule.is_active, rule.updated_at = is_active, at
    remember(rule, actor=actor, at=at, reason=reason)
    rule.save()


def _write(
    rule: QualityRule,
    name: str,
    columns: Sequence[str],
    parameters: Mapping[str, Any],
    indicator: str,
    severity: str,
    standing: Standing,
    at: datetime,
) -> None:
    """Fill in what was given, checked as far as it can be without rows."""
    contract = warehouse.contract_of(rule.dataset)
    if contract is None:
        raise InvalidInput(_("目录发布之后才能添加质量规则"), code="not_published")
    rule.name = required_text(name, _("请填写规则名称"), field="name")
    rule.columns, rule.parameters = parse(rule.kind, columns, parameters, contract)
    rule.indicator, rule.severity, rule.updated_at = indicator, severity, at
    _require_known(rule, standing)
    _try_out(rule, contract, at)
    _require_free_name(rule)
    try:
        rule.full_clean(exclude=("columns", "parameters"), validate_unique=False)
    except ValidationError as error:
        fields = getattr(error, "error_dict", {})
        where = next((name for name in fields if name != "__all__"), "severity")
        raise InvalidInput("；".join(error.messages), field=where) from None


def _require_free_name(rule: QualityRule) -> None:
    same = QualityRule.objects.filter(
        dataset=rule.dataset_id, name=rule.name, is_active=True, origin=rule.origin
    )
    if same.exclude(pk=rule.pk).exists():
        raise Conflict(_("这个目录已有同名的规则"), code="name_taken", field="name")


def _require_known(rule: QualityRule, standing: Standing) -> None:
    """Refuse code lists that do not exist, and other departments' tables."""
    code_list = rule.parameters.get("code_list")
    if code_list and not CodeList.objects.filter(code=code_list).exists():
        raise InvalidInput(_("没有这个代码集"), field="parameters")
    if rule.kind != RuleKind.CROSS_TABLE:
        return
    other = published().filter(code=rule.parameters["dataset"]).first()
    person = standing.principal or standing.actor
    if other is None or not (
        person.holds("authority_officer") or other.department_id == person.department_id
    ):
        raise InvalidInput(
            _("没有这个目录，或者它属于其他部门；跨部门的对照规则由主管部门添加"),
            field="parameters",
        )
    contract = warehouse.contract_of(other)
    known = {column.name for column in contract.columns} if contract else set()
    theirs = {*rule.parameters["match"].values(), *rule.parameters.get("same", {}).values()}
    if not theirs <= known:
        raise InvalidInput(_("对照的目录没有所选的列"), field="parameters")


def _try_out(rule: QualityRule, contract: Contract, at: datetime) -> None:
    """Compile a row rule and run it over no rows: what the engine cannot run is refused now."""
    if rule.kind not in ROW_KINDS:
        return
    on = timezone.localdate(at)
    try:
        compiled = compile_row_rule(rule, contract, lists_of([rule]), on=on)
        with Judge(Path(gettempdir()), on=on) as judge:
            judge.try_out(contract, [compiled])
    except (duckdb.Error, CannotCompile):
        raise InvalidInput(_("规则不能执行：请检查格式表达式和条件"), field="parameters") from None
