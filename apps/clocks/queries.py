"""What runs, until when, and the derivation that anyone can read.

Every list loads the calendar once and the inputs of its clocks by `with_inputs`: the number of
statements does not grow with the number of clocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, OuterRef, Q, QuerySet, Subquery

from apps.clocks import wording
from apps.clocks.calendar import DayKind, Override, WorkCalendar, days_between
from apps.clocks.derivation import ZONE, Derivation, Leg, Pause, Step, Terms, Unit, Why, derive
from apps.clocks.models import CalendarDay, CalendarYear, Clock, ClockPolicy
from apps.core.errors import NotFound

LIVE = (Clock.State.RUNNING, Clock.State.PAUSED)


RowT = TypeVar("RowT", bound=Model)


@dataclass(frozen=True)
class Line:
    """One day of a derivation as a page shows it."""

    day: date
    weekday: str
    counted: bool
    number: int | None
    why: str
    provisional: bool
    is_extension: bool


@dataclass(frozen=True)
class Remaining:
    """How a clock stands at an instant.

    Units: `left` and `over` in the policy's own unit (hours for hours, days for months and years);
    `ratio` is what has been used, 0 to 1; `fill` and `hatches` are percent of the bar's width.
    """

    unit: str
    left: int
    over: int
    due_on: date
    due_at: datetime
    ratio: float
    provisional: bool
    is_reference: bool
    state: str
    met: bool | None
    fill: float
    hatches: tuple[tuple[float, float], ...]

    @property
    def is_amber(self) -> bool:
        return self.state == Clock.State.RUNNING and not self.over and self.ratio >= 0.8

    @property
    def is_over(self) -> bool:
        return self.over > 0 or self.met is False


def work_calendar() -> WorkCalendar:
    """Return the calendar as known now, in two statements however long the span."""
    overrides = {row.day: Override(row.is_workday, row.note) for row in CalendarDay.objects.all()}
    years = CalendarYear.objects.values_list("year", flat=True)
    return WorkCalendar(overrides, frozenset(years))


@dataclass(frozen=True, slots=True)
class DaysOff:
    """One occasion of a year: the days off, and the working days on weekends that make up."""

    name: str
    off: list[date]
    make_up: list[date]


def schedule_of(year: int, calendar: WorkCalendar) -> list[DaysOff]:
    """Return a year's occasions in the order of their days; plain weekends are none."""
    found: dict[str, DaysOff] = {}
    for day in days_between(date(year - 1, 12, 31), date(year, 12, 31)):
        known = calendar.look_up(day)
        if known.kind not in (DayKind.HOLIDAY, DayKind.MAKE_UP):
            continue
        occasion = found.setdefault(str(known.note), DaysOff(str(known.note), [], []))
        (occasion.off if known.kind == DayKind.HOLIDAY else occasion.make_up).append(day)
    return list(found.values())


def closing_time() -> time:
    return time.fromisoformat(settings.HUILIU_CLOSING_TIME)


def policy_in_force(code: str, on: date) -> ClockPolicy:
    """Return the version of a policy that holds on a day.

    Raises:
        NotFound: no policy of this code holds then.
    """
    policy = (
        ClockPolicy.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), code=code)
        .filter(valid_from__lte=on)
        .order_by("-valid_from")
        .first()
    )
    if policy is None:
        raise NotFound(f"{code} {on}", code="unknown_clock_policy")
    return policy


def with_inputs(clocks: QuerySet[Clock]) -> QuerySet[Clock]:
    """Load with each clock everything it is derived from."""
    return clocks.select_related("policy", "extension", "department").prefetch_related("pauses")


def clocks_of(subject: Model) -> QuerySet[Clock]:
    """All clocks of a subject, the ended ones too, oldest first."""
    return with_inputs(
        Clock.objects.filter(
            content_type=ContentType.objects.get_for_model(subject), object_id=subject.pk
        ).order_by("started_at", "id")
    )


def running(subject: Model) -> QuerySet[Clock]:
    """The clocks of a subject that run or are paused."""
    return clocks_of(subject).filter(state__in=LIVE).order_by("due_at", "id")


def live_clocks_of(subjects: Iterable[Model]) -> dict[tuple[int, int], list[Clock]]:
    """The live clocks of many subjects at once, by (content type, key): for lists."""
    keys: dict[int, set[int]] = {}
    for subject in subjects:
        keys.setdefault(ContentType.objects.get_for_model(subject).pk, set()).add(subject.pk)
    return live_clocks_by_key((kind, key) for kind, found in keys.items() for key in found)


def live_clocks_by_key(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[Clock]]:
    """The live clocks by (content type, key), soonest first; for to-dos, which carry both."""
    by_type: dict[int, set[int]] = {}
    for kind, key in keys:
        by_type.setdefault(kind, set()).add(key)
    wanted = Q(pk__in=[])
    for kind, found in by_type.items():
        wanted |= Q(content_type=kind, object_id__in=found)
    result: dict[tuple[int, int], list[Clock]] = {}
    for clock in with_inputs(Clock.objects.filter(wanted, state__in=LIVE)):
        result.setdefault((clock.content_type_id, clock.object_id), []).append(clock)
    return result


def overdue(at: datetime) -> QuerySet[Clock]:
    """Running clocks whose time is over, the longest overdue first."""
    return with_inputs(Clock.objects.filter(state=Clock.State.RUNNING, due_at__lte=at))


def overdue_of(model: type[Model], code: str, at: datetime) -> QuerySet[Clock, int]:
    """Return the keys of the model's rows whose running clock of the policy is over."""
    late = Clock.objects.filter(
        policy__code=code,
        content_type=ContentType.objects.get_for_model(model),
        state=Clock.State.RUNNING,
        due_at__lte=at,
    )
    return late.values_list("object_id", flat=True)


def due_day(subject: Model, code: str) -> date:
    """Return the last day of the subject's clock of the policy, which follows the calendar.

    Of several it is the last one's; one that ended keeps the day until which it ran.

    Raises:
        Clock.DoesNotExist: it never had one.
    """
    return clocks_of(subject).filter(policy__code=code).reverse()[:1].get().due_on


def due_days(model: type[Model], code: str) -> Subquery:
    """Return what `due_day` says as an expression, to annotate rows of the model with."""
    of_row = Clock.objects.filter(
        policy__code=code,
        content_type__app_label=model._meta.app_label,
        content_type__model=model._meta.model_name,  # asked for by name: no query before the query
        object_id=OuterRef("pk"),
    )
    return Subquery(of_row.order_by("-started_at", "-id").values("due_on")[:1])


def with_clocks(rows: Iterable[RowT], at: datetime) -> list[tuple[RowT, Remaining | None]]:
    """Return each row with how its live clock stands, in a constant number of statements.

    rows: of one model. A row without a live clock has None.
    """
    shown = list(rows)
    if not shown:
        return []
    kind = ContentType.objects.get_for_model(shown[0]).pk
    live = live_clocks_by_key((kind, row.pk) for row in shown)
    calendar = work_calendar()
    return [
        (row, remaining(found[0], at, calendar) if found else None)
        for row in shown
        for found in [live.get((kind, row.pk), [])]
    ]


def of_due(rows: QuerySet[Any], due: str, at: datetime, *, workdays: int) -> QuerySet[Any]:
    """Keep of the rows of any model those whose clocks are "overdue", or due "soon" and none over.

    workdays: soon is today, or one of so many working days after it. A clock that is paused is
    neither. Any other word keeps them all.
    """
    running = Clock.objects.filter(
        content_type=ContentType.objects.get_for_model(rows.model), state=Clock.State.RUNNING
    )
    late = running.filter(due_at__lte=at).values("object_id")
    if due == "overdue":
        return rows.filter(pk__in=late)
    if due == "soon":
        last = work_calendar().add_workdays(at.astimezone(ZONE).date(), workdays)
        soon = running.filter(due_at__gt=at, due_on__lte=last).values("object_id")
        return rows.filter(pk__in=soon).exclude(pk__in=late)
    return rows


def terms_of(clock: Clock) -> Terms:
    """Gather the inputs that are kept of a clock."""
    policy = clock.policy
    if policy.unit == ClockPolicy.Unit.FIXED_DAY:
        fixed = (policy.fixed_month or 12, policy.fixed_day or 31)
        legs: list[Leg] = []
    else:
        fixed = None
        legs = [Leg(clock.length or policy.length or 0, Unit(policy.unit))]
    extension = getattr(clock, "extension", None)
    if extension is not None:
        legs.append(Leg(extension.length, Unit(extension.unit)))
    paused = clock.pauses.all() if clock.pk else ()
    pauses = tuple(Pause(pause.since, pause.until, pause.reason) for pause in paused)
    return Terms(clock.started_at, tuple(legs), closing_time(), pauses, fixed)


def derivation_of(clock: Clock, calendar: WorkCalendar | None = None) -> Derivation:
    """Derive the clock anew from its kept inputs."""
    return derive(terms_of(clock), calendar or work_calendar())


def derivation_under(code: str, since: datetime) -> Derivation:
    """Derive when what began then is due under the policy of that day; no clock is started.

    Raises:
        NotFound: no policy of this code holds then.
    """
    policy = policy_in_force(code, since.astimezone(ZONE).date())
    return derivation_of(Clock(policy=policy, started_at=since))


def explain(
    clock: Clock, calendar: WorkCalendar | None = None, *, at: datetime | None = None
) -> list[Line]:
    """Write the derivation of the due date day by day, from the kept inputs only.

    While the clock is paused nothing is known beyond: the days end with the pause, at `at`.
    """
    calendar = calendar or work_calendar()
    steps = list(derivation_of(clock, calendar).steps)
    paused_on = _paused_on(clock)
    if paused_on is not None:
        steps = [step for step in steps if step.day.day <= paused_on]
        today = at.astimezone(ZONE).date() if at is not None else paused_on
        reason = steps[-1].reason
        steps += [
            Step(calendar.look_up(day), Why.PAUSED, reason=reason)
            for day in days_between(paused_on, today)
        ]
    return [_line(step, before) for before, step in zip((None, *steps), steps, strict=False)]


def _line(step: Step, before: Step | None) -> Line:
    return Line(
        day=step.day.day,
        weekday=wording.weekday(step.day.day),
        counted=step.counted,
        number=step.number,
        why=wording.why(step, before),
        provisional=step.day.provisional,
        is_extension=step.leg > 0,
    )


def _paused_on(clock: Clock) -> date | None:
    """The day on which the pause began that still lasts."""
    since = next((pause.since for pause in clock.pauses.all() if pause.until is None), None)
    return since.astimezone(ZONE).date() if since is not None else None


def remaining(clock: Clock, at: datetime, calendar: WorkCalendar | None = None) -> Remaining:
    """Say how the clock stands at `at`; an ended clock stands as it stood when it ended."""
    calendar = calendar or work_calendar()
    instant = min([at, *_ends(clock)])
    terms = terms_of(clock)
    derived = derive(terms, calendar)
    if terms.in_hours:
        left, over, ratio = _hours_left(clock, derived, instant)
    else:
        left, over, ratio = _days_left(clock, derived, instant, calendar, terms)
    fill, hatches = _bar(derived, instant, ratio, in_hours=terms.in_hours)
    return Remaining(
        unit=_unit_shown(terms),
        left=left,
        over=over,
        due_on=derived.due_on,
        due_at=derived.due_at,
        ratio=ratio,
        provisional=derived.provisional,
        is_reference=clock.is_reference,
        state=clock.state,
        met=clock.met,
        fill=fill,
        hatches=hatches,
    )


def _ends(clock: Clock) -> list[datetime]:
    """The instants at which the clock stood still for good or for now."""
    pauses = [pause.since for pause in clock.pauses.all() if pause.until is None]
    return [*pauses, clock.stopped_at] if clock.stopped_at else pauses


def _unit_shown(terms: Terms) -> str:
    if terms.in_hours:
        return "hour"
    return "workday" if terms.counts_workdays else "day"


def _hours_left(clock: Clock, derived: Derivation, instant: datetime) -> tuple[int, int, float]:
    seconds = (derived.due_at - instant).total_seconds()
    total = (derived.due_at - clock.started_at).total_seconds()
    left, over = int(max(seconds, 0) // 3600), -int(min(seconds, 0) // 3600)
    return left, over, _clamped(1 - seconds / total if total else 1)


def _days_left(
    clock: Clock, derived: Derivation, instant: datetime, calendar: WorkCalendar, terms: Terms
) -> tuple[int, int, float]:
    today = instant.astimezone(ZONE).date()
    left = sum(step.counted and step.day.day > today for step in derived.steps)
    over = 0
    if today > derived.due_on:
        if terms.counts_workdays:
            # A day off after the due date is late already, though no working day has passed.
            over = max(calendar.count_workdays(derived.due_on, today), 1)
        else:
            over = (today - derived.due_on).days
    used = derived.counted - left
    return left, over, _clamped(used / derived.counted if derived.counted else 1)


def _bar(
    derived: Derivation, instant: datetime, ratio: float, *, in_hours: bool
) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Lay the derivation's days along the bar: how far today is, and where it was paused."""
    if in_hours or not derived.steps:
        return round(ratio * 100, 1), ()
    width = 100 / len(derived.steps)
    today = instant.astimezone(ZONE).date()
    passed = sum(step.day.day <= today for step in derived.steps)
    hatches: list[tuple[float, float]] = []
    for index, step in enumerate(derived.steps):
        if step.why not in {Why.PAUSED, Why.RESUMED}:
            continue
        x = round(index * width, 1)
        if hatches and abs(hatches[-1][0] + hatches[-1][1] - x) < width / 2:
            hatches[-1] = (hatches[-1][0], round(hatches[-1][1] + width, 1))
        else:
            hatches.append((x, round(width, 1)))
    return round(passed * width, 1), tuple(hatches)


def _clamped(ratio: float) -> float:
    return min(max(ratio, 0.0), 1.0)
