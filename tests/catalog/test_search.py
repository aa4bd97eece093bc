"""Search: what is found, how it is ranked, marked, counted and paged, and by whom."""

from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.catalog import operations as catalog
from apps.catalog import search
from apps.catalog.models import Dataset, SavedFilter, SearchEntry, Synonym
from apps.catalog.search.asking import question
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from tests.catalog.stories import STORIES, People
from tests.conftest import CAST
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.catalog import DatasetFactory, PublishedDatasetFactory

pytestmark = pytest.mark.django_db


def found(**query: str) -> list[str]:
    searched = search.Search(SearchEntry.objects.all(), search.Filters.read(query))
    keys = searched.page(size=50).keys
    rows = Dataset.objects.in_bulk(keys)
    return [rows[key].name for key in keys]


class TestWords:
    @pytest.fixture(autouse=True)
    def _entries(self) -> None:
        civil = DepartmentFactory(code="D08", name="市民政局", short_name="市民政局")
        for name, abstract in (
            ("困境儿童基本信息", "全市困境儿童的登记信息"),
            ("最低生活保障对象信息", "领取救助的家庭"),
            ("婚姻登记信息", "结婚和离婚登记"),
            ("殡葬服务设施名录", "公墓、殡仪馆；不含儿童福利设施"),
        ):
            PublishedDatasetFactory(name=name, abstract=abstract, department=civil)
        Synonym.objects.create(word="最低生活保障", others=["低保"])

    @pytest.mark.parametrize(
        ("q", "first"),
        [
            ("困境儿童", "困境儿童基本信息"),
            ("儿童 困境", "困境儿童基本信息"),
            ("困境儿", "困境儿童基本信息"),
            ("ｋｊｅｔ", "困境儿童基本信息"),
            ("kjet", "困境儿童基本信息"),
            ("etjb", "困境儿童基本信息"),
            ("kunjing", "困境儿童基本信息"),
            ("低保", "最低生活保障对象信息"),
            ("低保对象", "最低生活保障对象信息"),
            ("hydj", "婚姻登记信息"),
            ("婚因登记", "婚姻登记信息"),  # the same sound
            ("婚烟登记", "婚姻登记信息"),  # one character wrong
            ("最低生活保障对像信息", "最低生活保障对象信息"),  # most pairs there
            ("hunyni", "婚姻登记信息"),  # two letters exchanged
            ("hunyiin", "婚姻登记信息"),  # one too many
            ("hunyingdengji", "婚姻登记信息"),  # as some dialects say it
            ("儿童", "困境儿童基本信息"),  # in the name before in the abstract
        ],
    )
    def test_it_finds(self, q: str, first: str) -> None:
        assert found(q=q)[0] == first

    @pytest.mark.parametrize(
        "q", ["天文望远镜", "zzzz", "！", "' | *", "\\", "zqx & zqy", "&", "::"]
    )
    def test_it_finds_nothing_without_stumbling(self, q: str) -> None:
        assert found(q=q) == []

    def test_a_code_is_found_by_its_beginning(self) -> None:
        code = Dataset.objects.get(name="婚姻登记信息").code
        assert found(q=code) == ["婚姻登记信息"]
        assert found(q=code.replace("/", "-")) == ["婚姻登记信息"]
        assert len(found(q=code[:8])) == 4

    def test_all_words_must_be_there(self) -> None:
        assert found(q="困境儿童 婚姻") == []
        assert found(q="民政局 婚姻") == ["婚姻登记信息"]

    def test_near_is_said_to_be_near_only_when_little_is_exact(self) -> None:
        exact = search.Search(SearchEntry.objects.all(), search.Filters(q="信息"))
        assert (exact.total, exact.is_near) == (3, False)
        near = search.Search(SearchEntry.objects.all(), search.Filters(q="婚因登记"))
        assert (near.total, near.is_near) == (1, True)

    @pytest.mark.parametrize(
        ("q", "marked"),
        [
            ("婚因登记", "<mark>婚姻登记</mark>信息"),
            ("婚烟登记", "婚姻<mark>登记</mark>信息"),
            ("hunyni", "<mark>婚姻</mark>登记信息"),
        ],
    )
    def test_what_comes_near_is_marked_too(self, q: str, marked: str) -> None:
        near = search.Search(SearchEntry.objects.all(), search.Filters(q=q))
        assert search.highlighted("婚姻登记信息", near.marks) == marked

    @given(st.text(max_size=40))
    @hypothesis_settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_no_question_is_too_odd(self, text: str) -> None:
        searched = search.Search(SearchEntry.objects.all(), search.Filters.read({"q": text}))
        assert len(searched.page(size=50).keys) == searched.total


@pytest.mark.parametrize(
    ("text", "q", "marked"),
    [
        ("困境儿童基本信息", "儿童", "困境<mark>儿童</mark>基本信息"),
        ("困境儿童基本信息", "kjet", "<mark>困境儿童</mark>基本信息"),
        ("困境儿童基本信息", "kunjing", "<mark>困境</mark>儿童基本信息"),
        ("<b>&儿童", "儿童", "&lt;b&gt;&amp;<mark>儿童</mark>"),
        ("儿童儿童", "儿童", "<mark>儿童儿童</mark>"),
        ("最低生活保障对象", "低保", "<mark>最低生活保障</mark>对象"),
        ("没有相干的", "儿童", "没有相干的"),
    ],
)
def test_it_marks(text: str, q: str, marked: str) -> None:
    marks = question(q, {"低保": ["最低生活保障"]}).marks
    assert search.highlighted(text, marks) == marked


@given(st.text(max_size=60), st.text(max_size=12), st.integers(5, 30))
@hypothesis_settings(max_examples=60)
def test_marking_loses_no_letter_and_lets_no_tag_through(text: str, q: str, around: int) -> None:
    marks = question(q, {}).marks
    html = search.highlighted(text, marks)
    bare = html.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert bare == escape(text)
    short = unescape(search.highlighted(text, marks, around=around)).replace("<mark>", "")
    assert len(short.replace("</mark>", "").strip("…")) <= max(around, len(text.strip("…")))


FILTERS: dict[str, Callable[[SearchEntry], str]] = {
    "sharing": lambda e: e.sharing,
    "opening": lambda e: e.opening,
    "cycle": lambda e: e.cycle,
    "status": lambda e: e.status,
    "format_class": lambda e: e.format_class,
    "department": lambda e: e.department.code,
    "region": lambda e: e.region,
    "classification": lambda e: e.classification[:3],
    "has_data": lambda e: "yes" if e.has_data else "no",
}


class TestCounts:
    @pytest.fixture(autouse=True)
    def _entries(self) -> None:
        departments = [DepartmentFactory() for _ in range(3)]
        for number in range(24):
            DatasetFactory(
                name=f"{'救助' if number % 2 else '登记'}信息第{number}批次表",
                department=departments[number % 3],
                sharing_attribute=["unconditional", "conditional"][number % 5 > 2],
                opening_attribute=["not_opened", "conditional"][number % 4 == 0],
                update_cycle=["daily", "monthly", "yearly"][number % 3],
                format_class=["database", "spreadsheet"][number % 7 == 0],
                themes=[["民生"], ["民生", "教育"], []][number % 3],
                items=(),
            )
        SearchEntry.objects.filter(pk__in=Dataset.objects.all()[:9]).update(has_data=True)

    @given(data=st.data())
    @hypothesis_settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    def test_each_count_is_what_brute_force_counts(self, data: Any) -> None:
        rows = list(SearchEntry.objects.select_related("department"))
        query = {
            name: data.draw(st.sampled_from(["", *sorted({value(row) for row in rows})]))
            for name, value in FILTERS.items()
            if data.draw(st.booleans())
        }
        theme = data.draw(st.sampled_from(["", "民生", "教育"]))
        filters = search.Filters.read({**query, "theme": theme, "q": "信息"})
        searched = search.Search(SearchEntry.objects.all(), filters)

        def left(other: search.Filters) -> int:
            return sum(
                all(
                    not getattr(other, name) or value(row) == getattr(other, name)
                    for name, value in FILTERS.items()
                )
                and (not other.theme or other.theme in row.themes)
                for row in rows
            )

        assert searched.total == left(filters) == len(searched.page(size=50).keys)
        for name, choices in searched.choices.items():
            if name == "quality":
                continue
            for choice in choices:
                wanted = search.Filters.read({**filters.without(name).chosen(), name: choice.value})
                assert choice.count == left(wanted), (name, choice.value)

    def test_counting_is_one_statement(self) -> None:
        searched = search.Search(
            SearchEntry.objects.all(), search.Filters(q="信息", sharing="conditional")
        )
        assert searched.departments
        with CaptureQueriesContext(connection) as seen:
            assert searched.counts.total
        assert len(seen) == 1

    @pytest.mark.parametrize("sort", ["newest", "name", "score", "relevance"])
    def test_pages_hold_every_entry_once(self, sort: str) -> None:
        searched = search.Search(SearchEntry.objects.all(), search.Filters(q="信息", sort=sort))
        keys: list[int] = []
        start: int | None = None
        while True:
            part = searched.page(size=5, start=start)
            keys += part.keys
            start = part.following
            if start is None:
                break
        assert sorted(keys) == sorted(Dataset.objects.values_list("pk", flat=True))
        if sort == "name":
            names = SearchEntry.objects.in_bulk(keys)
            assert [names[key].sort_name for key in keys] == sorted(
                entry.sort_name for entry in names.values()
            )


@pytest.mark.parametrize("status", sorted(STORIES))
def test_nobody_finds_counts_or_pages_to_what_he_may_not_see(
    people: People, cast: dict[str, Any], at: datetime, status: str
) -> None:
    dataset = STORIES[status](people, at, name="专供检验的稀有名录")
    for name in CAST:
        may = access.allowed(cast[name], "view", dataset, at=at)
        for q in ("稀有名录", "xyml", "稀由名录", ""):
            searched = search.Search(
                access.rows(cast[name], "view", SearchEntry, at=at), search.Filters(q=q)
            )
            assert (searched.total, len(searched.page(size=5).keys)) == (may, may), (name, q)
            counted = sum(choice.count for choice in searched.choices["department"])
            assert counted == may, (name, q)


def test_a_row_of_the_index_that_is_behind_shows_nobody_an_entry(consumer: Any) -> None:
    hidden = DatasetFactory(name="稀有名录")
    SearchEntry.objects.filter(pk=hidden.pk).update(status="published")
    client = Client()
    client.force_login(consumer, backend=settings.AUTHENTICATION_BACKENDS[1])
    assert "稀有名录" not in client.get("/work/datasets/").content.decode()
    assert client.get("/api/v1/datasets").json()["results"] == []


class TestPage:
    @pytest.fixture
    def client(self, consumer: Any) -> Client:
        client = Client()
        client.force_login(consumer, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    def test_it_marks_counts_and_lets_filters_go_one_by_one(self, client: Client) -> None:
        PublishedDatasetFactory(name="困境儿童基本信息")
        page = client.get("/work/datasets/?q=儿童&sharing=conditional").content.decode()
        assert "困境<mark>儿童</mark>基本信息" in page
        assert 'href="?q=%E5%84%BF%E7%AB%A5"' in page  # without sharing
        assert 'href="?sharing=conditional"' in page  # without the words

    def test_a_filter_that_there_is_not_is_named_and_everything_shown(self, client: Client) -> None:
        PublishedDatasetFactory(name="困境儿童基本信息")
        page = client.get("/work/datasets/?quality=superb").content.decode()
        assert "困境儿童基本信息" in page
        assert "superb" in page

    def test_the_api_ranks_counts_and_pages_alike(self, client: Client) -> None:
        for number in range(3):
            PublishedDatasetFactory(name=f"儿童名录{number}册", abstract="无")
        PublishedDatasetFactory(name="困境信息", abstract="儿童")
        address = "/api/v1/datasets?q=儿童&limit=2&facets=true"
        first = client.get(address).json()
        assert first["total"] == 4
        assert {"value": "conditional", "label": "有条件共享", "count": 4} in first["facets"][
            "sharing"
        ]
        second = client.get(f"{address}&cursor={first['next']}").json()
        names = [row["name"] for row in first["results"] + second["results"]]
        assert names[3] == "困境信息"
        assert second["next"] is None

    def test_the_synonyms_of_the_field_are_there(self, client: Client) -> None:
        call_command("loaddata", "fixtures/reference/catalog_synonyms.json", verbosity=0)
        assert Synonym.objects.count() >= 60
        PublishedDatasetFactory(name="公民身份号码登记")
        assert found(q="身份证号") == ["公民身份号码登记"]


class TestSavedFilters:
    def save(self, actor: Any, at: datetime, **more: Any) -> SavedFilter:
        values = {"name": "民生类", "query": "q=救助&sharing=conditional&after=9", **more}
        return catalog.save_filter(actor=actor, at=at, **values)

    def test_it_keeps_the_filters_and_nothing_else(self, consumer: Any, at: datetime) -> None:
        assert self.save(consumer, at).query == "q=%E6%95%91%E5%8A%A9&sharing=conditional"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"name": " "},
            {"name": "长" * 51},
            {"query": ""},
            {"query": "after=3"},
            {"query": "sharing=maybe"},
            {"audience": "world"},
        ],
    )
    def test_it_refuses_and_keeps_nothing(
        self, consumer: Any, at: datetime, wrong: dict[str, str]
    ) -> None:
        with pytest.raises(InvalidInput):
            self.save(consumer, at, **wrong)
        assert not SavedFilter.objects.exists()

    def test_a_name_is_kept_once(self, consumer: Any, at: datetime) -> None:
        self.save(consumer, at)
        with pytest.raises(Conflict):
            self.save(consumer, at)
        assert SavedFilter.objects.count() == 1

    @pytest.mark.parametrize(
        ("audience", "readers"),
        [
            ("own", {"consumer"}),
            ("department", {"consumer", "consumer_head"}),
            ("everybody", set(CAST) - {"citizen", "unassigned", "inactive"}),
        ],
    )
    def test_who_sees_and_who_deletes_it(
        self, cast: dict[str, Any], at: datetime, audience: str, readers: set[str]
    ) -> None:
        saved = self.save(cast["consumer"], at, audience=audience)
        assert {w for w in CAST if access.allowed(cast[w], "view", saved, at=at)} == readers
        for who in set(CAST) - {"consumer"}:
            with pytest.raises(NotAllowed):
                catalog.delete_filter(saved=saved, actor=cast[who], at=at)
        assert SavedFilter.objects.exists()
        catalog.delete_filter(saved=saved, actor=cast["consumer"], at=at)
        assert not SavedFilter.objects.exists()

    def test_who_has_no_department_keeps_none(self, cast: dict[str, Any], at: datetime) -> None:
        for who in ("citizen", "unassigned", "inactive"):
            with pytest.raises(NotAllowed):
                self.save(cast[who], at)
        assert not SavedFilter.objects.exists()

    def test_pages_and_api(self, consumer: Any, at: datetime) -> None:
        client = Client()
        client.force_login(consumer, backend=settings.AUTHENTICATION_BACKENDS[1])
        assert client.get("/work/saved-filters/").status_code == 200
        answer = client.post(
            "/work/saved-filters/new/?q=救助",
            {"name": "救助", "audience": "own", "query": "q=救助"},
        )
        assert answer["Location"] == "/work/datasets/?q=%E6%95%91%E5%8A%A9"
        again = client.post("/work/saved-filters/new/", {"name": "救助", "audience": "own"})
        assert again.status_code == 200
        made = client.post("/api/v1/saved-filters", {"name": "教育", "query": "theme=教育"})
        assert made.status_code == 201
        rows = client.get("/api/v1/saved-filters").json()["results"]
        assert {row["name"] for row in rows} == {"救助", "教育"}
        where = f"/api/v1/saved-filters/{made.json()['id']}"
        foreign = Client()
        foreign.force_login(UserFactory(), backend=settings.AUTHENTICATION_BACKENDS[1])
        assert foreign.delete(where).status_code == 404
        assert client.delete(where).status_code == 204
        saved = SavedFilter.objects.get()
        assert client.post(f"/work/saved-filters/{saved.pk}/delete/").status_code == 302
        assert not SavedFilter.objects.exists()


def test_only_the_authority_keeps_synonyms(cast: dict[str, Any], at: datetime) -> None:
    word = Synonym.objects.create(word="低保", others=["最低生活保障"])
    for action in ("change", "delete"):
        assert {w for w in CAST if access.allowed(cast[w], action, word, at=at)} == {"authority"}
    assert {w for w in CAST if access.able(cast[w], "create", Synonym, at=at)} == {"authority"}
    client = Client()
    client.force_login(cast["authority"], backend=settings.AUTHENTICATION_BACKENDS[1])
    assert client.get("/admin/catalog/synonym/").status_code == 200
    assert client.get(f"/admin/catalog/synonym/{word.pk}/change/").status_code == 200
