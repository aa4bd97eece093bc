"""What each change of a rule, an order or the weights changed, in the labels of the screens."""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.catalog.differences import words_of

QUIET: Final = ("revision", "created_at", "updated_at", "set_at", "last_run", "evaluated")
MOST: Final = 40


@dataclass(frozen=True)
class Change:
    label: str
    old: str
    new: str


@dataclass(frozen=True)
class Step:
    """One historical row: when, by whom, why, and what differs from the row before."""

    at: datetime
    person: str
    reason: str
    changes: list[Change]


def history_of(
    rows: Any, *, labels: Mapping[str, str] | None = None, hidden: Collection[str] = ()
) -> list[Step]:
    """Return the changes of one row, newest first.

    rows: the row's `history`. labels: column → Chinese name, for lists of columns. hidden: fields
    that this reader does not see.
    """
    versions = list(rows.select_related("history_user").order_by("history_date", "history_id"))
    told = [
        Step(one.history_date, str(one.history_user or ""), one.history_change_reason or "", [])
        for one in versions[:1]
    ]
    told += [
        _step(older, newer, labels or {}, {*QUIET, *hidden})
        for older, newer in itertools.pairwise(versions)
    ]
    told.reverse()
    return [step for step in told if step.changes or step.reason][:MOST]


def _step(older: Any, newer: Any, labels: Mapping[str, str], hidden: Collection[str]) -> Step:
    changes = [
        Change(
            str(field.verbose_name),
            _words(field, getattr(older, field.attname), labels),
            _words(field, getattr(newer, field.attname), labels),
        )
        for field in newer.tracked_fields
        if field.name not in hidden
        and getattr(older, field.attname) != getattr(newer, field.attname)
    ]
    return Step(
        newer.history_date,
        str(newer.history_user or ""),
        newer.history_change_reason or "",
        changes,
    )


def _words(field: Any, value: Any, labels: Mapping[str, str]) -> str:
    if value in (None, "", [], {}):
        return ""
    if field.is_relation:
        # The number or the name; the row itself may be gone from what a person can open.
        row = field.remote_field.model._base_manager.filter(pk=value).first()
        return str(row or value)
    if field.name == "columns":
        return "、".join(labels.get(name, name) for name in value)
    if field.name == "parameters":
        return "；".join(
            f"{_PARAMETERS.get(key, key)} {_plain(part)}" for key, part in value.items()
        )
    return words_of(field, value)


_PARAMETERS: Final[dict[str, Any]] = {
    "minimum": _("下限"),
    "maximum": _("上限"),
    "pattern": _("格式表达式"),
    "codes": _("代码"),
    "code_list": _("代码集"),
    "check": _("校验规则"),
    "type": _("类型"),
    "on": _("以哪一列的日期"),
    "expected": _("应有记录数"),
    "dataset": _("对照的目录"),
    "match": _("对应的列"),
    "same": _("应当一致的列"),
    "when": _("前提"),
    "then": _("应当成立"),
}


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "、".join(_plain(part) for part in value)
    if isinstance(value, dict):
        return "、".join(f"{key} {_plain(part)}" for key, part in value.items())
    return str(value)
