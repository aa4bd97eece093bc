"""What is asked about work tasks: how far they are, who is late, what was answered before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import BooleanField, Case, Count, ExpressionWrapper, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.functional import Promise

from apps.accounts.models import Department, InformationSystem, Region, User
from apps.accounts.queries import lineage_of
from apps.catalog.models import Dataset
from apps.catalog.queries import responsibility
from apps.clocks.calendar import DayKind, WorkCalendar, days_between
from apps.clocks.queries import Remaining, policy_in_force
from apps.core import access
from apps.supervision.models import (
    OUTSTANDING,
    SIGNED,
    ReturnStatus,
    TargetList,
    TaskReturn,
    TaskStatus,
    WorkTask,
)

TELL_HEAD: Final = "task.tell_head"
TELL_LEADER: Final = "task.tell_leader"
ON_THE_BOARD: Final = (*OUTSTANDING, *SIGNED, "excused", "lapsed")


@dataclass(frozen=True)
class Span:
    """The days from the one after `start` to `end`, counted; `names` are the holidays among them.

    Units: days.
    """

    start: date
    end: date
    workdays: int
    days_off: int
    make_up_days: int
    names: tuple[str | Promise, ...]
    provisional: bool


@dataclass(frozen=True)
class Progress:
    """How many of a task's departments stand where; `late` are those of them whose time is over."""

    counts: dict[str, int]
    late: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def expected(self) -> int:
        return self.total - self.counts.get("excused", 0)

    @property
    def handed_in(self) -> int:
        return sum(self.counts.get(status, 0) for status in SIGNED)

    @property
    def outstanding(self) -> int:
        return sum(self.counts.get(status, 0) for status in OUTSTANDING)


def late(at: datetime) -> Q:
    """The returns still owed of which the last day is over."""
    return Q(
        status__in=OUTSTANDING,
        task__status=TaskStatus.ISSUED,
        task__due_on__lt=timezone.localdate(at),
    )


def with_lateness(returns: QuerySet[TaskReturn], at: datetime) -> QuerySet[Any]:
    """Add `is_late`, and put the late ones first, then those furthest behind."""
    behind = [When(status=status, then=Value(rank)) for rank, status in enumerate(ON_THE_BOARD)]
    return returns.annotate(
        is_late=ExpressionWrapper(late(at), output_field=BooleanField()),
        rank=Case(*behind, default=Value(len(behind))),
    ).order_by("-is_late", "rank", "department__code", "pk")


def progress_of(task: WorkTask, at: datetime) -> Progress:
    return progress_of_all([task], at)[task.pk]


def progress_of_all(tasks: Iterable[WorkTask], at: datetime) -> dict[int, Progress]:
    """Return the progress of many tasks in one query."""
    keys = [task.pk for task in tasks]
    counts: dict[int, dict[str, int]] = {key: {} for key in keys}
    overdue = dict.fromkeys(keys, 0)
    found = (
        TaskReturn.objects.filter(task__in=keys)
        .order_by()
        .values_list("task", "status")
        .annotate(rows=Count("pk"), late=Count("pk", filter=late(at)))
    )
    for key, status, rows, behind in found:
        counts[key][status] = rows
        overdue[key] += behind
    return {key: Progress(counts[key], overdue[key]) for key in keys}


def span(start: date, end: date, calendar: WorkCalendar) -> Span:
    """Count the days until a day: what a person would otherwise do on a wall calendar."""
    days = [calendar.look_up(day) for day in days_between(start, end)]
    names = dict.fromkeys(str(day.note) for day in days if day.kind == DayKind.HOLIDAY and day.note)
    return Span(
        start=start,
        end=end,
        workdays=sum(day.is_workday for day in days),
        days_off=sum(not day.is_workday for day in days),
        make_up_days=sum(day.kind == DayKind.MAKE_UP for day in days),
        names=tuple(names),
        provisional=any(day.provisional for day in days),
    )


def remaining_until(
    due_on: date | None, *, since: datetime | None, at: datetime, calendar: WorkCalendar
) -> Remaining | None:
    """Say how a named last day stands, in the shape in which every page shows a time limit."""
    if due_on is None:
        return None
    today = timezone.localdate(at)
    start = timezone.localdate(since) if since is not None else today
    total = calendar.count_workdays(start, due_on)
    left = calendar.count_workdays(today, due_on)
    over = max(calendar.count_workdays(due_on, today), 1) if today > due_on else 0
    ratio = 1.0 if over or not total else min(max(1 - left / total, 0.0), 1.0)
    return Remaining(
        unit="workday",
        left=left,
        over=over,
        due_on=due_on,
        due_at=at,
        ratio=ratio,
        provisional=not calendar.knows(due_on.year),
        is_reference=False,
        state="running",
        met=None,
        fill=round(ratio * 100, 1),
        hatches=(),
    )


def is_due_to_tell(due_on: date, code: str, *, today: date, calendar: WorkCalendar) -> bool:
    """Say whether as many working days have passed since the last day as the policy grants.

    Source: the dated policies task.tell_head and task.tell_leader
    """
    policy = policy_in_force(code, today)
    return today > due_on and calendar.count_workdays(due_on, today) >= (policy.length or 0)


def previous_task(task: WorkTask) -> WorkTask | None:
    """Return the task whose answers are carried over: the one copied, else the last of its kind."""
    if task.previous is not None:
        return task.previous
    senders = lineage_of(task.department)
    earlier = WorkTask.objects.filter(
        kind=task.kind, department__in=senders, status__in=("issued", "closed"), pk__lt=task.pk
    )
    return earlier.order_by("-issued_at").first()


def previous_return(task: WorkTask, department: Department) -> TaskReturn | None:
    """Return what the department, or what it grew from, last handed in to the like task."""
    before = previous_task(task)
    if before is None:
        return None
    handed_in = TaskReturn.objects.filter(
        task=before, department__in=lineage_of(department), status__in=SIGNED
    )
    return handed_in.exclude(answer_kind="").order_by("-signed_at").first()


def target_lines(task: WorkTask, department: Department) -> list[dict[str, Any]]:
    """Return what the department goes through line by line, as it is registered now."""
    rows: QuerySet[Any]
    if task.target_list == TargetList.DUTIES:
        return _duty_lines(department)
    if task.target_list == TargetList.SYSTEMS:
        rows = InformationSystem.objects.filter(department=department).order_by("code")
    elif task.target_list == TargetList.DATASETS:
        rows = Dataset.objects.published().filter(department=department).order_by("code")
    else:
        return []
    return [
        {"key": code, "label": name, "answers": {}}
        for code, name in rows.values_list("code", "name")
    ]


def _duty_lines(department: Department) -> list[dict[str, Any]]:
    """Each goes by its entry's code, which next year's has too; without an entry by its number."""
    duties = responsibility.duties_in_force().filter(department=department)
    rows = duties.order_by("due_on", "pk").values_list("dataset__code", "pk", "title")
    return [
        {"key": code or f"ZR-{pk:06d}", "label": title, "answers": {}} for code, pk, title in rows
    ]


def awaiting_acceptance(task: WorkTask) -> QuerySet[TaskReturn]:
    return task.returns.filter(status=ReturnStatus.SUBMITTED)


def returns_of_department(actor: User) -> QuerySet[TaskReturn]:
    """Return what the person's department owes or handed in."""
    return access.rows(actor, "belong", TaskReturn).select_related("task__department", "department")


def district_departments() -> QuerySet[Department]:
    """Return the departments of districts, counties and zones."""
    found: QuerySet[Department] = Department.objects.exclude(region__kind=Region.Kind.CITY)
    return found


def possible_recipients(on: date) -> QuerySet[Department]:
    """Return the departments that exist, the city's first, then those of the districts."""
    found: QuerySet[Department] = (
        Department.objects.in_force(on).filter(valid_to=None).select_related("region")
    )
    return found.order_by("region__code", "region__key", "code")
