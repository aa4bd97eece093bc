"""The year's responsibility lists and the law's lists, through the operations of the screens.

What is promised comes from the catalogue; what landed, from `landing`: the gaps that the board
shows are the difference of the two, and nothing is written for display.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, User
from apps.catalog.models import Duty, LegalDuty, ResponsibilityList
from apps.catalog.operations import compiling, duties, law, performing, responsibility, splitting
from apps.console.demo.city import departments, subject_of
from apps.console.demo.landing import LANDED
from apps.console.demo.people import clerk_and_head
from apps.console.demo.writing import morning

CONSULTED: Final = "D003"  # 市教委: its list is still being consulted on, with an objection
COMPILED: Final = "D021"  # 市卫生健康委: its list is still being compiled
SHARED_OUT: Final = (
    "最低生活保障对象基本信息",
    (("Q500102", 6_000), ("Q500103", 4_000), ("Q500101", 2_000)),
)
KINDS: Final = (
    ("行政许可", ("许可", "证", "资质", "执照", "资格")),
    ("行政确认", ("登记", "认定", "备案")),
    ("行政给付", ("补贴", "救助", "保障", "低保")),
)


def load_duties(*, at: datetime) -> int:
    """Load the law's lists and the year's responsibility lists; return how many duties there are.

    Repeat-safe: what is there already stays as it is.
    """
    officer = User.objects.get(username="authority")
    with transaction.atomic():
        if not LegalDuty.objects.exists():
            _load_law(officer, at)
        if not ResponsibilityList.objects.exists():
            _load_lists(officer, at)
    return Duty.objects.count()


def _load_law(officer: User, at: datetime) -> None:
    """Each topic is a duty to administer and a service; some are inspected, or give rewards.

    Whether an entry names them is up to the catalogue: a late department has none of the kind.
    """
    duties_in_law = ["事项编码,事项名称,事项类别,设定依据,实施部门"]
    services = ["事项编码,事项名称,实施部门,权责清单事项编码"]
    for plan in departments():
        for number, topic in enumerate(plan.topics, start=1):
            code = f"{plan.code}-{number:03d}"
            basis = f"{plan.short_name}三定规定"
            duties_in_law.append(f"{code},{topic}管理,{_kind(topic)},{basis},{plan.code}")
            services.append(f"{code}-F,{topic}办理,{plan.code},{code}")
            if number <= 2:
                duties_in_law.append(f"{code}-J,{topic}监督检查,行政检查,{basis},{plan.code}")
            if number % 3 == 1:
                duties_in_law.append(f"{code}-L,{topic}奖励,行政奖励,{basis},{plan.code}")
            if subject_of(topic) == "certificate":
                services.append(f"{code}-Z,{topic}电子证照制发,{plan.code},{code}")
    for load, lines in (
        (law.import_legal_duties, duties_in_law),
        (law.import_service_items, services),
    ):
        load(
            content="\n".join(lines).encode(),
            file_name="演示清单.csv",
            actor=officer,
            at=at,
            all_or_nothing=True,
        )


def _kind(topic: str) -> str:
    found = (kind for kind, words in KINDS if any(word in topic for word in words))
    return next(found, "其他行政权力")


def _load_lists(officer: User, at: datetime) -> None:
    plans = departments()
    every = {row.code: row for row in Department.objects.filter(code__in=[p.code for p in plans])}
    late = [row for code, row in every.items() if code in (CONSULTED, COMPILED)]
    rest = [row for code, row in sorted(every.items()) if row not in late]
    today = timezone.localdate(at)
    year_end = date(today.year, 12, 31)
    half = len(rest) // 2
    # The first batch is due by now, the second by the end of the year.
    _issue(officer, "第一批", rest[:half], today - timedelta(days=8), at)
    _issue(officer, "第二批", rest[half:], max(year_end, today + timedelta(days=20)), at)
    _still_under_way(officer, late, max(year_end, today + timedelta(days=20)), at)
    _perform_and_split(officer, at)


def _issue(
    officer: User, batch: str, among: Sequence[Department], due_on: date, at: datetime
) -> None:
    asked, issued = morning(at, 40), morning(at, 25)
    made = compiling.compile_lists(
        year=timezone.localdate(at).year,
        batch=batch,
        due_on=due_on,
        departments=among,
        actor=officer,
        at=asked,
    )
    for row in made.lists:
        _say_how_many(officer, row, asked)
    until = timezone.localdate(asked) + timedelta(days=10)
    responsibility.consult_all(lists=made.lists, consult_due_on=until, actor=officer, at=asked)
    for row in made.lists[::3]:  # the others keep silent, which is consent
        _clerk, head = clerk_and_head(row.department)
        responsibility.reply(
            responsibility_list=row, actor=head, at=asked + timedelta(days=5), opinion="无意见"
        )
    outcome = responsibility.issue_all(lists=made.lists, actor=officer, at=issued)
    if outcome.refused:
        raise RuntimeError(str(outcome.refused[0]))


def _say_how_many(officer: User, row: ResponsibilityList, at: datetime) -> None:
    """Where the city knows how many there are, that many are expected."""
    known = {name: rows for name, rows, _dirty in LANDED}
    found = dict(row.duties.filter(title__in=known).values_list("pk", "title"))
    if found:
        duties.revise_duties(
            responsibility_list=row,
            changes={key: {"expected_rows": known[title]} for key, title in found.items()},
            actor=officer,
            at=at,
        )


def _still_under_way(officer: User, late: Sequence[Department], due_on: date, at: datetime) -> None:
    asked = morning(at, 3)
    made = compiling.compile_lists(
        year=timezone.localdate(at).year,
        batch="第三批",
        due_on=due_on,
        departments=late,
        actor=officer,
        at=asked,
    )
    found = next((row for row in made.lists if row.department.code == CONSULTED), None)
    if found is None:
        return
    responsibility.consult(
        responsibility_list=found,
        consult_due_on=timezone.localdate(at) + timedelta(days=7),
        actor=officer,
        at=asked,
    )
    clerk, _head = clerk_and_head(found.department)
    first, *others = found.duties.order_by("pk").select_related("responsibility_list")[:12]
    duties.raise_objection(
        duty=first,
        actor=clerk,
        at=asked + timedelta(hours=5),
        reason="民办学校的数据由区县教委掌握，市级汇总须到次年三月，建议期限后延。",
    )
    duties.accept_duties(duties=others, actor=clerk, at=asked + timedelta(hours=6))


def _perform_and_split(officer: User, at: datetime) -> None:
    """One duty is shared out to two districts, of which one has reported; one is found done."""
    title, parts = SHARED_OUT
    duty = Duty.objects.filter(title=title, status="in_force").select_related("department").first()
    if duty is None:
        return
    clerk, _head = clerk_and_head(duty.department)
    districts = Department.objects.in_bulk([code for code, _rows in parts], field_name="code")
    made = splitting.split_duty(
        duty=duty,
        parts=[
            splitting.Part(districts[code], expected_rows=rows)
            for code, rows in parts
            if code in districts
        ],
        actor=clerk,
        at=morning(at, 20),
    )
    for part in made[:1]:
        district_clerk, _head = clerk_and_head(part.department)
        performing.perform(
            duty=part,
            actor=district_clerk,
            at=morning(at, 6),
            evidence="已随市级系统汇总入库。",
            performed_rows=5_860,
        )
    other = Duty.objects.filter(title="婚姻登记基本信息", status="in_force").first()
    if other is not None:
        performing.perform(
            duty=other,
            actor=clerk_and_head(other.department)[0],
            at=morning(at, 9),
            evidence="全市婚姻登记数据已全量入库，此后每日推送。",
            performed_rows=30_000,
        )
        performing.verify(duty=other, actor=officer, at=morning(at, 7))
