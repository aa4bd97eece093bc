"""Land the city's synthetic records through the same operations as the screens."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.console.demo.city import DatasetPlan, datasets
from apps.console.demo.rows import write_csv
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
Progress = Callable[[str], None]


def load_records(*, at: datetime, progress: Progress) -> int:
    """Land what has not landed yet; return the rows in force afterwards."""
    plans = {plan.name: plan for plan in datasets()}
    total = 0
    for name, rows, dirty in LANDED:
        batch = _land(plans[name], rows, dirty=dirty, at=at)
        total += batch.landed
        progress(f"{name}：{batch.landed:,} 条入库，{batch.rejected:,} 条未通过")
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
