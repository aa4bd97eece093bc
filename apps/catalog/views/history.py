"""What each change of an entry and its items changed, in the labels of the screens."""

import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.differences import words_of
from apps.catalog.models import DataItem, Dataset

QUIET = ("revision", "created_at", "updated_at", "name_key", "submitted_at", "published_at")
MOST = 40


@dataclass(frozen=True)
class Change:
    """One field's old and new value in words; `item` names the data item, "" for the entry.

    kind: "changed", or "added" / "removed" for whole items, whose names `new` / `old` lists.
    An empty value is "".
    """

    item: str
    label: str
    old: str
    new: str
    kind: str = "changed"


@dataclass(frozen=True)
class Step:
    """One historical row: when, by whom, why, and what differs from the row before."""

    at: datetime
    person: str
    reason: str
    changes: list[Change]


def history_of(dataset: Dataset) -> list[Step]:
    """Return the latest changes of the entry and of its items, newest first, in two statements.

    What one save changed, in the entry and in its items, is one step.
    """
    rows = [_steps(dataset.history.select_related("history_user"), is_item=False)]
    items = DataItem.history.filter(dataset_id=dataset.pk)
    rows.append(_steps(items.select_related("history_user"), is_item=True))
    steps = sorted(itertools.chain(*rows), key=lambda step: step.at)
    steps.reverse()  # of one moment, too, the newest first
    told = [_together(list(group)) for _key, group in itertools.groupby(steps, key=_moment)]
    return [step for step in told if step.changes][:MOST]


def _moment(step: Step) -> tuple[datetime, str]:
    return step.at, step.person


def _together(steps: list[Step]) -> Step:
    """Of one save make one step: what changed, then the items that came and went, as two lines."""
    changes = [change for step in steps for change in step.changes]
    told = [change for change in changes if change.kind == "changed"]
    came = [change.new for change in reversed(changes) if change.kind == "added"]
    gone = [change.old for change in reversed(changes) if change.kind == "removed"]
    if came:
        label = _("新增 %(n)s 个数据项") % {"n": len(came)}
        told.append(Change("", label, "", "、".join(came), "added"))
    if gone:
        label = _("移除 %(n)s 个数据项") % {"n": len(gone)}
        told.append(Change("", label, "、".join(gone), "", "removed"))
    return Step(steps[0].at, steps[0].person, steps[0].reason, told)


def _steps(rows: Any, *, is_item: bool) -> list[Step]:
    by_row: dict[int, list[Any]] = {}
    for row in rows.order_by("history_date", "history_id"):
        by_row.setdefault(row.id, []).append(row)
    steps = []
    for versions in by_row.values():
        if is_item:
            steps += [_come_or_gone(row) for row in versions if row.history_type in "+-"]
        for older, newer in itertools.pairwise(versions):
            steps.append(_step(older, newer, is_item=is_item))
    return steps


def _come_or_gone(row: Any) -> Step:
    """An item that was added or taken out."""
    came = row.history_type == "+"
    change = Change(
        "",
        "",
        "" if came else row.name,
        row.name if came else "",
        "added" if came else "removed",
    )
    reason = row.history_change_reason or ""
    return Step(row.history_date, str(row.history_user or ""), reason, [change])


def _step(older: Any, newer: Any, *, is_item: bool) -> Step:
    item = newer.name if is_item else ""
    changes = [
        Change(
            item,
            str(field.verbose_name),
            _words(field, getattr(older, field.attname)),
            _words(field, getattr(newer, field.attname)),
        )
        for field in newer.tracked_fields
        if field.name not in QUIET
        and getattr(older, field.attname) != getattr(newer, field.attname)
    ]
    return Step(
        newer.history_date,
        str(newer.history_user or ""),
        newer.history_change_reason or "",
        changes,
    )


def _words(field: Any, value: Any) -> str:
    return "" if value in (None, "", []) else words_of(field, value)
