"""Searching a hundred thousand entries, against the bare ranked index query through psycopg."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from math import ceil
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client

from apps.accounts.models import Department, User
from apps.catalog.models import DataItem, Dataset, SearchEntry, Synonym
from apps.catalog.search import search_entry_of
from apps.catalog.search.asking import question, synonyms
from apps.console.demo import city
from apps.core.copying import copy_in
from tests.benchmarks.harness import Measurement, claim, timed
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.catalog import ClassificationFactory

AT: Final = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
ENTRIES: Final = 100_000
ROUNDS: Final = 3
PLACES: Final = [
    "",
    "渝中区",
    "大渡口区",
    "沙坪坝区",
    "九龙坡区",
    "南岸区",
    "北碚区",
    "巴南区",
    "涪陵区",
    "长寿区",
    "江津区",
    "合川区",
    "永川区",
    "南川区",
    "綦江区",
    "大足区",
    "璧山区",
    "铜梁区",
    "潼南区",
    "荣昌区",
    "万州区",
    "开州区",
    "梁平区",
    "武隆区",
    "城口县",
    "丰都县",
    "垫江县",
    "忠县",
    "云阳县",
    "奉节县",
    "巫山县",
    "巫溪县",
]
SYNONYMS: Final = {
    "最低生活保障": ["低保"],
    "社会保险": ["社保"],
    "身份证号": ["公民身份号码", "身份证号码"],
}
QUERIES: Final = [
    f"q={query}"
    for kind in (
        # one word
        (
            "婚姻登记|低保|社会保障卡|机动车|学籍|不动产|残疾人|律师|食品经营许可|养老机构|公积金|"
            "疫苗|营业执照|驾驶人|退役军人|统一社会信用代码|水库|身份证|行政处罚|信息|登记|经度|"
            "法定代表人|注销"
        ),
        # several words
        (
            "婚姻登记 变更|困境儿童 基本信息|渝中区 学籍|社保 参保 统计|民政局 救助|企业 注册资本|"
            "监督检查 养老机构|万州区 低保对象|教师资格 奖惩|土地 面积|户籍人口 办理记录|"
            "工伤认定 办理|法律援助 基本信息|药品 监督检查结果|项目 招标投标|困境儿童基本信息|"
            "最低生活保障对象变更记录|社会组织监督检查结果"
        ),
        # pinyin and its initials
        "kjet|hydj|shbzk|jdc|jsy|hunyindengji|xueji|sfz|fcz|canjiren",
        # codes
        "307008/|307008-0001|307011/000012|307003/0002",
        # mistyped
        "婚因登记|社会保章卡|最低生活保障对像|困镜儿童|营业执罩|不动产蹬记信息",
        # with filters chosen
        (
            "登记&sharing=conditional|信息&department=D008|办理记录&cycle=monthly|"
            "企业&quality=excellent|变更&has_data=yes&opening=not_opened|学校&sort=name|"
            "社保&sort=newest|机构&classification=307|儿童&department=D008&sharing=conditional"
        ),
    )
    for query in kind.split("|")
]


@claim("catalog.search", target="<= 6")
def search_page() -> Measurement:
    """p95 of the list page (ranking, marking, every filter counted) over p95 of the bare query."""
    return _measure("/work/datasets/?")


@claim("catalog.search_api", target="<= 6")
def search_api() -> Measurement:
    """The same over the API, with facets."""
    return _measure("/api/v1/datasets?facets=true&limit=50&")


def _measure(address: str) -> Measurement:
    reader = _scene()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(reader, backend=settings.AUTHENTICATION_BACKENDS[1])
    client.get(address)
    ours, bare = [], []
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as plain:
        for query in QUERIES[:5]:
            _ask(plain, query)
        for _round in range(ROUNDS):
            for query in QUERIES:
                bare.append(timed(partial(_ask, plain, query)))
                ours.append(timed(partial(_get, client, address + query)))
    return Measurement(
        _p95(ours) / _p95(bare),
        {
            "entries": ENTRIES,
            "queries": len(QUERIES),
            "p95_ms": round(_p95(ours) * 1000, 1),
            "median_ms": round(sorted(ours)[len(ours) // 2] * 1000, 1),
            "bare_p95_ms": round(_p95(bare) * 1000, 1),
            "bare_median_ms": round(sorted(bare)[len(bare) // 2] * 1000, 1),
        },
    )


def _get(client: Client, address: str) -> bytes:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return bytes(answer.content)


def _ask(plain: psycopg.Connection[Any], query: str) -> None:
    """The ranked query alone: the words as the search asks them, the best fifty's keys."""
    asked = question(query.removeprefix("q=").partition("&")[0], _known())
    plain.execute(
        "SELECT dataset_id FROM catalog_searchentry WHERE words @@ %s::tsquery "
        "ORDER BY ts_rank('{0,0,0.3,1}', title, %s::tsquery) DESC, dataset_id DESC LIMIT 51",
        [asked.asked, asked.ranked],
    ).fetchall()


_kept: dict[str, Any] = {}


def _known() -> dict[str, list[str]]:
    if "synonyms" not in _kept:
        _kept["synonyms"] = synonyms()
    return _kept["synonyms"]  # type: ignore[no-any-return]


def _p95(seconds: list[float]) -> float:
    return sorted(seconds)[ceil(len(seconds) * 0.95) - 1]


def _scene() -> User:
    """A hundred thousand published entries: the demonstration city's, once per district."""
    if "reader" not in _kept:
        with connection.cursor() as cursor:  # another claim may have loaded the city before
            cursor.execute("TRUNCATE catalog_dataset CASCADE")
        known = Department.objects.select_related("region").in_bulk(field_name="code")
        providers = {
            plan.code: known.get(plan.code)
            or DepartmentFactory(code=plan.code, name=plan.name, short_name=plan.short_name)
            for plan in city.departments()
        }
        classes = {
            plan.classification: ClassificationFactory(
                code=plan.classification, name=plan.short_name
            )
            for plan in city.departments()
        }
        for word, others in SYNONYMS.items():
            Synonym.objects.update_or_create(word=word, defaults={"others": others})
        copy_in(Dataset, _datasets(providers, classes))
        keys = dict(Dataset.objects.values_list("code", "pk"))
        _copy_entries(_rows(providers, classes, keys))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE catalog_searchentry")
            cursor.execute("VACUUM ANALYZE catalog_dataset")
        _kept["reader"] = UserFactory(department=providers["D008"])
    reader: User = _kept["reader"]
    return reader


def _copy_entries(rows: Iterator[SearchEntry]) -> None:
    """Their keys are those of their entries, and so not the database's to draw."""
    fields = SearchEntry._meta.concrete_fields
    columns = ", ".join(str(field.column) for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY catalog_searchentry ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([getattr(row, field.attname) for field in fields])


@cache
def _items(plan: city.DatasetPlan) -> list[DataItem]:
    return [
        DataItem(name=item.label, column_name=item.column, data_type=item.type)
        for item in plan.items
    ]


def _plans() -> Iterator[tuple[str, str, city.DatasetPlan]]:
    plans = city.datasets()
    for number in range(ENTRIES):
        place = PLACES[number // len(plans)]
        plan = plans[number % len(plans)]
        yield f"{plan.classification}/{number + 1:06d}", place + plan.name, plan


def _datasets(providers: dict[str, Any], classes: dict[str, Any]) -> Iterator[Dataset]:
    chance = random.Random(3)
    for code, name, plan in _plans():
        published_at = AT - timedelta(days=chance.randint(0, 1000))
        yield Dataset(
            code=code,
            name=name,
            department=providers[plan.department],
            abstract=plan.abstract,
            classification=classes[plan.classification],
            sharing_attribute=plan.sharing,
            sharing_scope="本市各级政务部门",
            sharing_condition="仅用于履行法定职责" if plan.sharing == "conditional" else "",
            opening_attribute=chance.choice(["not_opened", "conditional", "unconditional"]),
            update_cycle=plan.cycle,
            holds_no_secrets=True,
            legal_duty=chance.choice(["", f"三定规定 · {plan.topic}管理"]),
            themes=[plan.topic],
            key_items=list(plan.key),
            status="published",
            published_at=published_at,
            created_at=published_at,
            updated_at=published_at,
        )


def _rows(
    providers: dict[str, Any], classes: dict[str, Any], keys: dict[str, int]
) -> Iterator[SearchEntry]:
    made = _datasets(providers, classes)
    chance = random.Random(4)
    for dataset, (code, _name, plan) in zip(made, _plans(), strict=True):
        dataset.pk = keys[code]
        entry = search_entry_of(dataset, _items(plan), at=AT)
        entry.has_data = chance.random() < 0.4
        yield entry
