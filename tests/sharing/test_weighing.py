"""What the decider is told first: what the terms break, what joins, past use, cases, least data."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import DataItem
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import DailyUse, Grant, Mode, SharingRequest
from apps.sharing.queries import weighing
from apps.sharing.queries.weighing import Level, Weighing
from tests import stories
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.catalog import PERSONS, PublishedDatasetFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing import test_new_versions as new_versions
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db

PLAIN: Final = {"identity_number": "", "name": "", "division_code": "", "amount": ""}
MARRIAGE: Final = (
    PERSONS[0],
    ("marital_status", "婚姻状况", "C", 2, False, {"personal": True}),
    ("mobile", "手机号", "C", 11, False, {"personal": True, "sensitive": True}),
)
STATISTICS: Final = "用于困难群众救助情况统计分析"


def weigh(request: SharingRequest, actor: Any, at: datetime, **changes: Any) -> Weighing:
    standing = queries.latest_decision(request) or queries.asked_terms(request)
    assert standing is not None
    terms = weighing.weighed_terms(request, standing, **changes)
    return weighing.weigh(terms, actor, at)


def rules(found: Weighing) -> dict[str, weighing.Finding]:
    return {finding.rule: finding for finding in found.findings}


def held(
    scene: Scene,
    at: datetime,
    items: Any = MARRIAGE,
    *,
    system: Any = None,
    asked: dict[str, str] | None = None,
    **more: Any,
) -> Grant:
    """A grant of another provider's entry to the scene's consumer, agreed to by its own head."""
    other = make_scene(items=items, name=more.pop("name", "婚姻登记"), **more.pop("dataset", {}))
    there = replace(
        other,
        consumer=scene.consumer,
        consumer_head=scene.consumer_head,
        system=system or scene.system,
    )
    plain = asked or {row[0]: "" for row in items}
    return stories.agreed(there, at, items=plain, **more).grant


class TestFindings:
    def test_it_names_rule_items_and_source_of_what_should_be_masked(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=PLAIN)
        found = rules(weigh(request, scene.provider, at))
        assert found["sensitive"].items == ("公民身份号码",)
        assert found["sensitive"].level is Level.HIGH
        assert "45574" in str(found["sensitive"].source)
        assert found["graded"].items == ("姓名",)  # personal, in an entry of grade 3

    def test_nothing_is_said_of_what_is_masked_or_only_compared(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at)
        assert not {"sensitive", "graded"} & set(rules(weigh(request, scene.provider, at)))
        verified = weigh(
            stories.reviewing(make_scene(), at, items=PLAIN), scene.provider, at, mode=Mode.VERIFY
        )
        assert not {"sensitive", "graded", "every_row"} & set(rules(verified))

    def test_an_item_of_its_own_strict_grade_is_asked_to_be_masked(
        self, scene: Scene, at: datetime
    ) -> None:
        DataItem.objects.filter(column_name="amount").update(grade="4")
        request = stories.reviewing(scene, at, items={"amount": "", "division_code": ""})
        finding = rules(weigh(request, scene.provider, at))["graded"]
        assert (finding.items, finding.level) == (("补助金额",), Level.HIGH)

    @pytest.mark.parametrize(
        ("level", "rule"), [(None, "protection_unknown"), (2, "protection_low"), (3, "")]
    )
    def test_a_system_is_held_against_the_grade_of_the_entry(
        self, scene: Scene, at: datetime, level: int | None, rule: str
    ) -> None:
        scene.system.protection_level = level
        scene.system.save()
        found = rules(weigh(stories.reviewing(scene, at), scene.provider, at))
        assert {name for name in found if name.startswith("protection")} == ({rule} - {""})

    def test_items_closed_since_the_request_are_found(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at)
        DataItem.objects.filter(column_name="amount").update(sharing_attribute="not_shared")
        assert rules(weigh(request, scene.provider, at))["not_shared"].items == ("补助金额",)

    def test_personal_items_that_no_word_of_the_purpose_speaks_of_are_found(
        self, scene: Scene, at: datetime
    ) -> None:
        silent = stories.reviewing(scene, at, items=PLAIN)
        assert rules(weigh(silent, scene.provider, at))["unstated"].items == ("姓名",)
        spoken = stories.reviewing(make_scene(), at, items=PLAIN, scenario="按姓名核对资助对象")
        assert "unstated" not in rules(weigh(spoken, scene.provider, at))

    def test_all_rows_and_a_long_period_are_found(self, scene: Scene, at: datetime) -> None:
        long = {"starts_on": at.date(), "ends_on": at.date() + timedelta(days=700)}
        request = stories.reviewing(scene, at, **long)
        assert {"every_row", "long_period"} <= set(rules(weigh(request, scene.provider, at)))
        condition = [{"item": "division_code", "operator": "eq", "value": "500103"}]
        bounded = stories.reviewing(make_scene(), at, row_condition=condition)
        assert not {"every_row", "long_period"} & set(rules(weigh(bounded, scene.provider, at)))


class TestAggregation:
    def test_it_says_what_joins_by_what_and_what_is_sensitive(
        self, scene: Scene, at: datetime
    ) -> None:
        held(scene, at)
        request = stories.reviewing(scene, at, items=PLAIN)
        found = weigh(request, scene.provider, at).aggregation
        (holding,) = found.holdings
        assert (holding.dataset, holding.keys) == ("婚姻登记", ("公民身份号码",))
        assert [known.label for known in holding.together] == ["手机号", "姓名", "婚姻状况"]
        assert holding.sensitive == ("手机号",)
        assert (holding.level, found.level, found.left) == (Level.HIGH, Level.HIGH, 0)

    def test_without_a_sensitive_item_the_level_is_notice(self, scene: Scene, at: datetime) -> None:
        held(scene, at, MARRIAGE[:2])
        request = stories.reviewing(scene, at, items=PLAIN)
        assert weigh(request, scene.provider, at).aggregation.level is Level.NOTICE

    def test_another_system_of_the_department_counts_one_level_less(
        self, scene: Scene, at: datetime
    ) -> None:
        elsewhere = InformationSystemFactory(department=scene.consumer_department)
        held(scene, at, system=elsewhere)
        request = stories.reviewing(scene, at, items=PLAIN)
        assert weigh(request, scene.provider, at).aggregation.level is Level.NOTICE
        Grant.objects.update(may_redistribute=True)
        assert weigh(request, scene.provider, at).aggregation.level is Level.HIGH

    @pytest.mark.parametrize("change", ["masked here", "masked there", "verify", "over", "other"])
    def test_nothing_joins_where_the_key_is_not_in_plain_on_both_sides(
        self, scene: Scene, at: datetime, change: str
    ) -> None:
        grant = held(scene, at)
        asked = PLAIN
        if change == "masked here":
            asked = PLAIN | {"identity_number": "cover_identity"}
        elif change == "masked there":
            grant.columns[0]["mask"] = "cover_identity"
            Grant.objects.filter(pk=grant.pk).update(columns=grant.columns)
        elif change == "verify":
            Grant.objects.filter(pk=grant.pk).update(mode=Mode.VERIFY)
        elif change == "over":
            at = grant.expires_at
        else:
            Grant.objects.filter(pk=grant.pk).update(consumer=make_scene().consumer.department)
        request = stories.reviewing(
            scene, at, items=asked, starts_on=at.date(), ends_on=at.date() + timedelta(days=30)
        )
        found = weigh(request, scene.provider, at).aggregation
        assert (found.holdings, found.level) == ((), Level.LOW)
        assert found.why_none

    def test_organisations_join_by_their_code(self, at: datetime) -> None:
        companies: Any = (
            ("uscc", "统一社会信用代码", "C", 18, True, {"value_check": "uscc"}),
            ("turnover", "营业收入", "I", None, False, {}),
        )
        plain: dict[str, Any] = {"items": companies, "key_items": ["uscc"], "grade": "2"}
        scene = make_scene(**plain, contains_personal=False, contains_sensitive=False)
        held(scene, at, companies, name="纳税信息", dataset={"key_items": ["uscc"], "grade": "2"})
        request = stories.reviewing(scene, at, items={"uscc": "", "turnover": ""})
        (holding,) = weigh(request, scene.provider, at).aggregation.holdings
        assert (holding.keys, holding.level) == (("统一社会信用代码",), Level.LOW)

    def test_the_provider_learns_names_items_and_key_and_the_authority_may_open_the_grant(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = held(scene, at)
        request = stories.reviewing(scene, at, items=PLAIN)
        for person, expected in ((scene.provider, None), (scene.authority, grant.pk)):
            (holding,) = weigh(request, person, at).aggregation.holdings
            assert holding.grant_id == expected

    def test_statements_and_rows_do_not_grow_with_the_grants_held(
        self, scene: Scene, at: datetime
    ) -> None:
        held(scene, at)
        request = stories.reviewing(scene, at, items=PLAIN)
        with CaptureQueriesContext(connection) as few:
            weigh(request, scene.provider, at)
        for number in range(14):
            grant = held(scene, at, name=f"婚姻登记 {number}")
            DailyUse.objects.create(grant=grant, day=at.date(), calls=1, rows=1, bytes=1)
        decided = make_scene()
        for _number in range(8):
            there = replace(
                decided,
                dataset=scene.dataset,
                provider=scene.provider,
                provider_head=scene.provider_head,
                second=scene.second,
                system=InformationSystemFactory(department=decided.consumer_department),
            )
            stories.agreed(there, at)
        with CaptureQueriesContext(connection) as many:
            found = weigh(request, scene.provider, at)
        # two more: how many holdings are left, and the clocks of the cases with what they rest on
        assert len(many) <= len(few) + 7
        assert (len(found.aggregation.holdings), found.aggregation.left) == (10, 5)
        assert len(found.precedents) == 5
        with CaptureQueriesContext(connection) as more:
            for number in range(6):
                held(scene, at, name=f"婚姻登记 再 {number}")
            del more.captured_queries[:]
        with CaptureQueriesContext(connection) as most:
            weigh(request, scene.provider, at)
        assert len(most) == len(many)


class TestPastUse:
    def test_it_sums_up_this_dataset_first_then_the_providers_others(
        self, scene: Scene, at: datetime
    ) -> None:
        other = replace(scene, dataset=PublishedDatasetFactory(department=scene.dataset.department))
        idle = stories.delivered(other, at).grant
        used = stories.delivered(scene, at).grant
        for back, calls in ((1, 30), (2, 10), (400, 99)):
            DailyUse.objects.create(
                grant=used, day=at.date() - timedelta(days=back), calls=calls, rows=5, bytes=9
            )
        held(scene, at)  # of another provider: none of this provider's business
        past = weigh(stories.reviewing(scene, at), scene.provider, at).past_use
        assert [use.grant for use in past.uses] == [used, idle]
        first, second = past.uses
        assert (first.calls, first.rows, first.busiest) == (40, 10, 30)
        assert first.last_on == at.date() - timedelta(days=1)
        assert (second.is_never_used, past.total, past.idle) == (True, 2, 1)

    def test_whoever_reviews_by_delegation_sees_use_of_the_dataset_only(
        self, scene: Scene, at: datetime
    ) -> None:
        other = replace(scene, dataset=PublishedDatasetFactory(department=scene.dataset.department))
        stories.delivered(other, at)
        mine = stories.delivered(scene, at).grant
        stranger = UserFactory(roles=["department_editor"])
        past = weigh(stories.reviewing(scene, at), stranger, at).past_use
        assert [(use.grant, use.may_see) for use in past.uses] == [(mine, False)]


class TestPrecedents:
    def test_the_most_alike_come_first_with_outcome_and_days(
        self, scene: Scene, at: datetime
    ) -> None:
        def decided(items: dict[str, str], outcome: str, after: int) -> SharingRequest:
            there = make_scene()
            there = replace(
                there,
                dataset=scene.dataset,
                provider=scene.provider,
                provider_head=scene.provider_head,
                second=scene.second,
            )
            request = stories.awaiting_signature(there, at, outcome=outcome, items=items)
            return sharing.sign(
                request=request, actor=scene.provider_head, at=at + timedelta(days=after)
            )

        little = decided({"amount": ""}, "agree", 0)
        alike = decided(PLAIN, "refuse", 5)
        request = stories.reviewing(scene, at, items=PLAIN)
        first, second = weigh(request, scene.provider, at + timedelta(days=6)).precedents
        assert (first.request, first.decision.outcome, first.shared) == (alike, "refuse", 100)
        assert (first.workdays, second.workdays) == (3, 0)  # Wednesday to Monday
        assert (second.request, second.shared) == (little, 25)

    def test_cases_that_the_reader_may_not_see_stay_away(self, scene: Scene, at: datetime) -> None:
        there = replace(
            make_scene(),
            dataset=scene.dataset,
            provider=scene.provider,
            provider_head=scene.provider_head,
            second=scene.second,
        )
        stories.agreed(there, at)
        request = stories.reviewing(scene, at)
        assert weigh(request, scene.provider, at).precedents
        assert not weigh(request, UserFactory(roles=["department_editor"]), at).precedents


def kinds(found: Weighing) -> list[str]:
    return [change.kind for change in found.least.changes]


class TestLeastData:
    def test_a_scenario_that_only_checks_needs_verification_only(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=PLAIN)
        least = weigh(request, scene.provider, at).least
        assert least.mode == Mode.VERIFY
        assert least.items == PLAIN  # masked items would not be compared

    def test_one_that_needs_the_values_gets_masks_instead_but_on_the_key(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=PLAIN, scenario=STATISTICS)
        found = weigh(request, scene.provider, at)
        assert kinds(found) == ["mask"]
        assert found.least.mode is None
        assert found.least.items == PLAIN | {"name": "cover_name"}
        assert "敏感" not in found.least.in_words
        assert "姓名" in found.least.in_words
        assert "公民身份号码" in found.least.note

    def test_sensitive_items_of_which_the_purpose_is_silent_go(self, at: datetime) -> None:
        scene = make_scene(items=MARRIAGE)
        asked = {"identity_number": "", "marital_status": "", "mobile": ""}
        request = stories.reviewing(scene, at, items=asked, scenario="统计婚姻状况")
        least = weigh(request, scene.provider, at).least
        assert set(least.items) == {"identity_number", "marital_status"}

    def test_a_year_is_enough(self, scene: Scene, at: datetime) -> None:
        long = {"starts_on": date(2026, 11, 18), "ends_on": date(2029, 11, 18)}
        request = stories.reviewing(scene, at, scenario=STATISTICS, **long)
        found = weigh(request, scene.provider, at)
        assert (kinds(found), found.least.ends_on) == (["period"], date(2027, 11, 18))

    def test_items_never_read_nor_asked_by_under_the_present_grant_go(
        self, scene: Scene, at: datetime
    ) -> None:
        grant = stories.delivered(scene, at, items=PLAIN).grant
        request = stories.reviewing(scene, at, items=PLAIN, scenario=STATISTICS)
        for calls in (19, 20):
            with connection.cursor() as cursor:
                cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")
            for _number in range(calls):
                _read(grant, at, ["identity_number", "name"], [{"item": "division_code"}])
            dropped = set(PLAIN) - set(weigh(request, scene.provider, at).least.items)
            assert dropped == ({"amount"} if calls == 20 else set())

    def test_what_came_with_a_later_version_is_not_taken_for_unread(
        self, scene: Scene, at: datetime
    ) -> None:
        begun = at - timedelta(days=200)
        days = {"starts_on": begun.date(), "ends_on": begun.date() + timedelta(days=400)}
        less = {name: mask for name, mask in PLAIN.items() if name != "amount"}
        grant = stories.delivered(scene, begun, items=less, **days).grant
        new_versions.renewed(scene, grant, at - timedelta(days=40), items=PLAIN)
        request = new_versions.asked(scene, grant, at, items=PLAIN, scenario=STATISTICS)
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")

        def kept(day: datetime) -> set[str]:
            return set(weigh(request, scene.provider, day).least.items)

        for _number in range(20):
            _read(grant, at - timedelta(days=50), ["identity_number", "name"], [])
        assert kept(at) == set(PLAIN) - {"division_code"}
        for _number in range(20):
            _read(grant, at - timedelta(days=5), ["identity_number", "name"], [])
        assert kept(at) == {"identity_number", "name"}
        assert kept(at - timedelta(days=33)) == set(PLAIN) - {"division_code"}

    @pytest.mark.parametrize("scenario", ["核对资格", STATISTICS, "按姓名核验后入库", "办理业务"])
    @pytest.mark.parametrize("mode", ["interface", "verify"])
    @pytest.mark.parametrize("items", [PLAIN, {**PLAIN, "name": "hide"}, None])
    def test_whatever_is_proposed_can_be_proposed(
        self,
        scene: Scene,
        at: datetime,
        scenario: str,
        mode: str,
        items: dict[str, str] | None,
    ) -> None:
        if mode == "verify" and items is None:
            items = PLAIN
        days = {"starts_on": at.date(), "ends_on": at.date() + timedelta(days=900)}
        asked = {"items": items, "mode": mode, "scenario": scenario, **days}
        request = stories.reviewing(scene, at, **asked)
        least = weigh(request, scene.provider, at).least
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            items=least.items,
            mode=least.mode,
            ends_on=least.ends_on,
            reason=least.in_words,
        )
        assert not weigh(request, scene.provider, at).least.changes


def _read(grant: Grant, at: datetime, fields: list[str], where: list[dict[str, str]]) -> None:
    ledger.open_access(
        opened_at=at,
        grant_id=grant.pk,
        grant_version=1,
        system_id=grant.system_id,
        user_id=1,
        dataset_id=grant.dataset_id,
        table="pool_1.t1",
        kind="page",
        query={"fields": fields, "where": where},
        rows=1,
        bytes=1,
    )


class TestPages:
    def test_who_decides_sees_it_and_who_asks_does_not(self, scene: Scene, at: datetime) -> None:
        held(scene, at)
        request = stories.awaiting_signature(scene, at, items=PLAIN)
        page = f"/work/requests/{request.pk}/"
        for person in (scene.provider, scene.provider_head, scene.authority):
            text = signed_in(person).get(page).content.decode()
            assert 'id="weighing"' in text
            assert "婚姻登记" in text
        for person in (scene.consumer, scene.consumer_head):
            assert 'id="weighing"' not in signed_in(person).get(page).content.decode()
        assert (
            'id="weighing"'
            in signed_in(scene.provider_head).get(f"{page}move/agree/").content.decode()
        )

    def test_a_colleague_with_a_step_in_hand_sees_it_until_it_is_done(
        self, scene: Scene, at: datetime
    ) -> None:
        colleague = UserFactory(department=scene.provider_department)
        request = stories.reviewing(scene, at)
        assert not access.allowed(colleague, "weigh", request, at=at)
        (step,) = sharing.route(
            request=request, actor=scene.provider, at=at, steps=[("业务处室", colleague)]
        )
        assert access.allowed(colleague, "weigh", request, at=at)
        step.refresh_from_db()
        sharing.pass_step(step=step, actor=colleague, at=at, opinion="同意")
        assert not access.allowed(colleague, "weigh", request, at=at)

    def test_one_click_fills_the_opinion_and_sends_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.reviewing(scene, at, items=PLAIN, scenario=STATISTICS)
        client = signed_in(scene.provider)
        page = f"/work/requests/{request.pk}/propose/"
        typed: dict[str, Any] = {
            "items": ["identity_number", "name"],
            "mask-identity_number": "",
            "mask-name": "",
            "calls_a_day": "50",
            "reason": "只需两项",
            "revision": request.revision,
        }
        answer = client.post(page, {**typed, "fill_least": "1"})
        request.refresh_from_db()
        assert request.status == "reviewing"
        assert queries.latest_decision(request) is None
        form = answer.context["form"]
        assert (form["outcome"].value(), form["calls_a_day"].value()) == ("narrow", "50")
        assert form["reason"].value().startswith("只需两项\n")
        rows = {row["name"]: row for row in answer.context["item_rows"]}
        assert {name for name, row in rows.items() if row["ticked"]} == set(typed["items"])
        assert rows["name"]["mask"] == "cover_name"
        sent = {**typed, "mask-name": "cover_name", "outcome": "narrow", "reason": "最小必要"}
        assert client.post(page, sent).status_code == 302
        decision = queries.latest_decision(request)
        assert decision is not None
        assert {e["name"]: e["mask"] for e in decision.items} == {
            "identity_number": "",
            "name": "cover_name",
        }

    def test_the_page_weighs_what_is_typed(self, scene: Scene, at: datetime) -> None:
        request = stories.reviewing(scene, at, items=PLAIN)
        client = signed_in(scene.provider)
        page = f"/work/requests/{request.pk}/propose/"
        before = client.get(page).context["weighing"]
        assert "sensitive" in rules(before)
        typed = {"items": ["amount"], "mask-amount": "", "add_line": "1"}
        after = client.post(page, typed).context["weighing"]
        assert "sensitive" not in rules(after)


def test_everything_of_the_catalogue_that_identifies_is_a_check_of_the_standards() -> None:
    from apps.sharing.queries.weighing.aggregation import IDENTIFIERS
    from apps.standards.checks import CHECKS

    assert set(CHECKS) >= IDENTIFIERS
