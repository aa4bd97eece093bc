"""Versions of terms side by side, in the words of the screens; what differs is marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from types import SimpleNamespace
from typing import Any, Final, Protocol

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models import Dataset
from apps.core.templatetags.dates import day
from apps.sharing import queries
from apps.sharing.models import COUNTED, Mode, limits_of


class Written(Protocol):
    """Terms as a decision and an offer keep them."""

    items: list[dict[str, str]]
    row_condition: list[dict[str, Any]]
    mode: str
    starts_on: date
    ends_on: date
    calls_a_day: int | None
    rows_a_day: int | None
    calls_a_minute: int | None
    allowed_addresses: list[str]
    may_redistribute: bool


@dataclass(frozen=True)
class Version:
    """One version: what it is called, how it stands, its terms."""

    heading: str
    state: str | Promise
    terms: Written


@dataclass(frozen=True)
class Cell:
    """What one version says; marked where the version before it says something else."""

    heading: str
    text: str
    is_changed: bool


@dataclass(frozen=True)
class Line:
    label: str
    cells: list[Cell]


@dataclass(frozen=True)
class Beside:
    """Lines in which the versions differ; `alike` names the others."""

    versions: Sequence[Version]
    lines: list[Line]
    alike: list[str]


COUNT_WORDS: Final[dict[str, str | Promise]] = {
    "calls_a_day": gettext_lazy("每日调用次数"),
    "rows_a_day": gettext_lazy("每日记录条数"),
    "calls_a_minute": gettext_lazy("每分钟调用次数"),
}


def side_by_side(dataset: Dataset, versions: Sequence[Version]) -> Beside:
    """Set versions of terms beside each other, item by item and then the rest."""
    rows = [*_item_rows(versions), *_other_rows(dataset, versions)]
    lines, alike = [], []
    for label, texts in rows:
        if len(set(texts)) == 1:
            alike.append(label)
            continue
        before = [texts[0], *texts]
        cells = [
            Cell(version.heading, text, text != former)
            for version, text, former in zip(versions, texts, before, strict=False)
        ]
        lines.append(Line(label, cells))
    return Beside(versions, lines, alike)


def terms_of_grant(grant: Any) -> Any:
    """Return a grant, or an earlier version of it, as terms that stand beside others."""
    return SimpleNamespace(
        items=queries.labelled_columns(grant),
        row_condition=grant.row_condition,
        mode=grant.mode,
        starts_on=timezone.localdate(grant.starts_at),
        ends_on=queries.last_day_of(grant.expires_at),
        **limits_of(grant),
    )


def _item_rows(versions: Sequence[Version]) -> list[tuple[str, list[str]]]:
    labels: dict[str, str] = {}
    for version in versions:
        for entry in version.terms.items:
            labels.setdefault(entry["name"], entry["label"])
    given = [{entry["name"]: entry["mask"] for entry in each.terms.items} for each in versions]
    return [
        (
            label,
            [queries.mask_words(masks[name]) if name in masks else _("不提供") for masks in given],
        )
        for name, label in labels.items()
    ]


def _other_rows(dataset: Dataset, versions: Sequence[Version]) -> list[tuple[str, list[str]]]:
    terms = [version.terms for version in versions]
    modes = dict(Mode.choices)
    rows = [
        (_("数据范围"), [_rows_words(each, dataset) for each in terms]),
        (_("共享方式"), [str(modes[Mode(each.mode)]) for each in terms]),
        (
            _("使用时限"),
            [
                _("%(starts)s 至 %(ends)s")
                % {"starts": day(each.starts_on), "ends": day(each.ends_on)}
                for each in terms
            ],
        ),
    ]
    for name in COUNTED:
        limits = [getattr(each, name) for each in terms]
        rows.append((str(COUNT_WORDS[name]), [f"{n:,}" if n else _("不限") for n in limits]))
    rows.append((_("来源地址"), ["、".join(each.allowed_addresses) or _("不限") for each in terms]))
    rows.append(
        (
            _("内部再分发"),
            [_("允许") if each.may_redistribute else _("不允许") for each in terms],
        )
    )
    return rows


def _rows_words(terms: Written, dataset: Dataset) -> str:
    words = queries.conditions_in_words(terms.row_condition, dataset) if terms.row_condition else []
    return _("，并且 ").join(words) or _("全部记录")
