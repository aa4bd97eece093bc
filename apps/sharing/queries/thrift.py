"""Rights that are granted and not used, and the narrower terms that would do (授权使用分析).

What is judged is the use of the last twelve months, of grants that have been in force for a while.
A proposal is only ever narrower; whether it is right is for the provider to say.

Source: house rule (issue 5: thrift report)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.models import DataItem, DatasetVersion
from apps.core.contracts import Contract
from apps.sharing.models import Grant, Mode
from apps.sharing.queries.continuing import idle_since, months_of_idleness
from apps.sharing.queries.figures import LEAST_DAYS, Figures, figures_of, since_when

LEAST_CALLS: Final = 10  # before single calls are called a habit
TOO_HIGH: Final = 10  # a limit so many times the busiest day was never touched
LOWEST: Final = {"calls_a_day": 100, "rows_a_day": 1_000}  # no lower limit is proposed
NOTICE_DAYS: Final = timedelta(days=30)  # for the consumer of an idle grant, until its end

# What is judged and shown of a grant; there may be thousands, and entries are wide.
SHOWN: Final = (
    "mode", "columns", "calls_a_day", "rows_a_day", "provisioned_at", "expires_at",
    "dataset__code", "dataset__name", "system__code", "system__name",
    "consumer__name", "consumer__short_name", "provider__name", "provider__short_name",
)  # fmt: skip
KINDS: Final[dict[str, str | Promise]] = {
    "unused": gettext_lazy("长期未用"),
    "columns": gettext_lazy("数据项未读"),
    "quota": gettext_lazy("限额偏高"),
    "verify": gettext_lazy("只查单条"),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """Narrower terms, as `narrow` takes them; what is None or missing stays as it is."""

    items: dict[str, str] | None = None
    mode: str | None = None
    ends_on: date | None = None
    limits: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.items is not None or self.mode or self.ends_on or self.limits)

    def arguments(self) -> dict[str, Any]:
        return {"items": self.items, "mode": self.mode, "ends_on": self.ends_on, **self.limits}


@dataclass(frozen=True, slots=True)
class Waste:
    """A grant with what of it is not used, in words by kind, and what is proposed."""

    grant: Grant
    figures: Figures
    findings: dict[str, str]
    proposal: Proposal

    @property
    def kinds(self) -> list[str | Promise]:
        return [KINDS[kind] for kind in self.findings]

    @property
    def dropped(self) -> int:
        """How many columns the proposal leaves out."""
        return 0 if self.proposal.items is None else self.figures.columns - len(self.proposal.items)


def wasted(grants: QuerySet[Grant], at: datetime) -> list[Waste]:
    """Return those of the grants in force of which something is not used, most calls last.

    What is sent back to a district is never narrowed, and is left out.
    Access records are not read. The number of statements does not grow with the grants.
    """
    settled = Greatest("provisioned_at", "renewed_at")
    shown = list(
        grants.annotate(settled_at=settled)
        .filter(status=Grant.Status.IN_FORCE, settled_at__lte=at - LEAST_DAYS)
        .filter(request__return_flow=None)
        .annotate(idle_since=idle_since())
        .select_related("dataset", "consumer", "provider", "system")
        .only(*SHOWN)
    )
    return analysed(shown, at)


def waste_of(grant: Grant, at: datetime) -> Waste | None:
    """Return what of one grant is not used, None where nothing is to be said."""
    return next(iter(wasted(Grant.objects.filter(pk=grant.pk), at)), None)


def analysed(grants: Sequence[Grant], at: datetime) -> list[Waste]:
    """Judge grants that carry `idle_since`."""
    figures = figures_of(grants, at)
    keys = _keys_of([g for g in grants if _asks_singly(g, figures[g.pk])])
    labels = _labels_of(g for g in grants if figures[g.pk].calls and figures[g.pk].never_read)
    last_idle_day = months_of_idleness(at)
    found = [
        _judged(grant, figures[grant.pk], keys.get(grant.dataset_id, ()), labels, last_idle_day, at)
        for grant in grants
    ]
    return sorted(
        (waste for waste in found if waste.findings),
        key=lambda waste: (waste.figures.calls, waste.grant.pk),
    )


def _judged(
    grant: Grant,
    figures: Figures,
    key: Sequence[str],
    labels: dict[tuple[int, str], str],
    last_idle_day: date,
    at: datetime,
) -> Waste:
    if grant.idle_since < last_idle_day:  # type: ignore[attr-defined]
        findings = {"unused": _unused_words(figures)}
        return Waste(grant, figures, findings, Proposal(ends_on=_earlier_end(grant, at)))
    findings = {}
    if not figures.calls:
        return Waste(grant, figures, findings, Proposal())
    limits = _lower_limits(figures)
    if limits:
        findings["quota"] = _quota_words(figures, limits)
    items = _fewer_items(grant, figures, key)
    if items is not None:
        dropped = [name for name in figures.never_read if name not in items]
        named = ((n, labels.get((grant.dataset_id, n), n)) for n in dropped)
        days = figures.to_json()["newer"]
        findings["columns"] = "、".join(since_when(label, days.get(n)) for n, label in named)
    if key and _is_comparable(grant, items, key):
        words = _("%(calls)s 次调用全是单条查询或核验")
        findings["verify"] = words % {"calls": f"{figures.calls:,}"}
    mode = Mode.VERIFY if "verify" in findings else None
    return Waste(grant, figures, findings, Proposal(items=items, mode=mode, limits=limits))


def _asks_singly(grant: Grant, figures: Figures) -> bool:
    return (
        grant.mode == Mode.INTERFACE
        and figures.calls >= LEAST_CALLS
        and figures.single_calls == figures.calls
    )


def _fewer_items(grant: Grant, figures: Figures, key: Sequence[str]) -> dict[str, str] | None:
    """Return the columns that were read, and the key where records are named by it; None for all.

    What is too new to be called unread stays, too. A grant of which no column was noted is left
    alone: what it was asked for is not known.
    """
    read = {c["name"] for c in grant.columns} - {*figures.never_read, *figures.too_new}
    kept = {
        column["name"]: column.get("mask") or ""
        for column in grant.columns
        if column["name"] in {*read, *key, *figures.too_new}
    }
    return kept if read and len(kept) < len(grant.columns) else None


def _is_comparable(grant: Grant, items: dict[str, str] | None, key: Sequence[str]) -> bool:
    """Say whether the terms could verify: the key in plain, and something else to compare."""
    masks = items if items is not None else {c["name"]: c.get("mask") or "" for c in grant.columns}
    plain = {name for name, mask in masks.items() if not mask}
    return set(key) < plain


def _lower_limits(figures: Figures) -> dict[str, int]:
    used = {"calls_a_day": figures.most_calls, "rows_a_day": figures.most_rows}
    limits = {"calls_a_day": figures.calls_a_day, "rows_a_day": figures.rows_a_day}
    lower = {name: max(_rounded_up(2 * most), LOWEST[name]) for name, most in used.items()}
    return {
        name: lower[name]
        for name, most in used.items()
        if most and (limit := limits[name]) and limit >= TOO_HIGH * most and limit > lower[name]
    }


def _rounded_up(number: int) -> int:
    """Return the number with all but its first two digits zero, not less than it."""
    unit: int = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit


def _quota_words(figures: Figures, limits: dict[str, int]) -> str:
    parts = []
    if "calls_a_day" in limits:
        words = _("每日调用上限 %(limit)s 次，最多的一天 %(most)s 次")
        parts.append(
            words % {"limit": f"{figures.calls_a_day:,}", "most": f"{figures.most_calls:,}"}
        )
    if "rows_a_day" in limits:
        words = _("每日记录上限 %(limit)s 条，最多的一天 %(most)s 条")
        parts.append(words % {"limit": f"{figures.rows_a_day:,}", "most": f"{figures.most_rows:,}"})
    return "；".join(parts)


def _unused_words(figures: Figures) -> str:
    if figures.last_on is None:
        return _("自 %(day)s 起没有调用") % {"day": figures.since.isoformat()}
    return _("最近一次调用在 %(day)s") % {"day": figures.last_on.isoformat()}


def _earlier_end(grant: Grant, at: datetime) -> date | None:
    """Return a near last day for an idle grant, None when it ends before by itself."""
    end = timezone.localdate(at + NOTICE_DAYS)
    last_day = timezone.localdate(grant.expires_at - timedelta(seconds=1))
    return end if end < last_day else None


def _keys_of(grants: Iterable[Grant]) -> dict[int, tuple[str, ...]]:
    """Return the key of each dataset, in one statement."""
    versions = (
        DatasetVersion.objects.filter(dataset__in={grant.dataset_id for grant in grants})
        .order_by("dataset", "-number")
        .distinct("dataset")
    )
    stored = versions.values_list("dataset", "contract")
    return {dataset: tuple(Contract.from_json(contract).key) for dataset, contract in stored}


def _labels_of(grants: Iterable[Grant]) -> dict[tuple[int, str], str]:
    items = DataItem.ever.filter(dataset__in={grant.dataset_id for grant in grants})
    found = items.values_list("dataset", "column_name", "name")
    return {(dataset, column): name for dataset, column, name in found}
