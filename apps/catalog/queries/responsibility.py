"""What is asked of responsibility lists and duties."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Count, Min, Q, QuerySet, Sum
from django.utils.functional import Promise

from apps.accounts.models import Department
from apps.catalog.lifecycle.responsibility import LIVE
from apps.catalog.models import Dataset, Demand, DemandStatus, Duty, ResponsibilityList

COMPARED: Final = (
    "title",
    "item_names",
    "expected_rows",
    "update_cycle",
    "due_on",
    "contact_name",
    "contact_phone",
    "internal_unit",
    "sharing_attribute",
    "opening_attribute",
)


@dataclass(frozen=True)
class Breakdown:
    """How the parts of a duty add up. Units: records; gap and excess are never both above 0."""

    parts: list[Duty]
    expected: int | None
    assigned: int
    performed: int

    @property
    def gap(self) -> int:
        return max(0, (self.expected or 0) - self.assigned)

    @property
    def excess(self) -> int:
        return max(0, self.assigned - self.expected) if self.expected is not None else 0

    @property
    def finished(self) -> int:
        return sum(part.status in ("performed", "done") for part in self.parts)


@dataclass(frozen=True)
class Change:
    """A field of a duty that is another than last year."""

    label: str | Promise
    old: str
    new: str


@dataclass(frozen=True)
class Difference:
    """A list beside the one of the year before."""

    added: list[Duty]
    removed: list[Duty]
    changed: list[tuple[Duty, list[Change]]]
    unchanged: int


def counted(lists: QuerySet[ResponsibilityList]) -> QuerySet[ResponsibilityList]:
    """Add to each list how its duties stand, and the first day that is due."""
    top = Q(duties__parent=None) & ~Q(duties__status="dropped")
    return lists.annotate(
        duty_count=Count("duties", filter=top),
        proposed_count=Count("duties", filter=top & Q(duties__status="proposed")),
        objected_count=Count("duties", filter=top & Q(duties__status="objected")),
        finished_count=Count("duties", filter=top & Q(duties__status__in=("performed", "done"))),
        undated_count=Count("duties", filter=top & Q(duties__due_on=None)),
        first_due_on=Min("duties__due_on", filter=top & Q(duties__status="in_force")),
    )


def duties_in_force() -> QuerySet[Duty]:
    """Return what departments are held to now, by lists that are in force.

    A part counts for itself only when it promises a dataset of its own; else it is inside its
    parent's.
    """
    return Duty.objects.filter(
        Q(parent=None) | Q(dataset__isnull=False),
        status__in=LIVE,
        responsibility_list__status__in=("issued", "adjusting"),
    )


def datasets_to_promise(departments: Iterable[Department] | None = None) -> QuerySet[Dataset]:
    """Return the published, shareable entries that no open list promises yet.

    Source: 渝大数据复函〔2019〕124号 (应归尽归)
    """
    promised = Duty.objects.filter(parent=None, dataset__isnull=False).exclude(
        Q(status__in=("dropped", "released")) | Q(responsibility_list__status="closed")
    )
    found: QuerySet[Dataset] = Dataset.objects.published()
    found = found.exclude(sharing_attribute="not_shared").exclude(pk__in=promised.values("dataset"))
    return found if departments is None else found.filter(department__in=list(departments))


def demands_to_promise(departments: Iterable[Department] | None = None) -> QuerySet[Demand]:
    """Return the agreed demands for data that no entry holds yet and no open list promises.

    Source: 《政务数据共享条例》第二十条
    """
    promised = Duty.objects.filter(demand__isnull=False).exclude(
        Q(status__in=("dropped", "released")) | Q(responsibility_list__status="closed")
    )
    found = Demand.objects.filter(status=DemandStatus.AGREED, dataset=None).exclude(
        pk__in=promised.values("demand")
    )
    return found if departments is None else found.filter(provider__in=list(departments))


def waiting_to_be_promised() -> dict[int, int]:
    """Return of each department how many entries and agreed demands no open list promises yet."""
    entries = datasets_to_promise().order_by().values_list("department").annotate(Count("pk"))
    wanted = demands_to_promise().order_by().values_list("provider").annotate(Count("pk"))
    found: Counter[int] = Counter(dict(entries))
    found.update(dict(wanted))
    return found


def parts_given_to(department_id: int | None, duties: QuerySet[Duty]) -> QuerySet[Duty]:
    """Return of these the parts of other departments' duties that this department has to do."""
    found = duties.filter(department=department_id, parent__isnull=False)
    return found.exclude(responsibility_list__department=department_id).exclude(
        status__in=("released", "dropped")
    )


def departments_below(department: Department) -> QuerySet[Department]:
    """Return the departments of the regions directly below, to which parts of a duty may go."""
    below: QuerySet[Department] = Department.objects.filter(region__parent=department.region_id)
    return below.filter(valid_to=None)


def breakdown_of(duty: Duty) -> Breakdown:
    """Return the parts of the duty that still count, and their sums."""
    parts = list(
        duty.parts.exclude(status__in=("released", "dropped"))
        .select_related("department", "responsibility_list", "dataset")
        .order_by("pk")
    )
    return Breakdown(
        parts,
        duty.expected_rows,
        sum(part.expected_rows or 0 for part in parts),
        sum(part.performed_rows or 0 for part in parts),
    )


def parts_below(duty: Duty) -> QuerySet[Duty]:
    """Return the parts of a duty and their parts, all the way down; a statement a level."""
    found: list[int] = []
    level = list(duty.parts.values_list("pk", flat=True))
    while level:
        found += level
        level = list(Duty.objects.filter(parent__in=level).values_list("pk", flat=True))
    return Duty.objects.filter(pk__in=found)


def assigned_rows(duty: Duty) -> int:
    """Return how many records the duty's parts have to gather together."""
    kept = duty.parts.exclude(status__in=("released", "dropped"))
    return kept.aggregate(rows=Sum("expected_rows"))["rows"] or 0


def difference_of(current: ResponsibilityList) -> Difference | None:
    """Return what changed from last year's list to this; None when there was none.

    That every day moves on by a year is the adjustment itself and no change.
    Three statements however long the lists are.
    """
    if current.previous_id is None:
        return None
    duties = list(
        current.duties.filter(parent=None).exclude(status="dropped").select_related("previous")
    )
    carried = [duty.previous_id for duty in duties if duty.previous_id is not None]
    before = Duty.objects.filter(responsibility_list=current.previous_id, parent=None)
    removed = list(before.exclude(status="dropped").exclude(pk__in=carried))
    changed, added, unchanged = [], [], 0
    for duty in duties:
        if duty.previous is None:
            added.append(duty)
        elif changes := _changes(duty.previous, duty):
            changed.append((duty, changes))
        else:
            unchanged += 1
    return Difference(added, removed, changed, unchanged)


def _changes(old: Duty, new: Duty) -> list[Change]:
    return [
        Change(Duty._meta.get_field(name).verbose_name, _words(old, name), _words(new, name))  # type: ignore[union-attr]
        for name in COMPARED
        if getattr(old, name) != getattr(new, name) and not _is_carried_on(name, old, new)
    ]


def _is_carried_on(name: str, old: Duty, new: Duty) -> bool:
    return name == "due_on" and old.due_on is not None and new.due_on == a_year_on(old.due_on)


def a_year_on(day: date) -> date:
    """Return the same day of the next year; of the 29th of February the 28th."""
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)


def _words(duty: Duty, name: str) -> str:
    display = getattr(duty, f"get_{name}_display", None)
    value = display() if display else getattr(duty, name)
    if isinstance(value, list):
        return "、".join(value)
    return "" if value is None else str(value)
