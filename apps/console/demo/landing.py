"""Land the city's synthetic records through the same operations as the screens.

Some departments begin with one small dataset each, one after the other over the past weeks, and the
board is kept on each of these days as the nightly task keeps it: what the trend shows came about.
The large datasets come last.
"""

import tempfile
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.console.demo.city import DatasetPlan, datasets
from apps.console.demo.rows import write_csv
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
    ("医疗机构基本信息", 8_000, False),
    ("养老机构基本信息", 2_000, True),
    ("残疾人证基本信息", 12_000, False),
    ("道路运输经营基本信息", 10_000, False),
    ("A级景区基本信息", 500, False),
    ("应急避难场所基本信息", 1_500, False),
    ("空气质量监测基本信息", 5_000, False),
    ("食品经营许可基本信息", 12_000, True),
    ("学籍基本信息", 15_000, False),
)
# How many days before departments began to deliver; on the first day nobody had.
BEGINNINGS: Final = (24, 19, 14, 9, 4)
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
    for place, days in enumerate(BEGINNINGS):
        day = morning(at, days)
        among = begun[place - 1 :: len(BEGINNINGS) - 1] if place else []
        for number, plan in enumerate(among):
            _land(plan, 120 + number % 7 * 60, dirty=False, at=day + timedelta(minutes=number))
        board.record_board_day(at=day + timedelta(hours=9))
    return len(begun)


def first_deliveries() -> list[DatasetPlan]:
    """Return of every third department the first small dataset that is not delivered often."""
    found: dict[str, DatasetPlan] = {}
    for plan in datasets():
        if plan.cycle in SLOW and plan.name.endswith(BEGUN_WITH):
            found.setdefault(plan.department, plan)
    return list(found.values())[::3]


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


def _land(plan: DatasetPlan, rows: int, *, dirty: bool, at: datetime) -> Batch:
    dataset = Dataset.objects.select_related("department").get(code=plan.code)
    landed = Batch.objects.filter(dataset=dataset, status=Batch.Status.LANDED).first()
    if landed is not None:
        return landed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plan.name}.csv"
        write_csv(plan, rows, path, dirty=dirty)
        with path.open("rb") as file:
            batch = warehouse.receive(
                dataset=dataset,
                file=file,
                file_name=path.name,
                mode=Batch.Mode.SNAPSHOT,
                actor=_source(dataset),
                at=at,
                idempotency_key=f"demo-{plan.code}",
            )
    return warehouse.land(batch_id=batch.pk, at=at)


def _source(dataset: Dataset) -> User:
    """The department's own system pushes its records."""
    if dataset.system is None:
        raise LookupError(dataset.code)
    return dataset.system.service_user
