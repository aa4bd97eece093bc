"""How the requests of one matter stand: each part, with whom it lies, and who holds up the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.clocks import queries as clocks
from apps.clocks.calendar import WorkCalendar
from apps.clocks.queries import Remaining
from apps.core import access
from apps.ledger.models import Todo
from apps.sharing.models import BasketEntry, RequestPackage, SharingRequest
from apps.sharing.queries.lists import CLOSED
from apps.sharing.queries.offers import ANSWER_OWED

UNSENT: Final = ("draft", "head_returned")
WITH_CONSUMER: Final = (*UNSENT, "awaiting_head", "supplement")
WITH_PROVIDER: Final = ("form_check", "reviewing", "awaiting_second_review", "awaiting_signature")


@dataclass(frozen=True, slots=True)
class Part:
    """One request of the matter; holder: the department it lies with, None when nobody owes it.

    waited_workdays: the working days that have passed since it came there.
    """

    request: SharingRequest
    remaining: Remaining | None
    todos: Sequence[Todo]
    holder: Department | None
    since: datetime | None
    waited_workdays: int

    @property
    def is_overdue(self) -> bool:
        """Whether a clock of it that still runs is over."""
        return self.remaining is not None and self.remaining.is_over

    @property
    def is_open(self) -> bool:
        return self.request.status not in CLOSED


@dataclass(frozen=True, slots=True)
class Holder:
    """A department that the matter waits for, with the parts that lie there, the longest first."""

    department: Department
    parts: Sequence[Part]
    is_overdue: bool
    waited_workdays: int


def visible_packages(actor: User, at: datetime | None = None) -> QuerySet[RequestPackage]:
    """Return the packages that the person may see, newest first."""
    return access.rows(actor, "view", RequestPackage, at=at).select_related(
        "consumer", "system", "applicant", "service_item"
    )


def parts_of(package: RequestPackage, actor: User, at: datetime) -> list[Part]:
    """Return the parts that the person may see, in the order in which they were added."""
    return parts_of_each([package], actor, at)[package.pk]


def parts_of_each(
    packages: Sequence[RequestPackage], actor: User, at: datetime
) -> dict[int, list[Part]]:
    """Return the same of several, by package, in as many queries as of one."""
    rows = (
        access.rows(actor, "view", SharingRequest.objects.filter(package__in=packages), at=at)
        .select_related("dataset__department", "consumer", "system", "applicant")
        .order_by("pk")
    )
    found = list(rows)
    todos = _todos_of(found)
    calendar = clocks.work_calendar()
    parts: dict[int, list[Part]] = {package.pk: [] for package in packages}
    for row, remaining in clocks.with_clocks(found, at):
        assert row.package_id is not None  # as it was asked for
        part = _part(row, remaining, todos.get(row.pk, []), at, calendar)
        parts[row.package_id].append(part)
    return parts


def holders_of(parts: Sequence[Part]) -> list[Holder]:
    """Return whom the matter waits for: who is overdue first, then who has had it longest.

    Source: house rule (issue 5: who is holding up the matter)
    """
    lying: dict[int, list[Part]] = {}
    for part in parts:
        if part.is_open and part.holder is not None:
            lying.setdefault(part.holder.pk, []).append(part)
    holders = [_holder(group) for group in lying.values()]
    return sorted(holders, key=lambda holder: (not holder.is_overdue, -holder.waited_workdays))


def unsent_parts(package: RequestPackage) -> QuerySet[SharingRequest]:
    """Return what still, or again, lies with its author and was not sent to the own head."""
    return package.parts.filter(status__in=UNSENT).order_by("pk")


def basket_of(person: User) -> QuerySet[BasketEntry]:
    """Return what the person put aside, the first first."""
    return BasketEntry.objects.filter(owner=person).select_related("dataset__department")


def _todos_of(rows: Sequence[SharingRequest]) -> dict[int, list[Todo]]:
    found: dict[int, list[Todo]] = {}
    kind = ContentType.objects.get_for_model(SharingRequest)
    todos = Todo.objects.filter(
        content_type=kind, object_id__in=[row.pk for row in rows], done_at=None
    )
    for todo in todos.select_related("department", "assignee__department").order_by("opened_at"):
        found.setdefault(todo.object_id, []).append(todo)
    return found


def _part(
    row: SharingRequest,
    remaining: Remaining | None,
    todos: Sequence[Todo],
    at: datetime,
    calendar: WorkCalendar,
) -> Part:
    # The answer to an offer comes first: while it is owed, the provider waits for it.
    first = min(todos, key=lambda todo: todo.kind != ANSWER_OWED, default=None)
    holder = _department_of(row, first)
    since = first.opened_at if first else row.updated_at if holder else None
    return Part(row, remaining, todos, holder, since, _workdays_since(since, at, calendar))


def _department_of(row: SharingRequest, todo: Todo | None) -> Department | None:
    """Where no to-do names it, as for a draft or on the way inside, the status tells the side."""
    if todo is not None:
        return todo.department or (todo.assignee.department if todo.assignee else None)
    if row.status in WITH_PROVIDER:
        return row.dataset.department
    return row.consumer if row.status in WITH_CONSUMER else None


def _workdays_since(since: datetime | None, at: datetime, calendar: WorkCalendar) -> int:
    """Count the working days after the day on which it came: that day is day 0."""
    if since is None:
        return 0
    return calendar.count_workdays(timezone.localdate(since), timezone.localdate(at))


def _holder(parts: Sequence[Part]) -> Holder:
    ordered = sorted(parts, key=lambda part: (not part.is_overdue, -part.waited_workdays))
    department = ordered[0].holder
    assert department is not None  # they were grouped by it
    return Holder(
        department,
        ordered,
        any(part.is_overdue for part in ordered),
        max(part.waited_workdays for part in ordered),
    )
