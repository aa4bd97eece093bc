"""Files that somebody really published land whole, and pushing them again gives the right history.

They lie beside the repository, not in it; without them these tests are skipped and say so.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.models import Dataset
from apps.warehouse import queries
from apps.warehouse.models import Batch
from tests.factories.warehouse import balance, column, landed, published
from tests.warehouse.conftest import Rows

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
COVID = REAL / "covid"
SPECTRUM = REAL / "csv" / "csv-spectrum"

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not REAL.is_dir(), reason=f"real files are not there: {REAL}"),
]

STREET_COLUMNS = (
    column("code", "代码", length=12, required=True),
    column("name", "名称", length=60, required=True),
    column("area_code", "区县代码", length=6, headings=("areaCode",)),
    column("province_code", "省级代码", length=2, headings=("provinceCode",)),
    column("city_code", "地市代码", length=4, headings=("cityCode",)),
)
COVID_COLUMNS = (
    column("country", "国家", required=True),
    column("province", "省"),
    column("city", "市"),
    column("date", "日期", "D", required=True),
    column("country_code", "国家代码", headings=("countryCode",)),
    column("province_code", "省代码", headings=("provinceCode",)),
    column("city_code", "市代码", headings=("cityCode",)),
    column("confirmed", "确诊", "I", minimum="0"),
    column("suspected", "疑似", "I"),
    column("cured", "治愈", "I"),
    column("dead", "死亡", "I"),
)
PLACE = ("country", "province", "city")
SHOWN = (*PLACE, "date::text", "confirmed", "suspected", "cured", "dead")
Key = tuple[str | None, ...]
State = dict[Key, tuple[Any, ...]]


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def days(first: str, last: str) -> list[Path]:
    found = sorted(COVID.glob("Data~2020-*.csv"))
    return [path for path in found if first <= path.stem.removeprefix("Data~") <= last]


def state_of(path: Path, key: tuple[str, ...]) -> State:
    """What the file says of each key; where it says two things the later one counts."""
    state: State = {}
    for record in records(path):
        counts = [record[name] for name in ("confirmed", "suspected", "cured", "dead")]
        state[tuple(record[name] or None for name in key)] = (
            *(record[name] or None for name in PLACE),
            record["date"],
            *(int(count) if count else None for count in counts),
        )
    return state


def expected(
    before: State, arrived: State, records_count: int, *, snapshot: bool
) -> dict[str, int]:
    """The balance that a file must have, from its own content and the state before it."""
    counts = {
        "landed": len(arrived.keys() - before.keys()),
        "changed": sum(before[key] != arrived[key] for key in arrived.keys() & before.keys()),
        "unchanged": sum(before[key] == arrived[key] for key in arrived.keys() & before.keys()),
        "duplicate": records_count - len(arrived),
        "deleted": len(before.keys() - arrived.keys()) if snapshot else 0,
    }
    return {name: count for name, count in counts.items() if count}


class TestStreets:
    @pytest.fixture
    def streets(self, provider_department: Any) -> Dataset:
        return published(*STREET_COLUMNS, department=provider_department)

    def test_every_code_stays_a_text(self, streets: Dataset, provider: Any, rows: Rows) -> None:
        path = REAL / "streets.csv"
        batch = landed(streets, path.read_bytes(), actor=provider, file_name=path.name)
        assert (batch.declared, balance(batch)) == (41_352, {"landed": 41_352})
        names = ("code", "name", "area_code", "province_code", "city_code")
        with path.open(encoding="utf-8", newline="") as file:
            _header, *sent = (tuple(row) for row in csv.reader(file))
        assert sorted(rows(streets, *names)) == sorted(sent)
        types = rows(streets, *(f"pg_typeof({name})::text" for name in names))
        assert set(types) == {("text",) * 5}

    def test_the_same_rows_in_another_order_and_encoding_change_nothing(
        self, streets: Dataset, provider: Any, rows: Rows
    ) -> None:
        header, *lines = (REAL / "streets.csv").read_text("utf-8").splitlines()
        landed(streets, "\n".join([header, *lines]), actor=provider)
        before = rows(streets, "code", "_id", "_batch")
        again = "\r\n".join([header, *reversed(lines)]).encode("gb18030")
        batch = landed(streets, again, actor=provider, mode="snapshot")
        assert balance(batch) == {"unchanged": 41_352}
        assert rows(streets, "code", "_id", "_batch") == before
        assert rows(streets, "_id", past=True) == []


class TestDailyFiles:
    def test_snapshots_give_every_days_state_back(
        self, provider: Any, provider_department: Any
    ) -> None:
        """One table of places, replaced day after day; each day can be read again afterwards."""
        dataset = published(*COVID_COLUMNS, key=PLACE, department=provider_department)
        states: list[State] = [{}]
        for path in days("2020-01-25", "2020-02-08"):
            state = state_of(path, PLACE)
            batch = landed(
                dataset, path.read_bytes(), actor=provider, mode="snapshot", file_name=path.name
            )
            count = len(records(path))
            assert balance(batch) == expected(states[-1], state, count, snapshot=True), path.name
            states.append(state)
        assert len(states) == 16
        table = queries.table_of(dataset)
        assert table is not None
        for horizon, state in enumerate(states[1:], 1):
            found = queries.state_as_of(
                table, horizon, ["country", "province", "city", "confirmed"]
            )
            told = [(*row[:3], row[4]) for row in state.values()]
            assert sorted(found, key=repr) == sorted(told, key=repr), horizon

    def test_late_corrections_change_only_what_they_correct(
        self, provider: Any, provider_department: Any, rows: Rows
    ) -> None:
        """The city's own reports, sent after the national files, correct some of their rows."""
        key = (*PLACE, "date")
        dataset = published(*COVID_COLUMNS, key=key, department=provider_department)
        national = days("2020-01-28", "2020-02-06")
        reports = sorted(COVID.glob("ReportData~*重庆市.csv"))[-10:]
        assert len(national) == len(reports) == 10
        state: State = {}
        total = {"changed": 0, "unchanged": 0}
        for path in [*national, *reports]:
            arrived = state_of(path, key)
            batch = landed(dataset, path.read_bytes(), actor=provider, file_name=path.name)
            count = len(records(path))
            assert balance(batch) == expected(state, arrived, count, snapshot=False), path.name
            if path in reports:
                total["changed"] += batch.changed
                total["unchanged"] += batch.unchanged
            state |= arrived
        assert total["changed"] > 20, "there were corrections to be proved"
        assert sorted(rows(dataset, *SHOWN), key=repr) == sorted(state.values(), key=repr)
        assert len(rows(dataset, "_id", past=True)) == sum(
            Batch.objects.filter(dataset=dataset).values_list("changed", flat=True)
        )

    def test_one_place_can_be_followed_through_its_corrections(
        self, provider: Any, provider_department: Any, rows: Rows
    ) -> None:
        dataset = published(*COVID_COLUMNS, key=PLACE, department=provider_department)
        files = days("2020-01-25", "2020-01-29")
        for path in files:
            landed(dataset, path.read_bytes(), actor=provider, mode="snapshot")
        table = queries.table_of(dataset)
        assert table is not None
        numbers = rows(dataset, "province", "city", "_id")
        [row_id] = [
            number for province, city, number in numbers if (province, city) == ("重庆市", None)
        ]
        versions = queries.versions_of_row(table, row_id)
        told = [state_of(path, PLACE)["中国", "重庆市", None][4] for path in files]
        assert [version["confirmed"] for version in versions] == told
        spans = [(version["_batch"], version["_until_batch"]) for version in versions]
        assert spans == [(1, 2), (2, 3), (3, 4), (4, 5), (5, None)]


@pytest.mark.parametrize(
    "name",
    [
        "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json",
        "newlines", "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
    ],
)  # fmt: skip
def test_the_spectrum_of_csv_is_read_as_its_authors_expect(
    provider: Any, provider_department: Any, rows: Rows, name: str
) -> None:
    content = (SPECTRUM / f"csvs~{name}.csv").read_bytes()
    wanted = json.loads((SPECTRUM / f"json~{name}.json").read_text("utf-8"))
    labels = list(wanted[0])
    columns = [
        column(f"c{place}", label, "M" if place else "C", normalise=())
        for place, label in enumerate(labels)
    ]
    dataset = published(*columns, department=provider_department)
    batch = landed(dataset, content, actor=provider)
    assert balance(batch) == {"landed": len(wanted)}, (batch.message, list(batch.rejections.all()))
    found = rows(dataset, *(item.name for item in columns))
    sent = [tuple(row[label].replace("\r\n", "\n") or None for label in labels) for row in wanted]
    assert sorted(found, key=repr) == sorted(sent, key=repr)
