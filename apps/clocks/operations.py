"""Start, pause, resume, extend, stop and cancel clocks; keep calendar and due dates in step.

The clock operations are called by the use cases that own the subject: they ask no permission of
their own and write no event, since the use case has done both. Calendar and rules are changed by
people, so those operations have all six beats.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import Department, User
from apps.clocks import queries
from apps.clocks.calendar import WorkCalendar
from apps.clocks.derivation import ZONE
from apps.clocks.models import (
    CalendarDay,
    CalendarYear,
    Clock,
    ClockExtension,
    ClockPause,
    ClockPolicy,
)
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotFound, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def start(
    subject: Model,
    code: str,
    *,
    department: Department | None,
    at: datetime,
    length: int | None = None,
) -> Clock:
    """Start the clock of a policy for a subject, on its receipt at `at`.

    `length` is what the authority sets case by case, where the policy leaves it open.

    Source: 《政务数据共享条例》第十七条、第二十一条、第二十二条、第二十六条
    Raises:
        Conflict: such a clock runs already for this subject.
        InvalidInput: the policy leaves the length open and none was given.
    """
    policy = queries.policy_in_force(code, at.astimezone(ZONE).date())
    if policy.length is None and length is None and policy.unit != ClockPolicy.Unit.FIXED_DAY:
        raise InvalidInput(_("须填写时长"), field="length")
    if queries.running(subject).filter(policy__code=code).exists():
        raise Conflict(_("该事项的“%(name)s”已在计时") % {"name": policy.name})
    clock = Clock(
        policy=policy,
        content_type=ContentType.objects.get_for_model(subject),
        object_id=subject.pk,
        department=department,
        length=length,
        is_reference=policy.is_reference or not (department is None or department.is_bound),
        started_at=at,
        received_on=at.date(),
        due_on=at.date(),
        due_at=at,
    )
    clock.save()
    _derive_again(clock, queries.work_calendar())
    return clock


@transaction.atomic
def pause(subject: Model, code: str, *, at: datetime, reason: str) -> Clock:
    """Let a clock rest, while the other side has to supplement its papers.

    Source: 《政务数据共享条例》第二十一条; that the clock rests is a house rule
    Raises:
        IllegalMove: it does not run.
    """
    reason = required_text(reason, _("请填写暂停理由"))
    clock = _locked(subject, code)
    if clock.state != Clock.State.RUNNING:
        raise IllegalMove(_("时限已暂停"))
    ClockPause.objects.create(clock=clock, since=at, reason=reason)
    clock.state = Clock.State.PAUSED
    _derive_again(clock, queries.work_calendar())
    return clock


@transaction.atomic
def resume(subject: Model, code: str, *, at: datetime) -> Clock:
    """Let a paused clock run on; the day on which the papers arrive is again day 0.

    Source: house rule (domain §2)
    Raises:
        IllegalMove: it is not paused.
    """
    clock = _locked(subject, code)
    if clock.state != Clock.State.PAUSED:
        raise IllegalMove(_("时限没有暂停"))
    ClockPause.objects.filter(clock=clock, until=None).update(until=at)
    clock.state = Clock.State.RUNNING
    _derive_again(clock, queries.work_calendar())
    return clock


@transaction.atomic
def extend(
    subject: Model, code: str, *, length: int, actor: User, at: datetime, reason: str
) -> Clock:
    """Extend a clock once, within the limit of its policy; `actor` is who consents.

    Source: 《政务数据共享条例》第十七条、第二十一条
    Units: `length` in the policy's extension unit, working days as a rule.
    Raises:
        InvalidInput: the policy allows no extension, or a shorter one.
        Conflict: it has been extended already.
    """
    reason = required_text(reason, _("请填写延期理由"))
    clock = _locked(subject, code)
    policy = clock.policy
    if not policy.extendable_by:
        raise InvalidInput(_("“%(name)s”不得延期") % {"name": policy.name})
    if not 0 < length <= policy.extendable_by:
        raise InvalidInput(
            _("延期须在 1 至 %(limit)d %(unit)s以内")
            % {
                "limit": policy.extendable_by,
                "unit": ClockPolicy.Unit(policy.extension_unit).label,
            },
            field="length",
        )
    if ClockExtension.objects.filter(clock=clock).exists():
        raise Conflict(_("该时限已延期一次，不得再次延期"), code="already_extended")
    ClockExtension.objects.create(
        clock=clock,
        length=length,
        unit=policy.extension_unit,
        approved_by=actor,
        at=at,
        reason=reason,
    )
    _derive_again(clock, queries.work_calendar())
    return clock


@transaction.atomic
def stop(subject: Model, code: str, *, at: datetime, met: bool | None = None) -> Clock:
    """End a clock because what was owed has been done, and note whether it was in time.

    met: as the caller says, where something was owed until the due date and not by it.

    Raises:
        NotFound: no such clock runs.
    """
    clock = _locked(subject, code)
    if clock.state == Clock.State.PAUSED:
        ClockPause.objects.filter(clock=clock, until=None).update(until=at)
    _derive_again(clock, queries.work_calendar())
    clock.state = Clock.State.STOPPED
    clock.stopped_at = at
    clock.met = at < clock.due_at if met is None else met
    clock.save()
    return clock


@transaction.atomic
def cancel(subject: Model, code: str | None = None, *, at: datetime) -> int:
    """Drop the clock, or all clocks of a subject, because nothing is owed any more.

    Returns the number of clocks dropped; none is no error, for the subject may have ended early.
    """
    clocks = Clock.objects.filter(pk__in=queries.running(subject).values("pk"))
    if code is not None:
        clocks = clocks.filter(policy__code=code)
    pauses = ClockPause.objects.filter(clock__in=clocks, until=None)
    pauses.update(until=at)
    return clocks.update(state=Clock.State.CANCELLED, stopped_at=at, met=None)


def recompute_due(year: int | None = None) -> int:
    """Move the live clocks that were provisional, once the year's schedule is known.

    Returns how many due dates moved. Repeat-safe.
    """
    clocks = Clock.objects.filter(provisional=True, state__in=queries.LIVE)
    if year is not None:
        clocks = clocks.filter(due_on__year__gte=year, received_on__year__lte=year)
    return _recompute(clocks)


@transaction.atomic
def set_day(*, day: date, is_workday: bool, note: str, actor: User, at: datetime) -> CalendarDay:
    """Enter a day that differs from the schedule, and move the live clocks it touches.

    Source: house rule (domain §2)
    """
    standing = access.require(actor, "create", CalendarDay)
    note = required_text(note, _("请填写说明，如“国庆节”"), field="note")
    row = CalendarDay.objects.select_for_update().filter(day=day).first() or CalendarDay(day=day)
    row.is_workday, row.note = is_workday, note
    remember(row, actor=actor, at=at, reason=note)
    row.save()
    moved = _recompute(_touching(day))
    ledger.record(
        standing,
        "clocks.set_day",
        row,
        at=at,
        details={"is_workday": is_workday, "note": note, "moved": moved},
    )
    return row


@transaction.atomic
def clear_day(*, calendarday: CalendarDay, actor: User, at: datetime) -> None:
    """Take an entered day back: the published schedule holds again."""
    standing = access.require(actor, "delete", calendarday)
    day = calendarday.day
    ledger.record(standing, "clocks.clear_day", calendarday, at=at)
    remember(calendarday, actor=actor, at=at, reason=_("取消调整"))
    calendarday.delete()
    _recompute(_touching(day))


@transaction.atomic
def publish_year(
    *, year: int, days: Iterable[tuple[date, bool, str]], source: str, actor: User, at: datetime
) -> int:
    """Enter the schedule of a year that the program does not know yet, and move its clocks.

    `days` are (day, is a working day, note). Returns how many due dates moved.

    Source: the State Council's notice on the days off of that year
    """
    standing = access.require(actor, "create", CalendarYear)
    source = required_text(source, _("请填写放假安排的文号"), field="source")
    row, _created = CalendarYear.objects.update_or_create(
        year=year, defaults={"source": source, "published_at": at}
    )
    for day, is_workday, note in days:
        if day.year != year:
            raise InvalidInput(_("%(day)s不在该年内") % {"day": day.isoformat()}, field="days")
        CalendarDay.objects.update_or_create(
            day=day, defaults={"is_workday": is_workday, "note": note}
        )
    first, last = date(year, 1, 1), date(year, 12, 31)
    moved = _recompute(
        Clock.objects.filter(state__in=queries.LIVE, started_at__date__lte=last, due_on__gte=first)
    )
    ledger.record(
        standing, "clocks.publish_year", row, at=at, details={"source": source, "moved": moved}
    )
    return moved


@transaction.atomic
def change_policy(*, clockpolicy: ClockPolicy, actor: User, at: datetime) -> ClockPolicy:
    """Save what was typed into a rule: a dated version may be closed or a later one added.

    A rule by which clocks already run keeps its length: enter a new version instead.

    Raises:
        Conflict: clocks run by this version and its length or unit was changed.
    """
    subject: ClockPolicy | type[ClockPolicy] = clockpolicy if clockpolicy.pk else ClockPolicy
    standing = access.require(actor, "change" if clockpolicy.pk else "create", subject)
    if clockpolicy.pk and clockpolicy.clocks.exists():
        kept = ("code", "length", "unit", "fixed_month", "fixed_day", "valid_from")
        before = ClockPolicy.objects.get(pk=clockpolicy.pk)
        if any(getattr(before, name) != getattr(clockpolicy, name) for name in kept):
            raise Conflict(_("已有事项按此规则计时；请新增一个版本，并给旧版本填写失效日"))
    remember(clockpolicy, actor=actor, at=at, reason=clockpolicy.source)
    clockpolicy.save()
    ledger.record(standing, "clocks.change_policy", clockpolicy, at=at)
    return clockpolicy


def _touching(day: date) -> QuerySet[Clock]:
    return Clock.objects.filter(state__in=queries.LIVE, started_at__date__lte=day, due_on__gte=day)


def _recompute(clocks: QuerySet[Clock]) -> int:
    calendar = queries.work_calendar()
    moved = 0
    keys = list(clocks.order_by("pk").values_list("pk", flat=True))
    with transaction.atomic():
        locked = Clock.objects.select_for_update().filter(pk__in=keys, state__in=queries.LIVE)
        list(locked.order_by("pk").values_list("pk", flat=True))
        for clock in queries.with_inputs(Clock.objects.filter(pk__in=keys)):
            moved += _derive_again(clock, calendar)
    return moved


def _locked(subject: Model, code: str) -> Clock:
    """Return the live clock of a code, its row held until the end; its pauses are read anew.

    Raises:
        NotFound: no such clock runs for this subject.
    """
    clock = (
        Clock.objects.select_for_update(of=("self",))
        .select_related("policy", "department")
        .filter(
            content_type=ContentType.objects.get_for_model(subject),
            object_id=subject.pk,
            policy__code=code,
            state__in=queries.LIVE,
        )
        .first()
    )
    if clock is None:
        raise NotFound(_("该事项没有正在计时的时限"), code="no_running_clock", clock=code)
    return clock


def _derive_again(clock: Clock, calendar: WorkCalendar) -> bool:
    """Write what follows from the kept inputs; say whether the due date moved."""
    derived = queries.derivation_of(clock, calendar)
    before = clock.due_at
    clock.received_on = derived.received_on
    clock.due_on = derived.due_on
    clock.due_at = derived.due_at
    clock.provisional = derived.provisional
    clock.save()
    return before != clock.due_at
