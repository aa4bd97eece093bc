"""One datum, one source: what the radar finds, who decides, what a decision leaves."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.queries import platform_user
from apps.catalog import operations as catalog
from apps.catalog import queries, radar
from apps.catalog.lifecycle import DUPLICATE
from apps.catalog.models import Dataset, Duplicate, SourceDesignation
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice
from tests.conftest import CAST
from tests.factories.catalog import PERSONS, PublishedDatasetFactory
from tests.factories.standards import CodeListFactory, DataElementFactory

pytestmark = pytest.mark.django_db
PURCHASE: tuple[Any, ...] = (
    ("project_code", "采购项目编号", "C", 40, True, {}),
    ("supplier", "中标供应商", "C", 100, False, {}),
    ("amount", "中标金额", "Y", 18, False, {"scale": 2}),
    ("updated", "更新时间", "T", None, False, {}),
)
REASON = "市政府专题会议纪要第12号"


def scan(at: datetime) -> catalog.Scan:
    return catalog.scan_duplicates(actor=platform_user(), at=at)


@pytest.fixture
def pair(provider: Any, consumer: Any) -> tuple[Dataset, Dataset]:
    """The same data in two departments, among others that have common items only."""
    first = PublishedDatasetFactory(
        name="政府采购项目",
        department=provider.department,
        items=PURCHASE,
        key_items=["project_code"],
    )
    second = PublishedDatasetFactory(
        name="政府采购交易项目",
        department=consumer.department,
        items=PURCHASE,
        key_items=["project_code"],
    )
    for _ in range(12):
        PublishedDatasetFactory(items=(*PERSONS, PURCHASE[3]))
    return first, second


@pytest.fixture
def duplicate(pair: tuple[Dataset, Dataset], at: datetime) -> Duplicate:
    scan(at)
    return Duplicate.objects.get()


class TestRadar:
    def test_it_finds_the_pair_and_not_what_has_common_items_only(
        self, pair: tuple[Dataset, Dataset], at: datetime
    ) -> None:
        assert scan(at) == catalog.Scan(opened=1)
        found = Duplicate.objects.get()
        assert (found.first, found.second, found.status) == (*pair, "open")
        assert {each["first"] for each in found.evidence["items"]} == {
            label for _column, label, *_rest in PURCHASE
        }
        weights = {each["first"]: each["weight"] for each in found.evidence["items"]}
        assert weights["更新时间"] < weights["中标供应商"]

    def test_items_are_alike_by_element_name_code_and_definition(
        self, pair: tuple[Dataset, Dataset], at: datetime
    ) -> None:
        first, second = pair
        levels, winner = CodeListFactory(), "评标委员会确定的中标单位全称"
        element = DataElementFactory()
        changed: tuple[tuple[Dataset, dict[str, dict[str, Any]]], ...] = (
            (first, {"supplier": {"description": winner}, "amount": {"data_element": element}}),
            (second, {"supplier": {"description": winner, "name": "成交单位"}}),
        )
        for entry, changes in changed:
            for column, values in changes.items():
                entry.items.filter(column_name=column).update(**values)
        first.items.create(position=8, name="采购方式", column_name="way", code_list=levels)
        second.items.create(position=8, name="采购方式代码", column_name="kind", code_list=levels)
        first.items.create(position=9, name="采购级别", column_name="level", code_list=levels)
        scan(at)
        found = {
            i["first"]: (i["second"], i["how"]) for i in Duplicate.objects.get().evidence["items"]
        }
        assert found == {
            "采购项目编号": ("采购项目编号", "name"),
            "中标供应商": ("成交单位", "definition"),
            "中标金额": ("中标金额", "name"),
            "更新时间": ("更新时间", "name"),
            "采购方式": ("采购方式代码", "code_list"),
        }

    def test_one_name_of_two_data_elements_is_two_things(
        self, pair: tuple[Dataset, Dataset], at: datetime
    ) -> None:
        for entry in pair:
            entry.items.filter(column_name="updated").update(data_element=DataElementFactory())
            for number in range(10, 15):
                entry.items.create(position=number, name=f"评分{number}", column_name=f"c_{number}")
        scan(at)
        names = {each["first"] for each in Duplicate.objects.get().evidence["items"]}
        assert "更新时间" not in names

    def test_the_same_department_has_no_double(self, provider: Any, at: datetime) -> None:
        for name in ("政府采购项目", "政府采购交易项目"):
            PublishedDatasetFactory(
                name=name,
                department=provider.department,
                items=PURCHASE,
                key_items=["project_code"],
            )
        assert scan(at) == catalog.Scan()

    def test_alike_names_with_other_items_are_no_doubles(
        self, provider: Any, consumer: Any, at: datetime
    ) -> None:
        PublishedDatasetFactory(
            name="政府采购项目",
            department=provider.department,
            items=PURCHASE,
            key_items=["project_code"],
        )
        PublishedDatasetFactory(name="政府采购项目", department=consumer.department)
        assert scan(at) == catalog.Scan()

    def test_a_second_scan_changes_nothing(self, duplicate: Duplicate, at: datetime) -> None:
        before = Duplicate.objects.values().get()
        assert scan(at + timedelta(days=1)) == catalog.Scan()
        assert Duplicate.objects.values().get() == before

    def test_a_decision_stands_until_the_evidence_changes(
        self, duplicate: Duplicate, authority: Any, at: datetime
    ) -> None:
        catalog.tell_apart(duplicate=duplicate, actor=authority, at=at, reason=REASON)
        assert scan(at) == catalog.Scan()
        for entry in (duplicate.first, duplicate.second):
            entry.items.create(position=9, name="评标专家", column_name="expert")
        assert scan(at) == catalog.Scan(reopened=1)
        duplicate.refresh_from_db()
        assert (duplicate.status, duplicate.decided_at, duplicate.remark) == ("open", None, "")

    def test_what_is_no_longer_alike_lapses_and_comes_back(
        self, duplicate: Duplicate, at: datetime
    ) -> None:
        Dataset.objects.filter(pk=duplicate.first_id).update(name="公务用车")
        assert scan(at) == catalog.Scan(lapsed=1)
        Dataset.objects.filter(pk=duplicate.first_id).update(name="政府采购项目")
        assert scan(at) == catalog.Scan(reopened=1)

    def test_open_evidence_is_kept_up_to_date(self, duplicate: Duplicate, at: datetime) -> None:
        for entry in (duplicate.first, duplicate.second):
            entry.items.create(position=9, name="评标专家", column_name="expert")
        assert scan(at) == catalog.Scan(changed=1)
        found = Duplicate.objects.get()
        assert "评标专家" in {each["first"] for each in found.evidence["items"]}

    def test_more_entries_cost_no_more_statements(
        self, pair: tuple[Dataset, Dataset], at: datetime
    ) -> None:
        with CaptureQueriesContext(connection) as few:
            radar.pairs(radar.read())
        for _ in range(5):
            PublishedDatasetFactory()
        with CaptureQueriesContext(connection) as many:
            radar.pairs(radar.read())
        assert len(many) == len(few) == 2

    def test_order_does_not_matter(self, pair: tuple[Dataset, Dataset]) -> None:
        entries = radar.read()
        assert radar.pairs(entries) == radar.pairs(entries[::-1])


class TestDecisions:
    def test_naming_the_source_designates_it_tells_both_and_shows_on_the_entry(
        self, duplicate: Duplicate, authority: Any, provider: Any, consumer: Any, at: datetime
    ) -> None:
        catalog.name_source(
            duplicate=duplicate,
            actor=authority,
            at=at,
            department=provider.department,
            reason=REASON,
            subject="政府采购",
            revision=duplicate.revision,
        )
        made = SourceDesignation.objects.get()
        assert (made.subject, made.department, made.basis) == (
            "政府采购",
            provider.department,
            REASON,
        )
        assert (duplicate.status, duplicate.designation) == ("source_named", made)
        assert made.history.count() == 1
        assert {notice.recipient for notice in Notice.objects.all()} == {provider, consumer}
        on = at.date() + timedelta(days=1)
        assert list(queries.designations_of(duplicate.second, on=on)) == [made]
        client = Client()
        client.force_login(consumer, backend=settings.AUTHENTICATION_BACKENDS[1])
        page = client.get(duplicate.second.get_absolute_url()).content.decode()
        assert made.get_absolute_url() in page

    def test_a_third_department_cannot_be_the_source(
        self, duplicate: Duplicate, authority: Any, outsider: Any, at: datetime
    ) -> None:
        with pytest.raises(InvalidInput):
            catalog.name_source(
                duplicate=duplicate,
                actor=authority,
                at=at,
                department=outsider.department,
                reason=REASON,
            )
        assert not SourceDesignation.objects.exists()
        assert Duplicate.objects.get().status == "open"

    def test_a_subject_has_one_source(
        self, duplicate: Duplicate, authority: Any, provider: Any, consumer: Any, at: datetime
    ) -> None:
        catalog.designate_source(
            actor=authority,
            at=at,
            subject="政府采购",
            department=consumer.department,
            basis=REASON,
        )
        with pytest.raises(Conflict):
            catalog.designate_source(
                actor=authority,
                at=at,
                subject="政府采购",
                department=provider.department,
                basis=REASON,
            )
        with pytest.raises(Conflict):
            catalog.name_source(
                duplicate=duplicate,
                actor=authority,
                at=at,
                department=provider.department,
                reason=REASON,
                subject="政府采购",
            )
        assert SourceDesignation.objects.get().department == consumer.department

    def test_ending_a_designation_reopens_what_it_decided(
        self, duplicate: Duplicate, authority: Any, provider: Any, at: datetime
    ) -> None:
        catalog.name_source(
            duplicate=duplicate,
            actor=authority,
            at=at,
            department=provider.department,
            reason=REASON,
        )
        made = SourceDesignation.objects.get()
        with pytest.raises(Conflict):  # not on the day on which it begins
            catalog.end_designation(designation=made, actor=authority, at=at, reason="职能划转")
        later = at + timedelta(days=3)
        catalog.end_designation(designation=made, actor=authority, at=later, reason="职能划转")
        duplicate.refresh_from_db()
        made.refresh_from_db()
        assert (duplicate.status, duplicate.designation) == ("open", None)
        assert made.valid_to == later.date()
        assert made.history.count() == 2

    @pytest.mark.parametrize("name", ["name_source", "tell_apart", "reconsider"])
    def test_without_a_reason_nothing_is_decided(
        self, duplicate: Duplicate, authority: Any, provider: Any, at: datetime, name: str
    ) -> None:
        more = {"department": provider.department} if name == "name_source" else {}
        with pytest.raises((InvalidInput, IllegalMove)):
            getattr(catalog, name)(duplicate=duplicate, actor=authority, at=at, reason=" ", **more)
        assert Duplicate.objects.get().status == "open"
        assert not SourceDesignation.objects.exists()

    def test_a_stale_page_decides_nothing(
        self, duplicate: Duplicate, authority: Any, at: datetime
    ) -> None:
        with pytest.raises(StaleRevision):
            catalog.tell_apart(
                duplicate=duplicate, actor=authority, at=at, reason=REASON, revision=7
            )


def _at_status(duplicate: Duplicate, status: str, authority: Any, at: datetime) -> None:
    if status == "source_named":
        catalog.name_source(
            duplicate=duplicate,
            actor=authority,
            at=at,
            department=duplicate.first.department,
            reason=REASON,
        )
    elif status == "different_things":
        catalog.tell_apart(duplicate=duplicate, actor=authority, at=at, reason=REASON)
    elif status == "lapsed":
        Dataset.objects.filter(pk=duplicate.first_id).update(name="公务用车")
        scan(at)
    duplicate.refresh_from_db()
    assert duplicate.status == status


STATUSES = ("open", "source_named", "different_things", "lapsed")
ACTS: dict[str, Callable[..., Any]] = {
    "name_source": lambda d, who, at: catalog.name_source(
        duplicate=d, actor=who, at=at, department=d.first.department, reason=REASON
    ),
    "tell_apart": lambda d, who, at: catalog.tell_apart(
        duplicate=d, actor=who, at=at, reason=REASON
    ),
    "reconsider": lambda d, who, at: catalog.reconsider(
        duplicate=d, actor=who, at=at, reason=REASON
    ),
}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_move_from_every_status(
    duplicate: Duplicate, authority: Any, at: datetime, status: str, name: str
) -> None:
    _at_status(duplicate, status, authority, at)
    move = DUPLICATE.move(name)
    if status in move.sources:
        ACTS[name](duplicate, authority, at)
        assert Duplicate.objects.get().status == move.target
    else:
        before = Duplicate.objects.values().get()
        with pytest.raises(IllegalMove):
            ACTS[name](duplicate, authority, at)
        assert Duplicate.objects.values().get() == before


OVERSEERS = {"authority", "authority_leader", "auditor"}
CONCERNED = {"provider", "provider_head", "consumer", "consumer_head"}
MATRIX: dict[str, set[str]] = {
    "view": OVERSEERS | CONCERNED,
    "comment": {"authority"} | CONCERNED,
    **{name: {"authority"} for name in ACTS},
}


@pytest.mark.parametrize("status", STATUSES)
def test_who_may_do_what(
    cast: dict[str, Any], duplicate: Duplicate, at: datetime, status: str
) -> None:
    _at_status(duplicate, status, cast["authority"], at)
    assert set(MATRIX) == set(access.actions_of(Duplicate))
    for action, admitted in MATRIX.items():
        assert {
            who for who in CAST if access.allowed(cast[who], action, duplicate, at=at)
        } == admitted, action


def test_who_may_not_is_refused_and_changes_nothing(
    cast: dict[str, Any], duplicate: Duplicate, at: datetime
) -> None:
    acts = {
        **ACTS,
        "comment": lambda d, who, at: catalog.comment_duplicate(
            duplicate=d, actor=who, at=at, text="意见"
        ),
    }
    before = Duplicate.objects.values().get(), Event.objects.filter(outcome="done").count()
    for action, act in acts.items():
        for who in set(CAST) - MATRIX[action]:
            with pytest.raises(NotAllowed):
                act(duplicate, cast[who], at)
    for who in set(CAST) - {"authority"}:
        with pytest.raises(NotAllowed):
            catalog.scan_duplicates(actor=cast[who], at=at)
        with pytest.raises(NotAllowed):
            catalog.designate_source(
                actor=cast[who],
                at=at,
                subject="户籍",
                department=duplicate.first.department,
                basis=REASON,
            )
    assert not SourceDesignation.objects.exists()
    after = Duplicate.objects.values().get(), Event.objects.filter(outcome="done").count()
    assert after == before


def test_a_department_does_not_see_what_left_force(
    duplicate: Duplicate, consumer: Any, at: datetime
) -> None:
    Dataset.objects.filter(pk=duplicate.first_id).update(status="withdrawn", withdrawn_at=at)
    assert not access.allowed(consumer, "view", duplicate, at=at)


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "second", "second": "first"},
        {"status": "source_named"},
        {"status": "different_things"},
        {"score": 101},
    ],
)
def test_what_must_never_be_false(duplicate: Duplicate, wrong: dict[str, Any]) -> None:
    values = {
        name: getattr(duplicate, value) if name in ("first", "second") else value
        for name, value in wrong.items()
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        Duplicate.objects.filter(pk=duplicate.pk).update(**values)


class TestFaces:
    def client(self, user: Any) -> Client:
        client = Client()
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
        return client

    def test_pages(
        self, duplicate: Duplicate, authority: Any, consumer: Any, outsider: Any
    ) -> None:
        officer, member = self.client(authority), self.client(consumer)
        assert "政府采购项目" in officer.get("/work/duplicates/").content.decode()
        where = duplicate.get_absolute_url()
        assert "中标供应商" in member.get(where).content.decode()
        assert self.client(outsider).get(where).status_code == 404
        assert member.get(f"{where}name_source/").status_code == 403
        assert member.post(where, {"text": "两者口径不同"}).status_code == 302
        assert "两者口径不同" in officer.get(where).content.decode()
        answer = officer.post(
            f"{where}name_source/",
            {
                "department": duplicate.first.department_id,
                "subject": "政府采购",
                "reason": REASON,
                "revision": duplicate.revision,
            },
        )
        assert answer.status_code == 302
        made = SourceDesignation.objects.get()
        assert "政府采购" in member.get("/work/source-designations/").content.decode()
        assert REASON in member.get(made.get_absolute_url()).content.decode()
        assert member.get("/work/source-designations/new/").status_code == 403
        assert officer.get("/work/source-designations/new/").status_code == 200
        assert officer.post("/work/duplicates/scan/").status_code == 302
        assert member.post("/work/duplicates/scan/").status_code == 403

    def test_api(self, duplicate: Duplicate, authority: Any, consumer: Any, outsider: Any) -> None:
        officer, member = self.client(authority), self.client(consumer)
        rows = member.get("/api/v1/duplicates?status=open").json()["results"]
        assert [row["id"] for row in rows] == [duplicate.pk]
        where = f"/api/v1/duplicates/{duplicate.pk}"
        assert self.client(outsider).get(where).status_code == 404
        assert member.get("/api/v1/duplicates?status=odd").status_code == 400
        body = {"reason": REASON, "department": duplicate.first.department.code}
        assert member.post(f"{where}/name_source", body).status_code == 403
        assert officer.post(f"{where}/lapse", body).status_code == 404
        assert officer.post(f"{where}/name_source", {"reason": "无"}).status_code == 400
        assert member.post(f"{where}/comment", {"reason": "口径不同"}).status_code == 200
        named = officer.post(f"{where}/name_source", body).json()
        assert named["status"] == "source_named"
        listed = member.get("/api/v1/source-designations").json()["results"]
        assert [row["id"] for row in listed] == [named["designation"]]
        one = member.get(f"/api/v1/source-designations/{named['designation']}")
        assert one.json()["basis"] == REASON
