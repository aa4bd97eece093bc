"""Return flow: a district gets the rows about it, all of them, without conditions, for years."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Region
from apps.clocks import queries as clocks
from apps.core.errors import Conflict, DomainError, InvalidInput, NotAllowed
from apps.sharing import naming, queries
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, LandedCopy, ReturnFlow, SharingRequest
from apps.sharing.queries import thrift
from apps.sharing.queries.weighing import findings_of, least_data_for, weighed_terms
from apps.sharing.queries.weighing.precedents import precedents_of
from tests import stories
from tests.factories.accounts import RegionFactory, UserFactory
from tests.factories.sharing import Scene, land, make_scene
from tests.sharing.conftest import Read
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db


def settled(scene: Scene, at: datetime) -> Region:
    """The consumer's district with its code; one region went into it, one into it and another."""
    assert scene.district.department is not None
    region = scene.district.department.region
    Region.objects.filter(pk=region.pk).update(code="500103", name="渝中区")
    other = RegionFactory(key="other", code="500109", name="北碚区")
    whole = RegionFactory(key="whole", code="500105", name="江北区", valid_to=at.date())
    torn = RegionFactory(key="torn", code="500112", name="渝北区", valid_to=at.date())
    whole.successors.set([region])
    torn.successors.set([region, other])
    consumer = scene.consumer_department
    consumer.region = region
    consumer.save(update_fields=["region"])
    scene.consumer.refresh_from_db()
    region.refresh_from_db()
    return region


def drafted(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    settled(scene, at)
    sharing.declare_region_item(
        dataset=scene.dataset, column_name="division_code", actor=scene.provider, at=at
    )
    return sharing.draft_return_flow(
        dataset=scene.dataset,
        system=scene.system,
        actor=UserFactory._meta.model.objects.get(pk=scene.consumer.pk),
        at=at,
        scenario="区级救助",
        scope="区民政局",
        **more,
    )


def received(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = drafted(scene, at, **more)
    request = sharing.revise(request=request, actor=scene.consumer, at=at, vouched=True)
    sharing.submit(request=request, actor=scene.consumer, at=at)
    sharing.approve_by_head(request=request, actor=scene.consumer_head, at=at)
    return sharing.pass_on(request=request, actor=scene.district, at=at)


def reviewing(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = received(scene, at, **more)
    return sharing.accept_form(request=request, actor=scene.provider, at=at)


def agreed(scene: Scene, at: datetime, **more: Any) -> SharingRequest:
    request = reviewing(scene, at, **more)
    sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
    stories.confirmed(request, scene, at)
    return sharing.agree(request=request, actor=scene.provider_head, at=at)


def refused(operate: Callable[[], Any], kind: type[DomainError], code: str = "") -> None:
    before = fingerprint()
    with pytest.raises(kind) as caught:
        operate()
    assert fingerprint() == before
    if code:
        assert caught.value.code == code


class TestCodes:
    def test_the_abolished_follow_their_only_successor_and_the_torn_are_listed(
        self, scene: Scene, at: datetime
    ) -> None:
        region = settled(scene, at)
        torn = Region.objects.get(key="torn")
        earlier = RegionFactory(key="earlier", code="500221", name="旧渝北县", valid_to=at.date())
        earlier.successors.set([torn])
        found = queries.codes_of(region)
        assert list(found.codes) == ["500103", "500105"]
        assert [(each["code"], each["successors"]) for each in found.ambiguous] == [
            ("500112", ["渝中区", "北碚区"]),
            ("500221", ["渝北区"]),
        ]

    def test_a_ring_of_regions_ends(self, scene: Scene, at: datetime) -> None:
        region = settled(scene, at)
        region.successors.set([Region.objects.get(key="whole")])
        assert list(queries.codes_of(region).codes) == ["500103", "500105"]


class TestAsking:
    def test_rows_way_basis_and_years_are_given(self, scene: Scene, at: datetime) -> None:
        request = drafted(scene, at)
        assert request.row_condition == [
            {"item": "division_code", "operator": "in", "value": ["500103", "500105"]}
        ]
        assert (request.mode, "第二十四条" in request.basis) == ("batch", True)
        assert request.starts_on is not None
        assert request.ends_on is not None
        assert request.ends_on.year - request.starts_on.year == 5
        flow = queries.return_flow_of(request)
        assert flow is not None
        assert [each["code"] for each in flow.ambiguous] == ["500112"]

    def test_it_goes_by_the_district_and_is_answered_in_three_working_days(
        self, scene: Scene, at: datetime
    ) -> None:
        request = received(scene, at)
        (clock,) = clocks.running(request)
        assert (clock.policy.code, clock.due_on.day) == ("return_flow.reply", 23)  # over a weekend
        assert request.district_reviews.get().outcome == "passed"

    def test_neither_rows_nor_way_can_be_changed(self, scene: Scene, at: datetime) -> None:
        request = drafted(scene, at)
        revise = partial(sharing.revise, request=request, actor=scene.consumer, at=at)
        refused(lambda: revise(row_condition=[]), Conflict, "rows_are_given")
        request = revise(mode="interface", vouched=True)
        refused(
            lambda: sharing.submit(request=request, actor=scene.consumer, at=at),
            InvalidInput,
            "way_is_given",
        )

    def test_only_districts_ask_and_only_where_an_item_tells_the_region(
        self, scene: Scene, at: datetime
    ) -> None:
        ask = partial(sharing.draft_return_flow, dataset=scene.dataset, system=scene.system, at=at)
        refused(lambda: ask(actor=scene.consumer), InvalidInput, "not_a_district")
        settled(scene, at)
        clerk = UserFactory(department=scene.consumer_department, roles=["department_editor"])
        refused(lambda: ask(actor=clerk), InvalidInput, "no_region_item")
        refused(lambda: ask(actor=scene.consumer_head), NotAllowed)
        sharing.declare_region_item(
            dataset=scene.dataset, column_name="division_code", actor=scene.provider, at=at
        )
        Region.objects.update(code=None)
        fresh = type(clerk).objects.get(pk=clerk.pk)
        refused(lambda: ask(actor=fresh), InvalidInput, "no_region_code")

    def test_the_provider_declares_a_text_item_of_its_entry(
        self, scene: Scene, at: datetime
    ) -> None:
        declare = partial(sharing.declare_region_item, dataset=scene.dataset, at=at)
        unfit = (("amount", "unfit_item"), ("identity_number", "unfit_item"))
        for column, code in (("unknown", "unknown_item"), *unfit):
            refused(
                lambda c=column: declare(column_name=c, actor=scene.provider),  # type: ignore[misc]
                InvalidInput,
                code,
            )
        for person in (scene.consumer, scene.authority, scene.district):
            refused(
                lambda p=person: declare(column_name="division_code", actor=p),  # type: ignore[misc]
                NotAllowed,
            )
        declare(column_name="name", actor=scene.provider)
        declare(column_name="division_code", actor=scene.provider_head)
        assert queries.region_item_of(scene.dataset) == "division_code"


class TestAnswering:
    def test_no_condition_is_added_before_or_after(self, scene: Scene, at: datetime) -> None:
        request = reviewing(scene, at)
        propose = partial(sharing.propose, request=request, actor=scene.provider, at=at)
        refused(
            lambda: propose(outcome="narrow", items=["name"], reason="够用"),
            Conflict,
            "no_added_conditions",
        )
        refused(
            lambda: sharing.offer(
                request=request, actor=scene.provider, at=at, items=["name"], reason="够用"
            ),
            Conflict,
            "no_added_conditions",
        )

    def test_it_is_refused_by_a_statute_only(self, scene: Scene, at: datetime) -> None:
        request = reviewing(scene, at)
        propose = partial(
            sharing.propose,
            request=request,
            outcome="refuse",
            actor=scene.provider,
            at=at,
            reason="不便提供",
        )
        refused(lambda: propose(legal_basis="内部规定"), InvalidInput, "no_statute")
        propose(legal_basis="《中华人民共和国统计法》第二十五条")
        assert request.proposal == "refuse"

    def test_its_time_is_fixed_and_nothing_is_supplemented(
        self, scene: Scene, at: datetime
    ) -> None:
        request = reviewing(scene, at)
        base: dict[str, Any] = {"request": request, "at": at}
        for operate, code in (
            (
                partial(sharing.ask_supplement, actor=scene.provider, reason="缺"),
                "no_added_conditions",
            ),
            (
                partial(sharing.extend, actor=scene.provider, workdays=2, reason="忙"),
                "time_is_given",
            ),
            (
                partial(
                    sharing.mark_urgent, actor=scene.authority, kind="order", hours=2, reason="令"
                ),
                "time_is_given",
            ),
        ):
            refused(partial(operate, **base), Conflict, code)

    def test_the_clock_stops_with_the_answer(self, scene: Scene, at: datetime) -> None:
        request = agreed(scene, at)
        assert [clock.policy.code for clock in clocks.running(request)] == ["request.deliver"]


class TestPages:
    def test_a_district_asks_by_page_and_sees_what_cannot_be_placed(
        self, scene: Scene, at: datetime
    ) -> None:
        settled(scene, at)
        address = f"/work/return-flow/new/{scene.dataset.pk}/"
        client = signed_in(scene.consumer)
        assert "尚未声明" in client.get(address).content.decode()
        offered = signed_in(scene.provider).get(f"/work/return-flow/item/{scene.dataset.pk}/")
        names = [name for name, _label in offered.context["form"].fields["column_name"].choices]
        assert "division_code" in names
        assert "identity_number" not in names
        declared = signed_in(scene.provider).post(
            f"/work/return-flow/item/{scene.dataset.pk}/", {"column_name": "division_code"}
        )
        assert declared.status_code == 302
        assert client.get(f"/work/return-flow/item/{scene.dataset.pk}/").status_code == 403
        page = client.get(address).content.decode()
        assert "500103、500105" in page
        assert "500112" in page
        made = client.post(
            address, {"system": scene.system.pk, "scenario": "救助", "scope": "区民政局"}
        )
        request = SharingRequest.objects.get()
        assert made["Location"] == f"/work/requests/{request.pk}/edit/items/"
        steps = client.get(made["Location"]).content.decode()
        assert f"/work/requests/{request.pk}/edit/rows/" not in steps
        purpose = client.get(f"/work/requests/{request.pk}/edit/purpose/").content.decode()
        assert 'name="mode"' not in purpose
        assert 'name="calls_a_day"' not in purpose
        client.post(
            f"/work/requests/{request.pk}/edit/purpose/",
            {
                "basis": request.basis,
                "scenario": "临时救助",
                "scope": request.scope,
                "starts_on": str(request.starts_on),
                "ends_on": str(request.ends_on),
                "revision": request.revision,
            },
        )
        request.refresh_from_db()
        assert (request.scenario, request.mode) == ("临时救助", "batch")
        review = client.get(f"/work/requests/{request.pk}/edit/review/").content.decode()
        assert f"/work/requests/{request.pk}/edit/rows/" not in review
        page = client.get(f"/work/requests/{request.pk}/").content.decode()
        assert "归属不明的旧代码" in page

    def test_of_rows_without_a_place_the_district_learns_the_number_with_the_answer(
        self, scene: Scene, at: datetime
    ) -> None:
        request = reviewing(scene, at)
        land(scene.dataset)

        def is_told(person: Any) -> bool:
            page = signed_in(person).get(f"/work/requests/{request.pk}/").content.decode()
            assert "归属不明的旧代码" in page
            return "现有 3 条记录，不回流" in page

        assert (is_told(scene.provider), is_told(scene.consumer)) == (True, False)
        sharing.propose(request=request, outcome="agree", actor=scene.provider, at=at)
        stories.confirmed(request, scene, at)
        sharing.agree(request=request, actor=scene.provider_head, at=at)
        assert is_told(scene.consumer)

    def test_a_district_without_a_code_is_told_so_and_offered_no_form(
        self, scene: Scene, at: datetime
    ) -> None:
        settled(scene, at)
        sharing.declare_region_item(
            dataset=scene.dataset, column_name="division_code", actor=scene.provider, at=at
        )
        address = f"/work/return-flow/new/{scene.dataset.pk}/"
        client = signed_in(scene.consumer)
        assert 'name="scenario"' in client.get(address).content.decode()
        Region.objects.update(code=None)
        page = client.get(address).content.decode()
        assert "没有行政区划代码" in page
        assert 'name="scenario"' not in page

    def test_only_who_may_declare_the_region_item_is_led_there(
        self, scene: Scene, at: datetime
    ) -> None:
        address = f"/work/return-flow/item/{scene.dataset.pk}/"
        for person, may in (
            (scene.provider, True),
            (scene.provider_head, True),
            (scene.authority, False),
        ):
            client = signed_in(person)
            page = client.get(scene.dataset.get_absolute_url()).content.decode()
            assert "数据表和归集批次" in page
            assert (address in page) is may
            assert (client.get(address).status_code == 200) is may

    def test_the_provider_is_offered_no_narrowing(self, scene: Scene, at: datetime) -> None:
        request = reviewing(scene, at)
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/propose/")
        text = page.content.decode()
        assert 'name="outcome" value="agree"' in text
        for outcome in ("narrow", "offer"):
            assert f'name="outcome" value="{outcome}"' not in text
        assert "fill_least" not in text
        page = signed_in(scene.provider).get(f"/work/requests/{request.pk}/")
        assert "数据回流不退回补正" in page.content.decode()


def test_it_lands_the_rows_of_the_district_in_its_pool_and_lists_the_unplaced(
    server: None, now: datetime, read: Read, settings: Any, tmp_path: Path
) -> None:
    settings.HUILIU_HOME = tmp_path / "home"
    scene = make_scene()
    land(scene.dataset)
    request = agreed(scene, now, items={"name": "", "division_code": ""})
    grant: Grant = sharing.deliver(grant=request.grant, at=now)
    shown = read(grant, f"SELECT name, division_code FROM share.{naming.view_of_grant(grant.pk)}")
    assert {code for _name, code in shown} == {"500103"}
    assert len(shown) == 3
    flow = queries.return_flow_of(request)
    assert flow is not None
    assert [(each.code, each.rows) for each in queries.unplaced_rows(flow, counted=True)] == [
        ("500112", 3)
    ]
    with pytest.raises(Conflict):
        sharing.narrow(grant=grant, actor=scene.provider_head, at=now, calls_a_day=1, reason="少用")
    sharing.keep_copies(at=now)
    copy = LandedCopy.objects.select_related("store").get()
    assert (copy.store.department, copy.rows, copy.problem) == (
        scene.consumer_department,
        3,
        "",
    )


class TestAdvice:
    """What speaks of narrower terms is left out: nobody may add a condition."""

    def test_only_what_no_other_terms_would_mend_is_held_against_it(
        self, scene: Scene, at: datetime
    ) -> None:
        earlier = stories.delivered(scene, at)
        sharing.end(grant=earlier.grant, actor=scene.provider_head, at=at, reason="试毕")
        request = reviewing(scene, at)
        terms = weighed_terms(request, request.decisions.get(outcome="asked"))
        assert terms.is_return_flow
        assert {finding.rule for finding in findings_of(terms)} <= {
            "protection_unknown",
            "protection_low",
            "special_grade",
            "not_shared",
            "gone",
        }
        least = least_data_for(terms, at)
        assert (least.changes, least.mode, least.ends_on) == ((), None, request.ends_on)
        assert set(least.items) == {item.name for item in terms.items}
        assert precedents_of(terms, scene.provider, at) == []

    def test_the_page_offers_nothing_that_would_be_refused(
        self, scene: Scene, at: datetime
    ) -> None:
        request = reviewing(scene, at)
        client = signed_in(scene.provider)
        for address in ("", "propose/"):
            page = client.get(f"/work/requests/{request.pk}/{address}").content.decode()
            assert "最小必要建议" not in page
            assert "使用时限超过一年" not in page
        assert "先协商" not in page
        assert "部分同意" not in page
        assert 'name="items"' not in page
        shown = client.post(f"/work/requests/{request.pk}/propose/", {"preview": "1"})
        assert shown.status_code == 200
        client.post(
            f"/work/requests/{request.pk}/propose/",
            {"outcome": "agree", "reason": "", "revision": request.revision},
        )
        request.refresh_from_db()
        assert request.status == "awaiting_second_review"
        decided = queries.latest_decision(request)
        assert decided is not None
        assert decided.items == request.decisions.get(outcome="asked").items

    def test_its_grant_is_never_called_wasted(self, scene: Scene, at: datetime) -> None:
        grant = agreed(scene, at).grant
        assert grant is not None
        Grant.objects.filter(pk=grant.pk).update(
            status="in_force", provisioned_at=at - timedelta(days=300), table_name="t1"
        )
        assert thrift.waste_of(grant, at) is None
        ReturnFlow.objects.all().delete()
        assert thrift.waste_of(grant, at) is not None
