"""Reach a status of a catalogue entry by real operations, never by assigning it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.catalog import operations as catalog
from apps.catalog.models import Dataset, DatasetChange
from tests.factories.catalog import DatasetAssessmentFactory, DatasetFactory

REASON: Final = "摘要请写明数据范围"


@dataclass(frozen=True)
class People:
    """Those who bring an entry through: its editor, its head, the authority's officer."""

    editor: Any
    head: Any
    officer: Any


def draft(people: People, at: datetime, **fields: Any) -> Dataset:
    """A complete draft with both assessments passed."""
    dataset = DatasetFactory(department=people.editor.department, **fields)
    DatasetAssessmentFactory(dataset=dataset)
    DatasetAssessmentFactory(dataset=dataset, kind="personal_information")
    return dataset


def awaiting_head(people: People, at: datetime, **fields: Any) -> Dataset:
    return catalog.submit(dataset=draft(people, at, **fields), actor=people.editor, at=at)


def submitted(people: People, at: datetime, **fields: Any) -> Dataset:
    return catalog.approve(dataset=awaiting_head(people, at, **fields), actor=people.head, at=at)


def returned(people: People, at: datetime, **fields: Any) -> Dataset:
    dataset = submitted(people, at, **fields)
    return catalog.send_back(dataset=dataset, actor=people.officer, at=at, reason=REASON)


def published(people: People, at: datetime, **fields: Any) -> Dataset:
    return catalog.publish(dataset=submitted(people, at, **fields), actor=people.officer, at=at)


def withdrawal_requested(people: People, at: datetime, **fields: Any) -> Dataset:
    return catalog.request_withdrawal(
        dataset=published(people, at, **fields), actor=people.head, at=at, reason="职能已划转"
    )


def withdrawn(people: People, at: datetime, **fields: Any) -> Dataset:
    dataset = withdrawal_requested(people, at, **fields)
    return catalog.withdraw(dataset=dataset, actor=people.officer, at=at)


STORIES: Final[dict[str, Callable[..., Dataset]]] = {
    "draft": draft,
    "awaiting_head": awaiting_head,
    "submitted": submitted,
    "returned": returned,
    "published": published,
    "withdrawal_requested": withdrawal_requested,
    "withdrawn": withdrawn,
}


NEW_ABSTRACT: Final = "领取救助的困难群众的基本信息，按月更新"
WHY: Final = "写明更新频率"


def change_draft(people: People, at: datetime, **begun: Any) -> DatasetChange:
    """A change of an entry in force; `begun`: fields, items, trigger as the operation has them."""
    dataset = begun.pop("dataset", None) or published(people, at)
    begun.setdefault("fields", {"abstract": NEW_ABSTRACT})
    return catalog.begin_change(
        dataset=dataset, actor=people.editor, at=at, **{"reason": WHY, **begun}
    )


def change_awaiting_head(people: People, at: datetime, **begun: Any) -> DatasetChange:
    change = change_draft(people, at, **begun)
    return catalog.submit_change(change=change, actor=people.editor, at=at)


def change_submitted(people: People, at: datetime, **begun: Any) -> DatasetChange:
    change = change_awaiting_head(people, at, **begun)
    return catalog.approve_change(change=change, actor=people.head, at=at)


def change_returned(people: People, at: datetime, **begun: Any) -> DatasetChange:
    change = change_submitted(people, at, **begun)
    return catalog.send_back_change(change=change, actor=people.officer, at=at, reason=REASON)


def change_applied(people: People, at: datetime, **begun: Any) -> DatasetChange:
    change = change_submitted(people, at, **begun)
    return catalog.publish_change(change=change, actor=people.officer, at=at)


def change_abandoned(people: People, at: datetime, **begun: Any) -> DatasetChange:
    change = change_draft(people, at, **begun)
    return catalog.abandon_change(change=change, actor=people.editor, at=at, reason="不再修改")


CHANGE_STORIES: Final[dict[str, Callable[..., DatasetChange]]] = {
    "draft": change_draft,
    "awaiting_head": change_awaiting_head,
    "submitted": change_submitted,
    "returned": change_returned,
    "applied": change_applied,
    "abandoned": change_abandoned,
}
