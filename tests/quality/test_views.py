"""The screens of quality: who opens what, what they show, and that lists cost a constant."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.core import access
from apps.ledger import queries as ledger
from apps.quality import operations as quality
from apps.quality.lifecycle import WORK_ORDER
from apps.quality.models import Finding, QualityRule, QualityRun, Score, WorkOrder
from apps.quality.views.orders import BY_HAND
from tests.factories.quality import added, checked, person, persons
from tests.factories.warehouse import AT, landed, published

pytestmark = pytest.mark.django_db

SEES = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
READS_ROWS = {"provider", "provider_head"}
SETS_RULES = {"provider", "authority"}
CHEAP = {"amount": "1.00"}


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def page(user: Any, address: str) -> str:
    answer = signed_in(user).get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return str(answer.content.decode()).replace("\u2009", " ")


@pytest.fixture
def rule(dataset: Dataset, provider: Any) -> QualityRule:
    """Amounts of at least 5; two of four landed rows break it."""
    landed(
        dataset,
        persons(person(0), person(1, **CHEAP), person(2, **CHEAP), person(3)),
        actor=provider,
    )
    made = added(
        dataset,
        "range",
        actor=provider,
        name="金额不低于五元",
        columns=["amount"],
        parameters={"minimum": "5"},
    )
    checked(dataset)
    return made


@pytest.fixture
def order(rule: QualityRule) -> WorkOrder:
    found: WorkOrder = WorkOrder.objects.get(rule=rule)
    return found


def dataset_url(dataset: Dataset) -> str:
    return reverse("quality:dataset", args=[dataset.dashed_code])


class TestWhoOpens:
    def test_the_pages_of_a_dataset(
        self, cast: dict[str, Any], dataset: Dataset, rule: QualityRule, order: WorkOrder
    ) -> None:
        run = QualityRun.objects.latest("pk")
        quality.profile(run=run, at=AT)
        addresses = (
            dataset_url(dataset),
            reverse("quality:rule", args=[rule.pk]),
            reverse("quality:run", args=[run.pk]),
            order.get_absolute_url(),
        )
        for name in set(cast) - {"inactive"}:  # who cannot sign in
            client = signed_in(cast[name])
            seen = 200 if name in SEES else 404
            for address in addresses:
                answer = client.get(address)
                assert answer.status_code == seen, (name, address)
                shows_rows = ">1.00<" in answer.content.decode()
                assert not (shows_rows and name not in READS_ROWS), (name, address)

    def test_the_lists(
        self, cast: dict[str, Any], dataset: Dataset, rule: QualityRule, order: WorkOrder
    ) -> None:
        for name in set(cast) - {"inactive"}:
            client = signed_in(cast[name])
            for address in ("quality:overview", "quality:rules", "quality:work-orders"):
                listed = client.get(reverse(address)).content.decode().replace("\u2009", " ")
                assert (dataset.name in listed) is (name in SEES), (name, address)
            rows = client.get(reverse("quality:findings")).content.decode()
            assert (">1.00<" in rows) is (name in READS_ROWS), name
            download = client.get(reverse("quality:work-order-rows", args=[order.pk])).status_code
            assert download == (200 if name in READS_ROWS else 403 if name in SEES else 404), name

    def test_nobody_without_signing_in(self, dataset: Dataset, order: WorkOrder) -> None:
        for address in (reverse("quality:overview"), dataset_url(dataset), "/work/quality/orders/"):
            answer = Client().get(address)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/accounts/login/")

    def test_only_who_sets_rules_adds_changes_and_stops_them(
        self, cast: dict[str, Any], dataset: Dataset, rule: QualityRule
    ) -> None:
        for name, someone in cast.items():
            if name == "inactive":
                continue
            client = signed_in(someone)
            expected = 200 if name in SETS_RULES else 403 if name in SEES else 404
            for address in (
                reverse("quality:rule-new", args=[dataset.dashed_code]),
                reverse("quality:rule-edit", args=[rule.pk]),
                reverse("quality:rule-retire", args=[rule.pk]),
            ):
                assert client.get(address).status_code == expected, (name, address)
            asked = client.post(reverse("quality:dataset-check", args=[dataset.dashed_code]))
            allowed = 302 if name in SETS_RULES else 403 if name in SEES else 404
            assert asked.status_code == allowed, name

    def test_the_buttons_of_an_order_are_the_lifecycle_and_what_the_person_may(
        self, cast: dict[str, Any], order: WorkOrder
    ) -> None:
        for name in SEES:
            shown = page(cast[name], order.get_absolute_url())
            found = set(re.findall(r'href="/work/quality/orders/\d+/move/([a-z_]+)/"', shown))
            expected = {
                move.name
                for move in WORK_ORDER.moves_from(order.status)
                if move.name in BY_HAND and access.allowed(cast[name], move.name, order)
            }
            assert found == expected, name


class TestOverview:
    def test_a_score_stands_beside_its_fraction_and_what_is_not_evaluable_is_said(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        shown = page(provider, reverse("quality:overview"))
        score = Score.objects.get(indicator="0104")
        assert score.numerator < score.denominator
        assert f"{score.numerator}/{score.denominator}" in shown
        assert "不可评价" in shown
        assert "同一次提交的文件里" in shown, "which duplicates are counted by 0303"
        assert "100.0%" not in re.findall(r"可访问性.*?</tr>", shown, re.DOTALL)[0]

    def test_departments_are_ranked_and_lead_to_their_datasets(
        self, dataset: Dataset, rule: QualityRule, authority: Any, consumer: Any
    ) -> None:
        other = published(department=consumer.department)
        landed(other, persons(person(0), person(1)), actor=consumer)
        checked(other)
        shown = page(authority, reverse("quality:overview"))
        ranking = shown[shown.index('id="ranking"') :]
        assert ranking.index(str(consumer.department)) < ranking.index(str(dataset.department))
        low = page(authority, f"{reverse('quality:overview')}?order=low")
        ranking = low[low.index('id="ranking"') :]
        assert ranking.index(str(dataset.department)) < ranking.index(str(consumer.department))
        narrow = page(
            authority, f"{reverse('quality:overview')}?department={dataset.department.code}"
        )
        assert dataset.name in narrow
        assert other.name not in narrow
        by_store = page(authority, f"{reverse('quality:overview')}?by=store&dimension=01")
        assert dataset.data_table.store.name in by_store

    def test_the_days_are_drawn_and_told_in_figures(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        today = timezone.localdate(AT)
        row = Score.objects.get(indicator="0104")
        Score.objects.create(
            dataset=dataset,
            department=dataset.department,
            indicator="0104",
            on=today - timedelta(days=1),
            numerator=1,
            denominator=4,
            rule_count=1,
            run=row.run,
        )
        shown = page(provider, dataset_url(dataset))
        if row.on > timezone.localdate() - timedelta(days=89):
            assert "<polyline" in shown
            assert "25.0%" in shown

    def test_it_costs_the_same_however_many_departments_there_are(
        self, dataset: Dataset, rule: QualityRule, authority: Any, consumer: Any
    ) -> None:
        client = signed_in(authority)
        address = f"{reverse('quality:overview')}?by=dataset"
        client.get(address)
        before = _statements(client, address)
        for someone in (consumer, consumer):
            other = published(department=someone.department)
            landed(other, persons(person(0)), actor=someone)
            checked(other)
        assert _statements(client, address) <= before + 1


class TestDataset:
    def test_rules_results_and_profile(
        self, dataset: Dataset, rule: QualityRule, provider: Any, authority: Any
    ) -> None:
        run = QualityRun.objects.latest("pk")
        quality.profile(run=run, at=AT)
        shown = page(provider, dataset_url(dataset))
        assert "“amount”不小于 5" in shown
        assert "4 中 2 不符合" in shown
        profile = shown[shown.index('id="profile"') :]
        assert "不显示取值" in profile, "personal columns keep their values"
        assert "13800000000" not in profile
        assert "1.00" not in page(authority, dataset_url(dataset))

    def test_a_check_can_be_asked_for(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        client = signed_in(provider)
        answer = client.post(reverse("quality:dataset-check", args=[dataset.dashed_code]))
        assert answer.status_code == 302
        assert QualityRun.objects.latest("pk").trigger == "manual"

    def test_its_pages_are_linked_from_the_entry_and_the_table(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        assert dataset_url(dataset) in page(provider, dataset.get_absolute_url())
        assert dataset_url(dataset) in page(provider, f"/work/tables/{dataset.dashed_code}/")


class TestFindings:
    def test_filters_and_download_show_the_same_rows(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        client = signed_in(provider)
        address = f"{reverse('quality:findings')}?rule={rule.pk}&status=open"
        shown = client.get(address).content.decode()
        assert shown.count("1.00") == 2
        answer = client.get(f"{address}&format=csv")
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(lines) == 1 + 2
        assert lines[1][2] == rule.name
        none = client.get(f"{reverse('quality:findings')}?status=fixed").content.decode()
        assert "没有符合条件的质量问题" in none

    def test_some_rows_are_vouched_for_after_saying_how_many(
        self, order: WorkOrder, provider_head: Any, authority: Any
    ) -> None:
        client = signed_in(provider_head)
        address = reverse("quality:findings-accept")
        (first, _second) = Finding.objects.order_by("pk")
        asked = client.post(address, {"finding": [first.pk], "filters": ""}).content.decode()
        assert "核实 1 条" in asked.replace("\u2009", " ")
        first.refresh_from_db()
        assert first.status == "open", "nothing is done before it is confirmed"
        client.post(address, {"finding": [first.pk], "confirm": "1", "reason": "已核对原件"})
        first.refresh_from_db()
        order.refresh_from_db()
        assert (first.status, first.reason, order.failed) == ("accepted", "已核对原件", 1)
        assert "<dt>核实无误</dt><dd>1</dd>" in page(authority, order.get_absolute_url())

    def test_all_that_the_filters_show_are_vouched_for(
        self, order: WorkOrder, provider_head: Any
    ) -> None:
        answer = signed_in(provider_head).post(
            reverse("quality:findings-accept"),
            {
                "everything": "1",
                "filters": f"rule={order.rule_id}",
                "confirm": "1",
                "reason": "已核对原件",
            },
        )
        assert answer.status_code == 302
        order.refresh_from_db()
        assert order.status == "accepted"

    def test_nobody_else_vouches(self, cast: dict[str, Any], order: WorkOrder) -> None:
        keys = list(Finding.objects.values_list("pk", flat=True))
        given = {"finding": keys, "confirm": "1", "reason": "已核对原件"}
        for name in set(cast) - {"provider_head", "inactive"}:
            answer = signed_in(cast[name]).post(reverse("quality:findings-accept"), given)
            assert answer.status_code == (403 if name == "provider" else 302), name
        assert set(Finding.objects.values_list("status", flat=True)) == {"open"}
        order.refresh_from_db()
        assert order.status == "open"

    def test_a_page_of_many_costs_the_same(
        self, dataset: Dataset, rule: QualityRule, provider: Any
    ) -> None:
        client = signed_in(provider)
        address = reverse("quality:findings")
        client.get(address)
        before = _statements(client, address)
        landed(
            dataset,
            persons(*(person(place, **CHEAP) for place in range(6))),
            actor=provider,
            mode="snapshot",
        )
        checked(dataset)
        assert Finding.objects.filter(status="open").count() == 6
        assert _statements(client, address) == before


class TestOrders:
    def test_an_order_goes_its_way_by_the_screens(
        self,
        dataset: Dataset,
        order: WorkOrder,
        provider: Any,
        provider_head: Any,
        authority: Any,
    ) -> None:
        _post(provider, order, "acknowledge", plan="三日内改正")
        assert "三日内改正" in page(authority, order.get_absolute_url())
        _post(provider_head, order, "accept", reason="金额属实")
        _post(authority, order, "contest", reason="低于标准")
        shown = page(provider, order.get_absolute_url())
        assert "低于标准" in shown
        sound = persons(*(person(place) for place in range(4)))
        landed(dataset, sound, actor=provider)
        checked(dataset)
        order.refresh_from_db()
        assert order.status == "closed"
        assert "工单核销" in page(provider, order.get_absolute_url())

    def test_a_stale_page_keeps_what_was_typed(self, order: WorkOrder, provider_head: Any) -> None:
        address = reverse("quality:work-order-move", args=[order.pk, "accept"])
        answer = signed_in(provider_head).post(
            address, {"revision": order.revision + 1, "reason": "金额属实"}
        )
        assert "金额属实" in answer.content.decode()
        order.refresh_from_db()
        assert order.status == "open"

    def test_the_rows_to_mend_are_handed_out_under_the_items_names(
        self, order: WorkOrder, provider: Any
    ) -> None:
        answer = signed_in(provider).get(reverse("quality:work-order-rows", args=[order.pk]))
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(lines) == 1 + 2
        assert lines[1][1] == "1.00"

    def test_rejected_records_are_found_after_a_check_without_a_batch_too(
        self, dataset: Dataset, provider: Any
    ) -> None:
        batch = landed(dataset, persons(person(0, grade="丁"), person(1)), actor=provider)
        checked(dataset)
        order = WorkOrder.objects.get()
        quality.ask_run(dataset=dataset, actor=provider, at=AT)
        checked(dataset)
        order.refresh_from_db()
        landed(dataset, persons(person(2)), actor=provider)
        checked(dataset)
        shown = page(provider, order.get_absolute_url())
        assert f"查看批次 {batch} 未通过的记录" in shown, "not of the clean file that came since"
        assert f"/work/batches/{batch.pk}/?reason=not_in_codes&amp;column=grade#rejections" in shown

    def test_filters_and_export(self, order: WorkOrder, authority: Any, provider: Any) -> None:
        address = reverse("quality:work-orders")
        assert order.number in page(authority, f"{address}?status=live&q={order.number}")
        assert order.number not in page(authority, f"{address}?status=closed")
        assert order.number in page(provider, f"{address}?owed=me")
        assert order.number not in page(authority, f"{address}?owed=me")
        assert order.number not in page(authority, f"{address}?due=soon&status=closed")
        answer = signed_in(authority).get(f"{address}?format=csv")
        assert order.number in answer.content.decode()

    def test_the_todo_leads_to_the_order(self, order: WorkOrder, provider: Any) -> None:
        assert order.get_absolute_url() in page(provider, reverse("console:home"))

    def test_who_waits_for_it_may_urge(
        self, order: WorkOrder, authority: Any, provider: Any
    ) -> None:
        button = f'action="{reverse("console:urge", args=[ledger.open_todos_of(order).get().pk])}"'
        for user, is_offered in ((authority, True), (provider, False)):
            shown = page(user, order.get_absolute_url())
            assert "现在等谁" in shown
            assert (button in shown) is is_offered


def _post(user: Any, order: WorkOrder, move: str, **words: Any) -> None:
    order.refresh_from_db()
    address = reverse("quality:work-order-move", args=[order.pk, move])
    client = signed_in(user)
    assert client.get(address).status_code == 200
    answer = client.post(address, {"revision": order.revision, **words})
    assert answer.status_code == 302, re.findall(r"<li>.*?</li>", answer.content.decode())
    order.refresh_from_db()
    assert order.status == WORK_ORDER.move(move).target


def _statements(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)
