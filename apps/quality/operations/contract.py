"""The published contract's rules as quality rules, kept in step."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.history import remember
from apps.catalog.models import Dataset
from apps.core.contracts import Contract
from apps.quality.models import Indicator, QualityRule, RuleKind, Severity
from apps.standards.checks import CHECKS
from apps.warehouse import queries as warehouse
from apps.warehouse.freshness import DAYS
from apps.warehouse.landing.rules import rules_of

# What landing reports, as kind and indicator; "invalid_…" are identifiers. Limits of the platform
# itself (cell_too_large, key_too_long) are no rules of the data.
KINDS: Final[dict[str, tuple[RuleKind, Indicator]]] = {
    "required": (RuleKind.REQUIRED, Indicator.ELEMENTS),
    "too_long": (RuleKind.LENGTH, Indicator.DATA_STANDARD),
    "not_a_number": (RuleKind.TYPE, Indicator.DATA_STANDARD),
    "not_an_integer": (RuleKind.TYPE, Indicator.DATA_STANDARD),
    "not_a_date": (RuleKind.TYPE, Indicator.DATA_STANDARD),
    "not_a_datetime": (RuleKind.TYPE, Indicator.DATA_STANDARD),
    "not_a_boolean": (RuleKind.TYPE, Indicator.DATA_STANDARD),
    "not_in_codes": (RuleKind.CODE_LIST, Indicator.REFERENCE_DATA),
    "pattern_mismatch": (RuleKind.PATTERN, Indicator.DATA_STANDARD),
    "below_minimum": (RuleKind.RANGE, Indicator.BUSINESS_RULE),
    "above_maximum": (RuleKind.RANGE, Indicator.BUSINESS_RULE),
}


_NAMES: Final = {
    "required": gettext_lazy("必须填写"),
    "too_long": gettext_lazy("不超过规定长度"),
    "not_a_number": gettext_lazy("是规定的数值"),
    "not_an_integer": gettext_lazy("是整数"),
    "not_a_date": gettext_lazy("是日期"),
    "not_a_datetime": gettext_lazy("是日期时间"),
    "not_a_boolean": gettext_lazy("是“是”或“否”"),
    "not_in_codes": gettext_lazy("在代码集内"),
    "pattern_mismatch": gettext_lazy("符合规定的格式"),
    "below_minimum": gettext_lazy("不小于下限"),
    "above_maximum": gettext_lazy("不大于上限"),
}


@dataclass(frozen=True)
class _Wanted:
    code: str
    kind: str
    indicator: str
    name: str
    columns: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)
    severity: str = Severity.REJECT


@transaction.atomic
def synchronise(*, dataset: Dataset, at: datetime) -> int:
    """Bring the contract's quality rules up to the version in force; return how many changed.

    Called by the worker before every run; repeat-safe. A rule whose terms changed counts its
    version up, one that left the contract is stopped, and both are in its history.

    Source: house rule (the contract's rules are the entry's, and change with it alone)
    """
    contract = warehouse.contract_of(dataset)
    wanted = {(one.code, *one.columns): one for one in _wanted(dataset, contract)}
    present = {
        (rule.code, *rule.columns): rule
        for rule in QualityRule.objects.filter(dataset=dataset, origin=QualityRule.Origin.CONTRACT)
    }
    changed = 0
    for key, one in wanted.items():
        rule = present.pop(key, None) or QualityRule(
            dataset=dataset, origin=QualityRule.Origin.CONTRACT, created_at=at, version=0
        )
        changed += _write(rule, one, dataset, at)
    for rule in present.values():
        if rule.is_active:
            rule.is_active, rule.updated_at = False, at
            remember(rule, actor=None, at=at, reason=_("目录约定已无此规则"))
            rule.save()
            changed += 1
    return changed


def _write(rule: QualityRule, one: _Wanted, dataset: Dataset, at: datetime) -> bool:
    terms = (one.parameters, one.kind, one.indicator, one.severity)
    before = (rule.parameters, rule.kind, rule.indicator, rule.severity)
    is_same = bool(rule.pk) and terms == before and rule.is_active
    if is_same and rule.name == one.name and rule.owner_id == dataset.department_id:
        return False
    rule.code, rule.columns, rule.name = one.code, one.columns, one.name
    rule.parameters, rule.kind, rule.indicator, rule.severity = terms
    rule.owner_id, rule.is_active, rule.updated_at = dataset.department_id, True, at
    if not is_same:
        rule.version += 1
    remember(rule, actor=None, at=at, reason=_("随目录约定"))
    rule.save()
    return True


def _wanted(dataset: Dataset, contract: Contract | None) -> list[_Wanted]:
    if contract is None:
        return []
    found = [
        _Wanted("structure", RuleKind.STRUCTURE, Indicator.DATA_MODEL, _("记录能按表头分成各列")),
        _Wanted(
            "file_duplicate",
            RuleKind.FILE_DUPLICATE,
            Indicator.DUPLICATES,
            _("提交的文件内主键不重复"),
            severity=Severity.WARN,
        ),
        _Wanted("dirty", RuleKind.DIRTY, Indicator.DIRTY_DATA, _("提交的记录通过全部校验")),
    ]
    for rule in rules_of(contract):
        place = KINDS.get(rule.code)
        if rule.code.startswith("invalid_"):
            place = (RuleKind.IDENTIFIER, Indicator.FORMAT)
        if place is not None:
            name = _name(rule.code, rule.column.label)
            columns = [rule.column.name]
            found.append(_Wanted(rule.code, *place, name, columns, _told(rule.facts)))
    if dataset.update_cycle in DAYS:
        found.append(
            _Wanted(
                "freshness",
                RuleKind.FRESHNESS,
                Indicator.BY_POINT,
                _("按更新周期更新"),
                parameters={"cycle": dataset.update_cycle},
                severity=Severity.WARN,
            )
        )
    return found


def _name(code: str, label: str) -> str:
    if code.startswith("invalid_"):
        what = CHECKS[code.removeprefix("invalid_")].label
        words = str(_("是有效的%(what)s")) % {"what": what}
    else:
        words = str(_NAMES[code])
    return str(_("“%(label)s”%(words)s")) % {"label": label, "words": words}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
