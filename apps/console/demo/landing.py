"""Land the city's synthetic records through the same operations as the screens.

Some departments begin with one small dataset each, one after the other over the past weeks, and the
board is kept on each of these days as the nightly task keeps it: what the trend shows came about.
Some of their clerks leave
out what the department itself asks for: the check of the day finds it, an order goes out, and most
send better files when their turn comes again. The large datasets come last.
"""

import tempfile
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.console.demo import quality
from apps.console.demo.city import DatasetPlan, datasets
from apps.console.demo.rows import Lapse, write_csv
from apps.console.demo.writing import morning
from apps.supervision.operations import board
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch

# dataset, rows, whether about one record in forty is faulty
LANDED: Final = (
    ("户籍人口基本信息", 80_000, False),
    ("企业登记基本信息", 60_000, False),
    ("社会保险参保基本信息", 50_000, True),
    ("婚姻登记基本信息", 30_000, False),
    ("最低生活保障对象基本信息", 20_000, True),
    ("个体工商户基本信息", 30_000, False),
    ("不动产登记基本信息", 20_000, False),
    ("医疗机构基本信息", 8_000, True),
    ("养老机构基本信息", 2_000, True),
    ("残疾人证基本信息", 12_000, False),
    ("道路运输经营基本信息", 10_000, True),
    ("A级景区基本信息", 500, False),
    ("应急避难场所基本信息", 1_500, False),
    ("空气质量监测基本信息", 5_000, False),
    ("食品经营许可基本信息", 12_000, True),
    ("学籍基本信息", 15_000, False),
)
# How many days before departments began to deliver; on the first day nobody had.
BEGINNINGS: Final = (24, 19, 14, 9, 4)
# Of so many records one lacks something, department after department; 0 where all are careful.
LAPSES: Final = (6, 0, 14, 4, 40, 9, 25, 0, 5, 18, 3)
# This department sends its list again on each of the days, and leaves out less every time.
STEADY: Final = "D008"  # 市民政局
STEADY_ROWS: Final = 600
BETTER: Final = (3, 5, 12, 40)
LEFT_OUT: Final = {
    "办理记录": ("handling_body", ""),
    "监督检查结果": ("inspection_type", "日常"),
    "统计汇总": ("total_count", ""),
}
BEGUN_WITH: Final = ("办理记录", "监督检查结果", "统计汇总")
SLOW: Final = ("monthly", "quarterly", "yearly")  # what came weeks ago is still fresh
Progress = Callable[[str], None]


def load_beginnings(*, at: datetime, without: Collection[str] = ()) -> int:
    """Let the departments begin to deliver, and keep each day's board; return how many began.

    without: departments by code that have not begun.
    """
    begun = [plan for plan in first_deliveries() if plan.department not in without]
    if Batch.objects.exists():
        return len(begun)
    steady = _small_datasets().get(STEADY)
    owed: list[DatasetPlan] = []
    for days in range(max(BEGINNINGS), 0, -1):
        day = morning(at, days)
        if days in BEGINNINGS:
            place = BEGINNINGS.index(days)
            for plan in owed[::2]:
                _land(plan, _rows_of(begun.index(plan)), dirty=False, at=day, attempt=2)
            owed = _begin(begun, place, day)
            if steady is not None and place:
                _deliver_better(steady, place, day)
        quality.keep_day(at=day)
        if days in BEGINNINGS:
            board.record_board_day(at=day + timedelta(hours=13))
    return len(begun)


def _deliver_better(plan: DatasetPlan, place: int, day: datetime) -> None:
    """Have a department send its whole list again, each time with less left out."""
    quality.ask_of_deliveries(plan.name, _kind_of(plan), at=day)
    lapse = Lapse(*LEFT_OUT[_kind_of(plan)], BETTER[place - 1])
    _land(plan, STEADY_ROWS, dirty=False, at=day, lapse=lapse, attempt=place)


def _begin(begun: list[DatasetPlan], place: int, day: datetime) -> list[DatasetPlan]:
    """Land what is delivered first on a day; return of which records lack something."""
    among = begun[place - 1 :: len(BEGINNINGS) - 1] if place else []
    lacking = []
    for number, plan in enumerate(among):
        lapse = _lapse_of(plan, begun.index(plan))
        quality.ask_of_deliveries(plan.name, _kind_of(plan), at=day)
        at = day + timedelta(minutes=number)
        _land(plan, _rows_of(begun.index(plan)), dirty=False, at=at, lapse=lapse)
        if lapse is not None:
            lacking.append(plan)
    return lacking


def _rows_of(number: int) -> int:
    return 120 + number % 7 * 60


def _kind_of(plan: DatasetPlan) -> str:
    return next(kind for kind in BEGUN_WITH if plan.name.endswith(kind))


def _lapse_of(plan: DatasetPlan, number: int) -> Lapse | None:
    """Return what the department's clerks do not write as they should; None where they do."""
    every = LAPSES[number % len(LAPSES)]
    return Lapse(*LEFT_OUT[_kind_of(plan)], every) if every else None


def first_deliveries() -> list[DatasetPlan]:
    """Return of every third department what it begins with."""
    return list(_small_datasets().values())[::3]


def _small_datasets() -> dict[str, DatasetPlan]:
    """Return of every department the first small dataset that is not delivered often."""
    found: dict[str, DatasetPlan] = {}
    for plan in datasets():
        if plan.cycle in SLOW and plan.name.endswith(BEGUN_WITH):
            found.setdefault(plan.department, plan)
    return found


def load_records(*, at: datetime, progress: Progress) -> int:
    """Land what has not landed yet, and keep today's board; return the rows in force afterwards."""
    plans = {plan.name: plan for plan in datasets()}
    total = 0
    for name, rows, dirty in LANDED:
        batch = _land(plans[name], rows, dirty=dirty, at=at)
        total += batch.landed
        progress(f"{name}：{batch.landed:,} 条入库，{batch.rejected:,} 条未通过")
    board.record_board_day(at=at)
    return total


def _land(
    plan: DatasetPlan,
    rows: int,
    *,
    dirty: bool,
    at: datetime,
    lapse: Lapse | None = None,
    attempt: int = 1,
) -> Batch:
    """Hand in a file and land it, unless that was done; `attempt` 2 is the mended one."""
    dataset = Dataset.objects.select_related("department").get(code=plan.code)
    key = f"demo-{plan.code}" + (f"-{attempt}" if attempt > 1 else "")
    landed = Batch.objects.filter(dataset=dataset, status=Batch.Status.LANDED)
    if (known := landed.filter(idempotency_key=key).first()) is not None:
        return known
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plan.name}.csv"
        write_csv(plan, rows, path, dirty=dirty, lapse=lapse)
        with path.open("rb") as file:
            batch = warehouse.receive(
                dataset=dataset,
                file=file,
                file_name=path.name,
                mode=Batch.Mode.SNAPSHOT,
                actor=_source(dataset),
                at=at,
                idempotency_key=key,
            )
    return warehouse.land(batch_id=batch.pk, at=at)


def _source(dataset: Dataset) -> User:
    """The department's own system pushes its records."""
    if dataset.system is None:
        raise LookupError(dataset.code)
    return dataset.system.service_user
