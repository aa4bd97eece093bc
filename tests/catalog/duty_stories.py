"""Reach a status of a responsibility list or a duty by real operations, never by assigning it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from apps.catalog.models import Duty, ResponsibilityList
from apps.catalog.operations import compiling, duties, performing, responsibility
from tests.factories.catalog import PublishedDatasetFactory

DUE: Final = date(2026, 12, 31)
ANSWER_BY: Final = date(2026, 11, 28)


@dataclass(frozen=True)
class Side:
    """Who is on either side of a list: the authority's officer, a department's editor and head."""

    officer: Any
    editor: Any
    head: Any

    @property
    def department(self) -> Any:
        return self.editor.department


def compiling_list(side: Side, at: datetime, *, entries: int = 1) -> ResponsibilityList:
    for _number in range(entries):
        PublishedDatasetFactory(department=side.department)
    made = compiling.compile_lists(
        year=2026,
        batch="第一批",
        due_on=DUE,
        departments=[side.department],
        actor=side.officer,
        at=at,
    )
    return made.lists[0]


def consulting_list(
    side: Side, at: datetime, *, answer_by: date = ANSWER_BY, **more: Any
) -> ResponsibilityList:
    return responsibility.consult(
        responsibility_list=compiling_list(side, at, **more),
        consult_due_on=answer_by,
        actor=side.officer,
        at=at,
    )


def issued_list(side: Side, at: datetime, **more: Any) -> ResponsibilityList:
    found = consulting_list(side, at, **more)
    responsibility.reply(responsibility_list=found, actor=side.head, at=at, opinion="无意见")
    return responsibility.issue(responsibility_list=found, actor=side.officer, at=at)


def adjusting_list(side: Side, at: datetime, **more: Any) -> ResponsibilityList:
    found = issued_list(side, at, **more)
    compiling.adjust(responsibility_list=found, actor=side.officer, at=at)
    return found


def closed_list(side: Side, at: datetime, **more: Any) -> ResponsibilityList:
    return responsibility.close(
        responsibility_list=issued_list(side, at, **more),
        actor=side.officer,
        at=at,
        reason="职能已划转",
    )


LISTS: Final[dict[str, Callable[..., ResponsibilityList]]] = {
    "compiling": compiling_list,
    "consulting": consulting_list,
    "issued": issued_list,
    "adjusting": adjusting_list,
    "closed": closed_list,
}


def only(found: ResponsibilityList) -> Duty:
    return found.duties.select_related("responsibility_list", "department").get()


def proposed(side: Side, at: datetime) -> Duty:
    return only(consulting_list(side, at))


def accepted(side: Side, at: datetime) -> Duty:
    return duties.accept(duty=proposed(side, at), actor=side.editor, at=at)


def objected(side: Side, at: datetime) -> Duty:
    return duties.raise_objection(
        duty=proposed(side, at), actor=side.editor, at=at, reason="数据由区县掌握"
    )


def settled(side: Side, at: datetime) -> Duty:
    return duties.settle(
        duty=objected(side, at), actor=side.officer, at=at, reason="请汇总区县数据后归集"
    )


def dropped(side: Side, at: datetime) -> Duty:
    return duties.drop(duty=proposed(side, at), actor=side.officer, at=at, reason="重复列入")


def in_force(side: Side, at: datetime) -> Duty:
    return only(issued_list(side, at))


def performed(side: Side, at: datetime) -> Duty:
    return performing.perform(
        duty=in_force(side, at),
        actor=side.editor,
        at=at + timedelta(hours=1),
        evidence="已全量入库",
        performed_rows=100,
    )


def done(side: Side, at: datetime) -> Duty:
    return performing.verify(duty=performed(side, at), actor=side.officer, at=at)


def released(side: Side, at: datetime) -> Duty:
    return performing.release(
        duty=in_force(side, at), actor=side.officer, at=at, reason="业务已取消"
    )


DUTIES: Final[dict[str, Callable[[Side, datetime], Duty]]] = {
    "proposed": proposed,
    "accepted": accepted,
    "objected": objected,
    "settled": settled,
    "in_force": in_force,
    "performed": performed,
    "done": done,
    "released": released,
    "dropped": dropped,
}
