"""Contracts, search, history and the API: what is read of the catalogue."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.catalog import operations as catalog
from apps.catalog import search
from apps.catalog.contracts import draw_up_contract, draw_up_contracts
from apps.catalog.models import Dataset, SearchEntry
from apps.catalog.views.history import history_of
from apps.core.errors import InvalidInput
from tests.catalog.stories import STORIES, People, draft
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.standards import CodeListFactory

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 18)
ALL = {"出生医学证明信息", "困难学生信息", "低保对象信息", "尚未发布的信息"}


class TestContracts:
    def test_it_says_how_every_column_is_read_and_checked(self) -> None:
        dataset = DatasetFactory(dirty_limit_ratio=0.02, dirty_limit_rows=7)
        contract = draw_up_contract(dataset, on=TODAY)
        subject = contract.subject_key
        assert (subject.name, subject.check, subject.normalise, subject.mask) == (
            "identity_number",
            "identity_number",
            ("identifier",),
            "cover_identity",
        )
        assert subject.required
        assert subject.sensitive
        assert contract.column("amount").scale == 2
        assert contract.column("registered_on").normalise == ("date",)
        assert (contract.dirty_limit_ratio, contract.dirty_limit_rows) == (0.02, 7)

    def test_a_key_column_is_required_even_when_nobody_said_so(self) -> None:
        dataset = DatasetFactory(key_items=["identity_number", "division_code"])
        assert draw_up_contract(dataset, on=TODAY).column("division_code").required

    def test_only_codes_valid_on_the_day_are_taken(self) -> None:
        codes = CodeListFactory(codes={"500105": "江北区", "500103": "渝中区", "500157": "两江"})
        codes.entries.filter(code="500105").update(valid_to=date(2025, 11, 6))
        codes.entries.filter(code="500157").update(valid_from=date(2025, 11, 6))
        dataset = DatasetFactory()
        dataset.items.filter(column_name="division_code").update(code_list=codes)

        def on(day: date) -> Any:
            return draw_up_contract(dataset, on=day).column("division_code").codes

        assert on(date(2025, 11, 5)) == ("500105", "500103")
        assert on(date(2025, 11, 6)) == ("500103", "500157")

    def test_an_empty_code_list_lets_no_value_in(self) -> None:
        dataset = DatasetFactory()
        dataset.items.filter(column_name="name").update(code_list=CodeListFactory())
        assert draw_up_contract(dataset, on=TODAY).column("name").codes == ()

    def test_many_cost_as_many_statements_as_one(self) -> None:
        entries = [DatasetFactory() for _ in range(6)]

        def cost(some: Sequence[Dataset]) -> int:
            fresh = list(Dataset.objects.filter(pk__in=[each.pk for each in some]))
            with CaptureQueriesContext(connection) as seen:
                draw_up_contracts(fresh, on=TODAY)
            return len(seen)

        assert cost(entries) == cost(entries[:1])


class TestSearch:
    @pytest.fixture(autouse=True)
    def _entries(self) -> None:
        health = DepartmentFactory(code="H01", name="市卫生健康委")
        PublishedDatasetFactory(
            name="出生医学证明信息",
            department=health,
            themes=["健康保障"],
            sharing_attribute="unconditional",
            update_cycle="monthly",
            grade="1",
        )
        PublishedDatasetFactory(name="困难学生信息", sharing_condition="", themes=["教育"])
        PublishedDatasetFactory(name="低保对象信息", opening_attribute="conditional")
        DatasetFactory(name="尚未发布的信息")

    def names(self, **query: str) -> set[str]:
        found = search.Search(SearchEntry.objects.all(), search.Filters.read(query))
        keys = found.page(size=50).keys
        assert len(keys) == found.total
        return set(Dataset.objects.filter(pk__in=keys).values_list("name", flat=True))

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"q": "出生"}, {"出生医学证明信息"}),
            ({"q": "卫生健康"}, {"出生医学证明信息"}),
            ({"q": "信息 困难学生"}, {"困难学生信息"}),
            ({"q": "没有这样的"}, set()),
            ({"q": "%"}, set()),
            ({"q": "307001/"}, ALL),
            ({"department": "H01"}, {"出生医学证明信息"}),
            ({"theme": "教育"}, {"困难学生信息"}),
            # a conditional entry that states no condition counts as unconditional
            ({"sharing": "unconditional"}, {"出生医学证明信息", "困难学生信息"}),
            ({"sharing": "conditional"}, {"低保对象信息", "尚未发布的信息"}),
            ({"opening": "conditional"}, {"低保对象信息"}),
            ({"cycle": "monthly"}, {"出生医学证明信息"}),
            ({"status": "draft"}, {"尚未发布的信息"}),
            ({"classification": "3"}, ALL),
            ({"classification": "1"}, set()),
            ({"sharing": "unconditional", "theme": "教育"}, {"困难学生信息"}),
        ],
    )  # fmt: skip
    def test_it_finds(self, query: dict[str, str], found: set[str]) -> None:
        assert self.names(**query) == found

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"sharing": "maybe"}, "sharing"),
            ({"cycle": "hourly"}, "cycle"),
            ({"status": "gone"}, "status"),
            ({"classification": "3%"}, "classification"),
        ],
    )
    def test_it_names_a_value_that_there_is_not(self, query: dict[str, str], field: str) -> None:
        with pytest.raises(InvalidInput) as refusal:
            search.Filters.read(query)
        assert (refusal.value.code, refusal.value.details["field"]) == ("invalid_filter", field)

    def test_each_count_is_what_the_choice_would_leave(self) -> None:
        everything = SearchEntry.objects.all()
        for filters in (search.Filters(), search.Filters(sharing="unconditional")):
            for name, choices in search.Search(everything, filters).choices.items():
                for choice in choices:
                    if choice.is_chosen:
                        continue
                    chosen = {**filters.without(name).chosen(), name: choice.value}
                    assert choice.count == len(self.names(**chosen)), (name, choice.value)


class TestHistory:
    def test_it_tells_one_save_as_one_step(self, people: People, at: datetime) -> None:
        dataset = draft(people, at)
        now = timezone.now()  # after the factories' rows
        item = dataset.items.get(column_name="name")
        rows = [{"pk": each.pk} for each in dataset.items.exclude(column_name="amount")]
        catalog.revise_dataset(
            dataset=dataset,
            actor=people.editor,
            at=now,
            abstract="新的摘要",
            items=[{**row, **({"mask": "hide"} if row["pk"] == item.pk else {})} for row in rows],
        )
        step = history_of(dataset)[0]
        assert (step.person, step.at) == (str(people.editor), now)
        told = {(change.item, change.label, change.old, change.new) for change in step.changes}
        assert told == {
            ("", "摘要", "领取救助的困难群众的基本信息", "新的摘要"),
            ("姓名", "默认脱敏方式", "姓名遮盖", "全部隐藏（文字显示为 ***，其他为空）"),
            ("", "移除 1 个数据项", "补助金额", ""),
        }

    def test_it_tells_new_items_in_one_line_in_their_order(
        self, people: People, at: datetime
    ) -> None:
        dataset = draft(people, at)
        rows: list[dict[str, Any]] = [{"pk": each.pk} for each in dataset.items.all()]
        rows += [
            {"name": name, "column_name": column, "data_type": "C", "length": 20}
            for name, column in (("民族", "nation"), ("学历", "degree"))
        ]
        now = timezone.now()  # after the factories' rows
        catalog.revise_dataset(dataset=dataset, actor=people.editor, at=now, items=rows)
        (told,) = history_of(dataset)[0].changes
        assert (told.label, told.old, told.new) == ("新增 2 个数据项", "", "民族、学历")

    def test_the_admin_leads_to_it(self, people: People, at: datetime, outsider: Any) -> None:
        dataset = draft(people, at)
        address = reverse("admin:catalog_dataset_history", args=[dataset.pk])
        client = Client()
        client.force_login(people.editor)
        answer = client.get(address)
        assert answer.headers["Location"] == f"{dataset.get_absolute_url()}#history"
        client.force_login(outsider)
        assert client.get(address).status_code == 404

    def test_it_tells_every_move_with_its_reason(self, people: People) -> None:
        at = timezone.now() + timedelta(minutes=1)  # after the factories' rows
        steps = history_of(STORIES["returned"](people, at))
        status = [
            (change.old, change.new)
            for step in reversed(steps)
            for change in step.changes
            if change.label == "状态"
        ]
        assert status == [
            ("编制中", "待本部门审批"),
            ("待本部门审批", "待主管部门审核"),
            ("待主管部门审核", "已退回"),
        ]
        assert any("摘要请写明数据范围" in step.reason for step in steps)


class TestApi:
    @pytest.fixture
    def client(self, consumer_department: Any, consumer_head: Any) -> Client:
        system = InformationSystemFactory(department=consumer_department)
        return caller(draw_token(credential_of(system, consumer_head, timezone.now())))

    def test_a_system_reads_published_entries_and_its_departments_own(
        self, client: Client, consumer_department: Any
    ) -> None:
        published = PublishedDatasetFactory()
        own = DatasetFactory(department=consumer_department)
        hidden = DatasetFactory()
        codes = {row["code"] for row in client.get("/api/v1/datasets").json()["results"]}
        assert codes == {published.dashed_code, own.dashed_code}
        assert client.get(f"/api/v1/datasets/{hidden.dashed_code}").status_code == 404

    def test_an_entry_says_its_items_rules_and_versions(self, client: Client) -> None:
        dataset = PublishedDatasetFactory(sharing_condition="")
        answer = client.get(f"/api/v1/datasets/{dataset.dashed_code}").json()
        assert answer["sharing_attribute"] == "unconditional"  # conditional without a condition
        assert [item["column"] for item in answer["items"]][:2] == ["identity_number", "name"]
        first = answer["items"][0]
        assert (first["type"], first["length"], first["is_key"], first["mask"]) == (
            "C",
            18,
            True,
            "cover_identity",
        )
        assert [version["number"] for version in answer["versions"]] == [1]

    @pytest.mark.parametrize(
        ("query", "code", "field"),
        [
            ("colour=blue", "unknown_filter", "colour"),
            ("sharing=perhaps", "invalid_filter", "sharing"),
            ("limit=0", "invalid_limit", None),
            ("cursor=abc", "cursor_invalid", None),
        ],
    )
    def test_it_names_what_it_does_not_understand(
        self, client: Client, query: str, code: str, field: str | None
    ) -> None:
        answer = client.get(f"/api/v1/datasets?{query}")
        body = answer.json()
        assert (answer.status_code, body["code"], body.get("field")) == (400, code, field)
        assert answer["Content-Type"].startswith("application/problem+json")

    def test_pages_hold_every_entry_once(self, client: Client) -> None:
        expected = {PublishedDatasetFactory().dashed_code for _ in range(5)}
        found, address = [], "/api/v1/datasets?limit=2"
        while address:
            page = client.get(address).json()
            found += [row["code"] for row in page["results"]]
            address = page["next"] and f"/api/v1/datasets?limit=2&cursor={page['next']}"
        assert len(found) == 5
        assert set(found) == expected

    def test_without_a_token_nothing_is_read(self) -> None:
        assert Client().get("/api/v1/datasets").status_code == 401

    @pytest.mark.parametrize("address", ["/api/v1/datasets", "/api/v1/datasets/{code}"])
    def test_more_rows_cost_no_more_statements(self, client: Client, address: str) -> None:
        dataset = PublishedDatasetFactory()
        where = address.format(code=dataset.dashed_code)
        client.get(where)
        with CaptureQueriesContext(connection) as few:
            client.get(where)
        for _ in range(5):
            PublishedDatasetFactory()
        for number in range(5):
            dataset.items.create(position=9, name=f"项{number}", column_name=f"c{number}")
        with CaptureQueriesContext(connection) as many:
            client.get(where)
        assert len(many) == len(few)

    def test_every_field_is_described(self) -> None:
        client = Client()
        schema = client.get("/api/v1/schema/?format=json").json()
        parts = schema["components"]["schemas"]
        undescribed = [
            f"{name}.{field}"
            for name in ("Dataset", "DatasetDetail", "DataItem", "DatasetVersion")
            for field, what in parts[name]["properties"].items()
            if not (what.get("description") or "").strip()
        ]
        assert undescribed == []
        for path in ("/api/v1/datasets", "/api/v1/datasets/{code}"):
            answers = schema["paths"][path]["get"]["responses"]
            assert {"200", "400", "401"} <= set(answers) or path.endswith("}")


@pytest.mark.parametrize("page", ["/work/datasets/", "/work/datasets/{code}/"])
def test_more_rows_cost_a_page_no_more_statements(provider: Any, page: str) -> None:
    dataset = PublishedDatasetFactory(department=provider.department)
    client = Client()
    client.force_login(provider, backend=settings.AUTHENTICATION_BACKENDS[1])
    where = page.format(code=dataset.dashed_code)
    client.get(where)
    with CaptureQueriesContext(connection) as few:
        assert client.get(where).status_code == 200
    for _ in range(5):
        PublishedDatasetFactory()
    for number in range(5):
        dataset.items.create(position=9, name=f"项{number}", column_name=f"c{number}")
    with CaptureQueriesContext(connection) as many:
        client.get(where)
    assert len(many) == len(few)
