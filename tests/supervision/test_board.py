"""The board counts what is true, every figure opens the rows it counts, and it costs the same."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from apps.catalog.models import DataItem, Dataset, Duty, LegalDuty, ServiceItem
from apps.catalog.operations import compiling, responsibility
from apps.sharing.models import Interface
from apps.supervision.models import BoardDay
from apps.supervision.operations import board as operations
from apps.supervision.queries.board import board
from apps.supervision.queries.findings import BY_KEY, COLUMNS, missing_item_names
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch, DataTable
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.warehouse import IDENTITIES, landed, publish_contract, published

pytestmark = pytest.mark.django_db

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"
ROWS = "".join(f"{number},张三,1990-01-01,13800000000,1.50,甲\n" for number in IDENTITIES[:3])
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=timezone.get_default_timezone())
ITEMS: tuple[tuple[Any, ...], ...] = (
    ("identity_number", "身份证号", "C", 18, True, {}),
    ("name", "姓名", "C", 10, True, {}),
)


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def issue(authority: Any, *departments: Any, due_on: date = date(2026, 12, 31)) -> None:
    """Promise everything that is published, past consultation, on the first of the month."""
    at = NOW - timedelta(days=17)
    made = compiling.compile_lists(
        year=2026,
        batch="第一批",
        due_on=due_on,
        departments=departments or None,
        actor=authority,
        at=at,
    )
    responsibility.consult_all(
        lists=made.lists, consult_due_on=at.date() + timedelta(days=1), actor=authority, at=at
    )
    done = responsibility.issue_all(lists=made.lists, actor=authority, at=NOW)
    assert done.refused == []


def entry(department: Any, provider: Any, *, cycle: str = "yearly", rows: str = ROWS) -> Any:
    """An entry with two items whose table has landed (with six columns)."""
    dataset = published(department=department, update_cycle=cycle)
    for position, (column, name, kind, length, required, _more) in enumerate(ITEMS, 1):
        DataItem.objects.create(
            dataset=dataset,
            position=position,
            column_name=column,
            name=name,
            data_type=kind,
            length=length,
            required=required,
        )
    if rows:
        landed(dataset, HEADER + rows, actor=provider)
    return dataset


@pytest.fixture
def promised(provider: Any, provider_department: Any, authority: Any) -> dict[str, Duty]:
    """One duty of each kind: kept, nothing landed, short, stale, an item missing, none at all."""
    entries = {
        "kept": entry(provider_department, provider),
        "missing": entry(provider_department, provider, rows=""),
        "short": entry(provider_department, provider),
        "stale": entry(provider_department, provider, cycle="weekly"),
        "lacking": entry(provider_department, provider),
    }
    Batch.objects.update(finished_at=NOW - timedelta(days=16))
    issue(authority)
    duties = {name: Duty.objects.get(dataset=dataset) for name, dataset in entries.items()}
    Duty.objects.filter(pk=duties["short"].pk).update(expected_rows=4)
    Duty.objects.filter(pk=duties["kept"].pk).update(expected_rows=3)
    Duty.objects.filter(pk=duties["lacking"].pk).update(
        item_columns=["name", "salary", ""], item_names=["姓名", "工资", "身份证号"]
    )
    return duties


def figures(department: Any) -> dict[str, int]:
    return next(line.figures for line in board(NOW).lines if line.department == department)


def test_every_gap_is_found_where_it_is(
    promised: dict[str, Duty], provider_department: Any
) -> None:
    found = figures(provider_department)
    counted = {name: found[name] for name in ("promised", "kept", "missing", "short", "stale")}
    assert counted == {"promised": 5, "kept": 1, "missing": 1, "short": 1, "stale": 1}
    assert (found["lacking"], found["overdue"]) == (1, 0)
    for name, duty in promised.items():
        assert [row.pk for row in BY_KEY[name].rows(NOW)] == [duty.pk], name
    lacking = promised["lacking"]
    assert missing_item_names([lacking.pk]) == {lacking.pk: ["工资"]}


def test_an_interface_connects_what_never_lands(
    promised: dict[str, Duty], provider: Any, provider_department: Any, authority: Any
) -> None:
    dataset = promised["missing"].dataset
    assert dataset is not None
    interface = Interface.objects.create(
        dataset=dataset,
        name="查询",
        reason="上级平台统一提供，不得留存",
        url="https://upper.example/query",
        items={"name": "name"},
        status="active",
        tested_at=NOW,
        active_since=NOW,
        created_by=provider,
        created_at=NOW,
        updated_at=NOW,
    )
    found = figures(provider_department)
    assert (found["connected"], found["missing"], found["kept"]) == (1, 0, 1)
    (row,) = BY_KEY["connected"].rows(NOW)
    assert (row.interface_reason, row.interface_since) == (interface.reason, NOW)
    page = client_of(authority).get("/work/responsibility-board/all/connected/").content.decode()
    assert "2026-11-18 起由接口提供：上级平台统一提供，不得留存" in page
    Interface.objects.update(status="paused")
    assert (figures(provider_department)["connected"], figures(provider_department)["missing"]) == (
        0,
        1,
    )
    Interface.objects.update(status="active")
    landed(dataset, HEADER + ROWS, actor=provider)
    assert (figures(provider_department)["connected"], figures(provider_department)["kept"]) == (
        0,
        2,
    )


def test_what_is_mended_is_no_gap_any_more(
    promised: dict[str, Duty], provider: Any, provider_department: Any
) -> None:
    warehouse.confirm_no_change(
        dataset=promised["stale"].dataset,  # type: ignore[arg-type]
        period_from=date(2026, 11, 3),
        period_to=date(2026, 11, 17),
        actor=provider,
        at=NOW,
    )
    assert promised["missing"].dataset is not None
    landed(promised["missing"].dataset, HEADER + ROWS, actor=provider)
    Duty.objects.filter(pk=promised["short"].pk).update(expected_rows=2)
    found = figures(provider_department)
    assert (found["stale"], found["missing"], found["short"], found["kept"]) == (0, 0, 0, 4)


def test_a_gap_past_its_day_is_overdue(promised: dict[str, Duty], provider_department: Any) -> None:
    Duty.objects.update(due_on=date(2026, 11, 17))
    assert figures(provider_department)["overdue"] == 4
    assert BY_KEY["overdue"].rows(NOW).count() == 4


def test_a_table_without_its_entry_in_force_is_missing(
    promised: dict[str, Duty], provider_department: Any
) -> None:
    dataset = promised["kept"].dataset
    assert dataset is not None
    type(dataset).objects.filter(pk=dataset.pk).update(status="withdrawn", withdrawn_at=NOW)
    assert figures(provider_department)["missing"] == 2


def test_systems_and_the_laws_items_without_a_dataset(
    promised: dict[str, Duty], provider_department: Any
) -> None:
    connected = InformationSystemFactory(department=provider_department)
    InformationSystemFactory(department=provider_department)
    InformationSystemFactory(department=provider_department, status="retired")
    empty = InformationSystemFactory(department=provider_department)
    Dataset.objects.filter(pk=promised["kept"].dataset_id).update(
        system=connected, legal_duty="0100、低保审核确认", service_item="低保金给付"
    )
    Dataset.objects.filter(pk=promised["missing"].dataset_id).update(system=empty)
    other = DepartmentFactory()
    for code, name, department in (
        ("0100", "婚姻登记", provider_department),
        ("0101", "低保审核确认", provider_department),
        ("0102", "收养登记", provider_department),
        ("0103", "低保审核确认", other),
    ):
        LegalDuty.objects.create(code=code, name=name, kind="other", department=department)
    ServiceItem.objects.create(code="S1", name="低保金给付", department=provider_department)
    ServiceItem.objects.create(code="S2", name="停办的", department=other, valid_to=NOW.date())
    found = figures(provider_department)
    assert (found["systems"], found["legal_duties"], found["service_items"]) == (2, 1, 0)
    assert figures(other)["legal_duties"] == 1, "a name counts in its own department's entries"
    assert figures(other)["service_items"] == 0


def test_the_worst_comes_first_and_the_total_adds_up(
    promised: dict[str, Duty], authority: Any, provider_department: Any
) -> None:
    worse = PublishedDatasetFactory().department
    issue(authority, worse)
    found = board(NOW)
    assert [line.department for line in found.lines] == [worse, provider_department]
    for column in COLUMNS:
        assert found.total.figures[column.key] == column.rows(NOW).count(), column.key


def test_its_statements_grow_with_nothing(
    provider: Any, provider_department: Any, authority: Any
) -> None:
    entry(provider_department, provider)
    issue(authority)
    client = client_of(authority)

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/work/responsibility-board/").status_code == 200
        return len(seen)

    cost()
    small = cost()
    for _number in range(5):
        department = DepartmentFactory()
        for _each in range(3):
            PublishedDatasetFactory(department=department)
        InformationSystemFactory(department=department)
        issue(authority, department)
    operations.record_board_day(at=NOW)
    operations.record_board_day(at=NOW + timedelta(days=1))
    assert cost() == small
    assert len(board(NOW).lines) == 6


class TestTrend:
    def test_a_day_is_kept_once_and_told_as_it_last_stood(
        self, promised: dict[str, Duty], provider_department: Any
    ) -> None:
        assert operations.record_board_day(at=NOW) == 1
        Duty.objects.filter(pk=promised["short"].pk).update(expected_rows=2)
        operations.record_board_day(at=NOW)
        kept = BoardDay.objects.get()
        assert (kept.department, kept.day) == (provider_department, NOW.date())
        assert (kept.figures["promised"], kept.figures["kept"]) == (5, 2)

    def test_it_is_drawn_from_two_days_on(self, promised: dict[str, Duty], authority: Any) -> None:
        client = client_of(authority)
        now = timezone.now()
        operations.record_board_day(at=now - timedelta(days=1))
        assert "polyline" not in client.get("/work/responsibility-board/").content.decode()
        operations.record_board_day(at=now)
        page = client.get("/work/responsibility-board/").content.decode()
        assert page.count("<polyline") == 2, "the city's and the department's"
        assert "走势的数字" in page
        table = client.get("/work/responsibility-board/").context["trend"]
        assert [day.day for day in table.days] == [
            timezone.localdate(now - timedelta(days=1)).day,
            timezone.localdate(now).day,
        ]
        assert table.rows == [("全市", ["20.0%", "20.0%"]), ("市民政局", ["20.0%", "20.0%"])]


class TestPages:
    def test_all_see_the_figures_and_few_the_rows_behind(
        self, promised: dict[str, Duty], cast: dict[str, Any], provider_department: Any
    ) -> None:
        rows = f"/work/responsibility-board/{provider_department.code}/missing/"
        openers = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
        for name in set(CAST) - {"inactive"}:
            client = client_of(cast[name])
            member = name not in {"citizen", "unassigned"}
            answer = client.get("/work/responsibility-board/")
            assert (answer.status_code == 200) is member, name
            assert client.get(rows).status_code == (200 if name in openers else 404), name
            if member:
                assert (f'href="{rows}"' in answer.content.decode()) is (name in openers), name

    def test_everywhere_means_what_one_may_open(
        self, promised: dict[str, Duty], provider: Any, outsider: Any
    ) -> None:
        own = promised["missing"].get_absolute_url()
        everywhere = "/work/responsibility-board/all/missing/"
        assert own in client_of(provider).get(everywhere).content.decode()
        assert own not in client_of(outsider).get(everywhere).content.decode()
        assert client_of(provider).get("/work/responsibility-board/all/x/").status_code == 404

    def test_every_figure_opens_as_many_rows_as_it_counts(
        self, promised: dict[str, Duty], authority: Any, provider_department: Any
    ) -> None:
        InformationSystemFactory(department=provider_department)
        LegalDuty.objects.create(code="9", name="甲", kind="other", department=provider_department)
        ServiceItem.objects.create(code="9", name="乙", department=provider_department)
        client = client_of(authority)
        now = timezone.now()
        found = next(line for line in board(now).lines if line.department == provider_department)
        for column in COLUMNS:
            address = f"/work/responsibility-board/{provider_department.code}/{column.key}/"
            page = client.get(address).content.decode()
            assert page.count('<th scope="row">') == found.figures[column.key], column.key
            file = client.get(f"{address}?format=csv").content.decode("utf-8-sig")
            lines = list(csv.reader(io.StringIO(file)))
            assert len(lines) == 1 + found.figures[column.key], column.key

    def test_the_own_department_stands_first_and_any_column_sorts_the_others(
        self, promised: dict[str, Duty], provider: Any, authority: Any
    ) -> None:
        few, many = DepartmentFactory(name="市少局"), DepartmentFactory(name="市多局")
        for department, count in ((few, 1), (many, 3)):
            for _each in range(count):
                InformationSystemFactory(department=department)
        client = client_of(provider)

        def order(query: str) -> list[str]:
            page = client.get(f"/work/responsibility-board/{query}")
            return [row.name for row in page.context["rows"]]

        assert order("")[0] == "市民政局"
        assert order("?sort=systems") == ["市民政局", "市多局", "市少局"]
        assert order("?sort=nonsense") == order("")

    def test_each_column_is_counted_beside_the_rows(
        self, promised: dict[str, Duty], authority: Any, provider: Any, provider_department: Any
    ) -> None:
        other = DepartmentFactory()
        InformationSystemFactory(department=other)
        for person, place in ((authority, "all"), (provider, provider_department.code)):
            client = client_of(person)
            page = client.get(f"/work/responsibility-board/{place}/missing/").context
            for column, address, _is_on, count in page["others"]:
                assert client.get(address).context["page"].total == count, column.key

    def test_the_whole_board_is_taken_away(self, promised: dict[str, Duty], provider: Any) -> None:
        answer = client_of(provider).get("/work/responsibility-board/?format=xlsx")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0)
        rows = sheet.to_python()
        assert rows[0][:3] == ["部门", "承诺", "已兑现"]
        assert [row[0] for row in rows[1:]] == ["市民政局", "全市"]
        assert rows[1][1:3] == [5, 1]

    def test_the_rows_are_searched_by_name(
        self, promised: dict[str, Duty], provider: Any, provider_department: Any
    ) -> None:
        address = f"/work/responsibility-board/{provider_department.code}/promised/"
        page = client_of(provider).get(address, {"q": promised["kept"].title}).content.decode()
        assert promised["kept"].get_absolute_url() in page
        assert promised["short"].get_absolute_url() not in page
        assert "没有符合条件的" in client_of(provider).get(address, {"q": "无"}).content.decode()

    def test_an_empty_board_says_why(self, provider: Any) -> None:
        page = client_of(provider).get("/work/responsibility-board/").content.decode()
        assert "还没有可比对的内容" in page


def test_systems_read_the_board_over_the_api(
    promised: dict[str, Duty], provider: Any, citizen: Any
) -> None:
    answer = client_of(provider).get("/api/v1/responsibility-board").json()
    assert answer["total"]["figures"]["promised"] == 5
    assert [line["department_name"] for line in answer["departments"]] == ["市民政局"]
    assert {row["key"] for row in answer["definitions"]} == set(answer["total"]["figures"])
    assert client_of(citizen).get("/api/v1/responsibility-board").status_code == 403
    assert client_of(provider).get("/api/v1/responsibility-board?x=1").status_code == 400


def test_a_new_version_that_drops_a_column_does_not_hide_the_gap(
    promised: dict[str, Duty], provider_department: Any
) -> None:
    """The table keeps its columns; what counts is what the entry and the table both have."""
    dataset = promised["kept"].dataset
    assert dataset is not None
    publish_contract(dataset)
    DataItem.objects.filter(dataset=dataset, column_name="name").delete()
    assert DataTable.objects.filter(dataset=dataset).exists()
    assert figures(provider_department)["lacking"] == 2


def test_whoever_verifies_a_duty_reads_what_the_board_counts(
    promised: dict[str, Duty], authority: Any, provider: Any
) -> None:
    client = client_of(authority)
    words = {
        "kept": ("已兑现", "3/3"),
        "missing": ("缺数据", '<dd class="num">0</dd>'),
        "short": ("条数不足", "3/4"),
        "stale": ("超期未更新",),
        "lacking": ("缺数据项", "工资"),
    }
    for name, duty in promised.items():
        shown = client.get(duty.get_absolute_url()).content.decode()
        for word in words[name]:
            assert word in shown.split("入库情况")[1].split("</section>")[0], name
    duty = promised["short"]
    client_of(provider).post(
        f"/work/duties/{duty.pk}/move/perform/",
        {"evidence": "已全量入库", "performed_rows": "4", "revision": duty.revision},
    )
    verifying = client.get(f"/work/duties/{duty.pk}/move/verify/").content.decode()
    for word in ("条数不足", "已全量入库", "已归集 4 条"):
        assert word in verifying
