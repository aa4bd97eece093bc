"""How clocks stand at an instant, and that lists of them cost a fixed number of statements."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apps.clocks import operations as clocks
from apps.clocks import queries
from tests.factories.accounts import DepartmentFactory
from tests.factories.clocks import install_policies

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("Asia/Shanghai")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.fixture(autouse=True)
def _policies(db: None) -> None:
    install_policies()


@pytest.fixture
def subject(provider_department: Any) -> Any:
    return provider_department


@pytest.mark.parametrize(
    ("at", "left", "over", "ratio", "amber"),
    [
        ("2026-11-18 10:05", 10, 0, 0.0, False),  # the day of receipt
        ("2026-11-22 10:00", 8, 0, 0.2, False),  # a Sunday: nothing has moved since Friday
        ("2026-11-27 10:00", 3, 0, 0.7, False),
        ("2026-11-30 10:00", 2, 0, 0.8, True),
        ("2026-12-02 23:59", 0, 0, 1.0, True),
        ("2026-12-03 00:00", 0, 1, 1.0, False),
        ("2026-12-05 10:00", 0, 2, 1.0, False),  # Saturday: Thursday and Friday were late
        ("2026-12-07 10:00", 0, 3, 1.0, False),
    ],
)
def test_it_says_what_is_left_or_over(
    subject: Any, at: str, left: int, over: int, ratio: float, amber: bool
) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-18 10:00"))
    standing = queries.remaining(queries.running(subject).get(), local(at))
    assert (standing.unit, standing.left, standing.over) == ("workday", left, over)
    assert standing.ratio == pytest.approx(ratio)
    assert standing.is_amber is amber
    assert standing.is_over is (over > 0)
    assert standing.due_on == date(2026, 12, 2)


def test_it_is_late_at_once_on_a_day_off(subject: Any) -> None:
    clocks.start(subject, "request.unconditional", department=subject, at=local("2026-11-19 10:00"))
    clock = queries.running(subject).get()
    assert clock.due_on == date(2026, 11, 20)
    assert queries.remaining(clock, local("2026-11-21 09:00")).over == 1


@pytest.mark.parametrize(
    ("at", "left", "over"),
    [("2026-11-20 23:00", 3, 0), ("2026-11-21 02:00", 0, 0), ("2026-11-21 04:30", 0, 3)],
)
def test_it_counts_hours(subject: Any, at: str, left: int, over: int) -> None:
    clocks.start(subject, "incident.report", department=subject, at=local("2026-11-20 22:15"))
    standing = queries.remaining(queries.running(subject).get(), local(at))
    assert (standing.unit, standing.left, standing.over) == ("hour", left, over)


def test_it_stands_still_once_it_is_stopped(subject: Any) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-18 10:00"))
    clocks.stop(subject, "request.conditional", at=local("2026-12-04 10:00"))
    standing = queries.remaining(queries.clocks_of(subject).get(), local("2027-06-01 10:00"))
    assert (standing.over, standing.met, standing.is_over) == (2, False, True)


def test_it_hatches_the_days_of_a_pause(subject: Any) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-02 09:00"))
    clocks.pause(subject, "request.conditional", at=local("2026-11-04 11:00"), reason="补充材料")
    clock = clocks.resume(subject, "request.conditional", at=local("2026-11-10 15:00"))
    standing = queries.remaining(
        queries.running(subject).get(pk=clock.pk), local("2026-11-10 16:00")
    )
    # 22 days from the 2nd to the 23rd; the 4th to the 10th are hatched.
    ((x, width),) = standing.hatches
    assert x == pytest.approx(200 / 22, abs=0.1)
    assert width == pytest.approx(700 / 22, abs=0.5)
    assert standing.fill == pytest.approx(900 / 22, abs=0.1)


def test_it_lists_what_is_overdue(subject: Any) -> None:
    clocks.start(subject, "request.unconditional", department=subject, at=local("2026-11-02 10:00"))
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-18 10:00"))
    codes = [clock.policy.code for clock in queries.overdue(local("2026-11-20 10:00"))]
    assert codes == ["request.unconditional"]


def test_many_clocks_cost_no_more_statements_than_one(
    django_assert_num_queries: Any,
) -> None:
    departments = DepartmentFactory.create_batch(12)
    for department in departments:
        clocks.start(
            department, "request.conditional", department=department, at=local("2026-11-18 10:00")
        )
        clocks.pause(
            department, "request.conditional", at=local("2026-11-19 10:00"), reason="补充材料"
        )
    for some in (departments[:1], departments):
        with django_assert_num_queries(4):
            calendar = queries.work_calendar()
            found = queries.live_clocks_of(some)
            for (clock,) in found.values():
                queries.remaining(clock, local("2026-11-20 10:00"), calendar)
        assert len(found) == len(some)


def test_it_explains_day_by_day_in_words(subject: Any) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-09-29 18:00"))
    lines = queries.explain(queries.running(subject).get())
    told = [(line.day.isoformat(), line.weekday, line.counted, line.why) for line in lines]
    assert told[0] == ("2026-09-29", "周二", False, "下班后收到，顺延至下一工作日收件")
    assert told[1] == ("2026-09-30", "周三", False, "收件日，不计入")
    assert told[2] == ("2026-10-01", "周四", False, "国庆节")
    assert ("2026-10-08", "周四", True, "第 1 日") in told
    assert ("2026-10-10", "周六", True, "调休上班（国庆节）") in told
    assert ("2026-10-11", "周日", False, "周末") in told


def test_it_ends_with_a_pause_that_still_lasts(subject: Any) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-02 09:00"))
    clocks.pause(subject, "request.conditional", at=local("2026-11-04 11:00"), reason="补充材料")
    clock = queries.running(subject).get()
    lines = queries.explain(clock, at=local("2026-11-06 10:00"))
    assert [(line.day.day, line.why) for line in lines] == [
        (2, "收件日，不计入"),
        (3, "第 1 日"),
        (4, "暂停：补充材料"),
        (5, "暂停"),
        (6, "暂停"),
    ]
    standing = queries.remaining(clock, local("2026-12-24 10:00"))
    assert (standing.left, standing.over, standing.is_amber) == (9, 0, False)


@pytest.mark.parametrize(
    ("at", "soon", "overdue"),
    [
        ("2026-11-26 10:00", False, False),  # Thursday: Friday, Monday, Tuesday, and it is due
        ("2026-11-27 10:00", True, False),  # five days, of which three are working days
        ("2026-11-29 10:00", True, False),
        ("2026-12-02 10:00", True, False),  # the day itself
        ("2026-12-03 10:00", False, True),
    ],
)
def test_it_is_due_soon_by_working_days(subject: Any, at: str, soon: bool, overdue: bool) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-18 10:00"))
    rows = type(subject).objects.all()
    found = {
        due: [*queries.of_due(rows, due, local(at), workdays=3)] for due in ("soon", "overdue")
    }
    assert found == {"soon": [subject] * soon, "overdue": [subject] * overdue}
    assert [*queries.of_due(rows, "", local(at), workdays=3)] == [*rows]


def test_it_is_overdue_alone_when_one_of_its_clocks_is(subject: Any) -> None:
    start = local("2026-11-18 10:00")
    clocks.start(subject, "request.unconditional", department=subject, at=start)
    clocks.start(subject, "request.conditional", department=subject, at=start)
    rows, at = type(subject).objects.all(), local("2026-12-01 10:00")
    assert [*queries.of_due(rows, "overdue", at, workdays=3)] == [subject]
    assert not queries.of_due(rows, "soon", at, workdays=3).exists()


def test_a_clock_that_is_paused_is_due_neither_soon_nor_over(subject: Any) -> None:
    clocks.start(subject, "request.conditional", department=subject, at=local("2026-11-18 10:00"))
    clocks.pause(subject, "request.conditional", reason="补充材料", at=local("2026-11-30 10:00"))
    rows = type(subject).objects.all()
    for due, at in (("soon", "2026-12-01 10:00"), ("overdue", "2026-12-09 10:00")):
        assert not queries.of_due(rows, due, local(at), workdays=3).exists()
