"""Landing a file, against a bare COPY of the same file into the same typed and keyed table."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import xlsxwriter
from django.conf import settings
from django.db import connection
from psycopg import sql
from python_calamine import CalamineWorkbook

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core.contracts import Contract
from apps.warehouse import operations as warehouse
from apps.warehouse import physical
from apps.warehouse.models import Batch
from tests.benchmarks.harness import Measurement, claim, timed
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.warehouse import column, published

AT = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
ROWS = 1_000_000
ROUNDS = 3
WORKBOOK_ROWS = 199_999  # with the heading, 200,000

# Ten columns; eight of them checked beyond their type's shape: an identity number's check digit,
# mobile, division code, longitude, a date, a code list, a pattern, a range.
COLUMNS = (
    column("serial", "编号", length=20, required=True, pattern="P[0-9]{8}"),
    column("identity_number", "身份证号", length=18, check="identity_number"),
    column("name", "姓名", length=50, required=True),
    column("born_on", "出生日期", "D", check="date"),
    column("mobile", "手机号", check="mobile"),
    column("division_code", "行政区划", check="division_code"),
    column("amount", "金额", "Y", length=18, scale=2, minimum="0"),
    column("longitude", "经度", "B", check="longitude"),
    column("grade", "等级", codes=("甲", "乙", "丙")),
    column("note", "备注", length=200),
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"


def write_file(path: Path, *, rows: int = ROWS, changed: int = 0) -> None:
    """Write invented persons; of `changed` rows the amount differs from the unchanged file's."""
    random_numbers = random.Random(7)
    first_day = date(1950, 1, 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(item.name for item in COLUMNS) + "\n")
        for place in range(rows):
            born = first_day + timedelta(days=place % 20_000)
            name = "".join(_SURNAMES[place // 16**digit % 16] for digit in range(3))
            amount = random_numbers.randint(0, 10**7) / 100
            if place < changed:
                amount += 1
            longitude = 105 + place / rows * 5
            file.write(
                f"P{place:08d},{_identity(born, place)},{name},{born},"
                f"1{3 + place % 7}{place:09d},50010{1 + place % 9},{amount:.2f},"
                f"{longitude:.6f},{'甲乙丙'[place % 3]},重庆市渝中区第{place % 1000}号\n"
            )


def _identity(born: date, place: int) -> str:
    digits = f"50010{1 + place % 9}{born:%Y%m%d}{place // 20_000 % 1000:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


@claim("warehouse.land_new", target="<= 1.3")
def land_new() -> Measurement:
    """A million rows into a table that does not exist yet; medians of alternating rounds."""
    path = Path(settings.HUILIU_HOME) / "new.csv"
    write_file(path)
    theirs, bare, ours, peaks = [], [], [], []
    for _round in range(ROUNDS):
        dataset, actor = _scene()
        contract = catalog.contract_of(dataset)
        theirs.append(_bare_copy(path, contract, indexes=True))
        bare.append(_bare_copy(path, contract, indexes=False))
        seconds, peak = _land_alone(_receive(dataset, actor, path))
        ours.append(seconds)
        peaks.append(peak)
    return Measurement(
        median(ours) / median(theirs),
        {
            "rows": ROWS,
            "rounds": ROUNDS,
            "seconds": round(median(ours), 2),
            "copy_seconds": round(median(theirs), 2),
            "ratio_to_copy_with_the_key_alone": round(median(ours) / median(bare), 2),
            "peak_mb": max(peaks),
        },
    )


@claim("warehouse.peak_memory", target="<= 400")
def peak_memory() -> Measurement:
    """Megabytes of the landing process with a file five times as large."""
    path = Path(settings.HUILIU_HOME) / "large.csv"
    write_file(path, rows=5 * ROWS)
    dataset, actor = _scene()
    seconds, peak = _land_alone(_receive(dataset, actor, path))
    size = path.stat().st_size >> 20
    return Measurement(peak, {"rows": 5 * ROWS, "file_mb": size, "seconds": round(seconds, 1)})


@claim("warehouse.land_again", target="<= 0.8")
def land_again() -> Measurement:
    """The same million rows sent again with one in a hundred changed."""
    first = Path(settings.HUILIU_HOME) / "new.csv"
    second = Path(settings.HUILIU_HOME) / "again.csv"
    write_file(first)
    write_file(second, changed=ROWS // 100)
    dataset, actor = _scene()
    _land_alone(_receive(dataset, actor, first))
    theirs = _bare_copy(second, catalog.contract_of(dataset), indexes=True)
    seconds, peak = _land_alone(_receive(dataset, actor, second))
    batch = Batch.objects.latest("id")
    return Measurement(
        seconds / theirs,
        {
            "changed": batch.changed,
            "unchanged": batch.unchanged,
            "seconds": round(seconds, 2),
            "copy_seconds": round(theirs, 2),
            "peak_mb": peak,
        },
    )


@claim("warehouse.land_same", target="<= 0.1")
def land_same() -> Measurement:
    """The very same file of a million rows sent again."""
    path = Path(settings.HUILIU_HOME) / "new.csv"
    write_file(path)
    dataset, actor = _scene()
    _land_alone(_receive(dataset, actor, path))
    theirs = _bare_copy(path, catalog.contract_of(dataset), indexes=True)
    seconds, _peak = _land_alone(_receive(dataset, actor, path), ends_as="unchanged")
    return Measurement(
        seconds / theirs, {"seconds": round(seconds, 2), "copy_seconds": round(theirs, 2)}
    )


@claim("warehouse.land_workbook", target="<= 6")
def land_workbook() -> Measurement:
    """A workbook of 200,000 rows, against calamine alone reading every cell of it."""
    text = Path(settings.HUILIU_HOME) / "book.csv"
    write_file(text, rows=WORKBOOK_ROWS)
    path = text.with_suffix(".xlsx")
    _as_workbook(text, path)
    theirs = median(timed(lambda: _read_alone(path)) for _round in range(ROUNDS))
    dataset, actor = _scene()
    seconds, peak = _land_alone(_receive(dataset, actor, path))
    return Measurement(
        seconds / theirs,
        {
            "rows": WORKBOOK_ROWS,
            "seconds": round(seconds, 2),
            "calamine_seconds": round(theirs, 2),
            "peak_mb": peak,
        },
    )


@claim("warehouse.land_growth", target="<= 1.3")
def land_growth() -> Measurement:
    """Seconds a row of a large file (HUILIU_BENCH_ROWS, else a million), of those of 100,000."""
    largest = int(os.environ.get("HUILIU_BENCH_ROWS", str(ROWS)))
    costs = {}
    for rows in (100_000, largest):
        path = Path(settings.HUILIU_HOME) / f"growing-{rows}.csv"
        write_file(path, rows=rows)
        seconds, peak = _land_alone(_receive(*_scene(), path))
        costs[rows] = seconds / rows
        path.unlink()
    return Measurement(
        costs[largest] / costs[100_000],
        {
            "largest_rows": largest,
            "microseconds_a_row": round(costs[largest] * 1e6, 2),
            "of_100000": round(costs[100_000] * 1e6, 2),
            "peak_mb": peak,
        },
    )


def _as_workbook(text: Path, path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet()
    with text.open(encoding="utf-8") as file:
        for row, line in enumerate(file):
            sheet.write_row(row, 0, line.rstrip("\n").split(","))
    book.close()


def _read_alone(path: Path) -> None:
    for _row in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).iter_rows():
        pass


def _scene() -> tuple[Dataset, Any]:
    department = DepartmentFactory()
    actor = UserFactory(department=department, roles=["department_editor"])
    return published(*COLUMNS, department=department), actor


def _receive(dataset: Dataset, actor: Any, path: Path) -> Batch:
    with path.open("rb") as file:
        return warehouse.receive(
            dataset=dataset, file=file, file_name=path.name, mode="upsert", actor=actor, at=AT
        )


def _land_alone(batch: Batch, *, ends_as: str = "landed") -> tuple[float, int]:
    """Land in a process of its own; return its seconds and its peak of memory in MB."""
    connection.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.land_alone", str(batch.pk)],
        check=True,
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    if answer["status"] != ends_as:
        raise RuntimeError(answer)
    return answer["seconds"], answer["peak_mb"]


def _bare_copy(path: Path, contract: Contract, *, indexes: bool) -> float:
    """Seconds of COPY into an empty table that has its key (and the other indexes) already."""
    name = "bare_copy"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS bench.{name}, bench.{name}__past")
        physical.create_table(contract, schema="bench", name=name)
        for item in ("_batch", "_hash"):
            cursor.execute(f"ALTER TABLE bench.{name} ALTER {item} DROP NOT NULL")
        physical.create_indexes(contract, schema="bench", name=name)
        if not indexes:
            cursor.execute(f"DROP INDEX bench.{name}_id, bench.{name}_batch")
        names = sql.SQL(", ").join(sql.Identifier(item.name) for item in contract.columns)
        statement = sql.SQL("COPY bench.{} ({}) FROM STDIN (FORMAT csv, HEADER)").format(
            sql.Identifier(name), names
        )

        def copy() -> None:
            with path.open("rb") as file, cursor.copy(statement) as target:
                while block := file.read(1 << 20):
                    target.write(block)

        seconds = timed(copy)
        cursor.execute(f"DROP TABLE bench.{name}, bench.{name}__past")
    return seconds
