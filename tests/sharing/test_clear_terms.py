"""Terms that mean what they say: what a supplement may add, what agreement covers, which codes a
condition names, what the history of a request tells.
"""

from datetime import datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.catalog.models import DatasetVersion
from apps.core.errors import DomainError, InvalidInput
from apps.ledger import queries as ledger
from apps.ledger.models import Event, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.legal_bases import REFUSAL
from apps.sharing.models import Mode, QuotaUse, SharingRequest
from apps.sharing.operations.deciding.widening import what_grew
from apps.sharing.views.buttons import request_buttons
from apps.sharing.views.history import versions_of
from apps.standards.models import CodeListEntry
from tests import stories
from tests.factories.sharing import Scene
from tests.factories.standards import CodeListFactory
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db

ASKED: dict[str, Any] = {
    "items": {"identity_number": "cover_identity", "name": "cover_name"},
    "row_condition": [{"item": "division_code", "operator": "prefix", "value": "5001"}],
}


class TestSupplement:
    @pytest.mark.parametrize(
        ("change", "grew"),
        [
            (
                {
                    "items": {
                        "identity_number": "cover_identity",
                        "name": "cover_name",
                        "amount": "",
                    }
                },
                "增加“",
            ),
            ({"items": {"identity_number": "cover_identity", "name": ""}}, "脱敏方式"),
            ({"row_condition": []}, "数据范围的条件"),
            ({"mode": Mode.DATABASE}, "共享方式"),
            ({"may_redistribute": True}, "分发"),
        ],
    )
    def test_it_asks_for_more_only_by_the_head(
        self, scene: Scene, at: datetime, change: dict[str, Any], grew: str
    ) -> None:
        request = stories.request_in("supplement", scene, at, **ASKED)
        sharing.revise(request=request, actor=scene.consumer, at=at, **change)
        request.refresh_from_db()
        assert grew in "、".join(what_grew(request))
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.supplement(request=request, actor=scene.consumer, at=at, reason="已补充")
        assert refusal.value.code == "head_must_supplement"
        assert fingerprint() == before
        sharing.supplement(request=request, actor=scene.consumer_head, at=at, reason="已补充")
        assert request.status == "form_check"

    def test_what_grew_since_it_was_read_is_seen(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("supplement", scene, at, **ASKED)
        read = SharingRequest.objects.get(pk=request.pk)
        sharing.revise(request=request, actor=scene.consumer, at=at, row_condition=[])
        with pytest.raises(InvalidInput) as refusal:
            sharing.supplement(request=read, actor=scene.consumer, at=at, reason="已补充")
        assert refusal.value.code == "head_must_supplement"

    @pytest.mark.parametrize(
        "change",
        [
            {"scope": "资助中心三个科室", "basis": "《资助办法》第三条"},
            {"items": {"name": "hide"}},
            {
                "row_condition": [
                    *ASKED["row_condition"],
                    {"item": "name", "operator": "is_null", "value": "false"},
                ]
            },
            {"calls_a_day": 10},
        ],
    )
    def test_the_editor_explains_and_narrows_alone(
        self, scene: Scene, at: datetime, change: dict[str, Any]
    ) -> None:
        request = stories.request_in("supplement", scene, at, **ASKED)
        sharing.revise(request=request, actor=scene.consumer, at=at, **change)
        request.refresh_from_db()
        assert what_grew(request) == []
        sharing.supplement(request=request, actor=scene.consumer, at=at, reason="已补充")
        assert request.status == "form_check"

    def test_a_later_end_is_more_and_an_earlier_one_is_not(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("supplement", scene, at)
        assert request.ends_on is not None
        later, earlier = request.ends_on.replace(day=9), request.ends_on.replace(month=1, day=1)
        request.ends_on = later
        assert what_grew(request) == ["使用时限"]
        request.ends_on = earlier
        assert what_grew(request) == []

    def test_the_button_says_who_hands_it_in(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("supplement", scene, at, **ASKED)
        sharing.revise(request=request, actor=scene.consumer, at=at, row_condition=[])
        page = signed_in(scene.consumer).get(f"/work/requests/{request.pk}/")
        assert "由共享工作机构负责人提交；" in page.content.decode()
        page = signed_in(scene.consumer_head).get(f"/work/requests/{request.pk}/")
        assert "由共享工作机构负责人提交；" not in page.content.decode()
        assert f"/work/requests/{request.pk}/move/supplement/" in page.content.decode()

    def test_nobody_asks_for_more_than_the_district_passed_on(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.district_review(scene, at, **ASKED)
        sharing.pass_on(request=request, actor=scene.district, at=at)
        sharing.ask_supplement(request=request, actor=scene.provider, at=at, reason="补充说明")
        sharing.revise(request=request, actor=scene.consumer, at=at, row_condition=[])
        request.refresh_from_db()
        for person in (scene.consumer, scene.consumer_head):
            with pytest.raises(InvalidInput) as refusal:
                sharing.supplement(request=request, actor=person, at=at, reason="已补充")
            assert refusal.value.code == "asks_for_more"
        sharing.revise(request=request, actor=scene.consumer, at=at, **ASKED)
        request.refresh_from_db()
        sharing.supplement(request=request, actor=scene.consumer, at=at, reason="已补充")


class TestAgreement:
    @pytest.mark.parametrize(
        "narrower",
        [
            {"items": {"identity_number": "cover_identity"}},
            {"items": {"identity_number": "hide", "name": "cover_name"}},
            {"row_condition": [{"item": "division_code", "operator": "eq", "value": "500103"}]},
            {"mode": Mode.VERIFY},
            {"calls_a_day": 5},
        ],
    )
    def test_it_does_not_drop_what_was_narrowed_beside_it(
        self, scene: Scene, at: datetime, narrower: dict[str, Any]
    ) -> None:
        request = stories.request_in("reviewing", scene, at, **ASKED)
        before = fingerprint()
        with pytest.raises(InvalidInput) as refusal:
            sharing.propose(
                request=request, outcome="agree", actor=scene.provider, at=at, **narrower
            )
        assert refusal.value.code == "narrower_than_agreed"
        assert fingerprint() == before
        sharing.propose(
            request=request, outcome="agree", actor=scene.provider, at=at, items=ASKED["items"]
        )
        assert request.status == "awaiting_second_review"

    def test_an_opinion_sent_back_no_longer_stands(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("awaiting_second_review", scene, at)
        address = f"/work/requests/{request.pk}/"
        page = signed_in(scene.provider_head).get(address).content.decode()
        assert "处理意见（待复核）" in page
        sharing.send_back_proposal(request=request, actor=scene.second, at=at, reason="再核")
        page = signed_in(scene.provider_head).get(address).content.decode()
        assert "处理意见（已退回重审）" in page
        assert "处理意见（待签发）" not in page
        assert queries.standing_decision(request) is None

    def test_before_it_is_signed_the_consumer_reads_no_opinion(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("reviewing", scene, at, **ASKED)
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=scene.provider,
            at=at,
            items={"name": "hide"},
            reason="身份证号与用途无关",
        )
        address = f"/work/requests/{request.pk}/"
        for person, reads in (
            (scene.provider_head, True),
            (scene.authority, True),
            (scene.consumer, False),
            (scene.consumer_head, False),
        ):
            page = signed_in(person).get(address).content.decode()
            assert ("身份证号与用途无关" in page) is reads, person
        sharing.send_back_proposal(request=request, actor=scene.second, at=at, reason="再核一次")
        assert "再核一次" not in signed_in(scene.consumer).get(address).content.decode()
        assert "再核一次" in signed_in(scene.provider).get(address).content.decode()

    def test_what_was_tried_in_vain_and_who_moved_tell_nothing(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("awaiting_second_review", scene, at, **ASKED)
        with pytest.raises(DomainError):
            sharing.sign(request=request, actor=scene.provider_head, at=at)
        address = f"/work/requests/{request.pk}/"
        page = signed_in(scene.provider_head).get(address)
        assert page.context["trail"][0].is_refused
        User.objects.filter(pk=scene.provider.pk).update(department=scene.consumer_department)
        User.objects.filter(pk=scene.consumer_head.pk).update(department=scene.provider_department)
        page = signed_in(scene.consumer).get(address)
        assert not any(entry.is_refused for entry in page.context["trail"])
        told = {version.person for version in page.context["versions"]}
        assert str(scene.consumer_head) in told
        assert "处理意见" not in {
            change.label for version in page.context["versions"] for change in version.changes
        }

    def test_nor_on_the_page_of_several(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("awaiting_second_review", scene, at, outcome="refuse")
        address = f"/work/requests/together/?rows={request.pk}&act=withdraw"
        page = signed_in(scene.consumer).get(address).content.decode()
        assert request.number in page
        assert "与申请用途无关" not in page
        address = address.replace("withdraw", "agree")
        assert "与申请用途无关" in signed_in(scene.provider_head).get(address).content.decode()

    def test_a_basis_may_cite_a_numbered_document(self, scene: Scene, at: datetime) -> None:
        request = stories.request_in("reviewing", scene, at)
        told: dict[str, Any] = {
            "outcome": "refuse",
            "reason": "不予共享",
            "actor": scene.provider,
            "at": at,
        }
        with pytest.raises(InvalidInput):
            sharing.propose(request=request, legal_basis=str(REFUSAL[0].text), **told)
        sharing.propose(request=request, legal_basis="国发〔2016〕51号第六条", **told)


class TestCodes:
    @pytest.fixture
    def coded(self, scene: Scene) -> Scene:
        """The district code takes two codes, one of which is called 渝中区."""
        regions = CodeListFactory(codes={"500103": "渝中区", "500112": "渝北区"})
        scene.dataset.items.filter(column_name="division_code").update(code_list=regions)
        version = DatasetVersion.objects.get(dataset=scene.dataset)
        for column in version.contract["columns"]:
            if column["name"] == "division_code":
                column["codes"] = ["500103", "500112"]
        DatasetVersion.objects.filter(pk=version.pk).update(contract=version.contract)
        return scene

    @pytest.mark.parametrize(
        ("operator", "value", "words"),
        [("eq", "渝中区", "写 500103"), ("in", "500103,999999", "代码写法如 500103")],
    )
    def test_a_condition_names_codes_that_there_are(
        self, coded: Scene, at: datetime, operator: str, value: str, words: str
    ) -> None:
        request = stories.draft(coded, at)
        condition = [{"item": "division_code", "operator": operator, "value": value}]
        for ask in (
            lambda: sharing.revise(
                request=request, actor=coded.consumer, at=at, row_condition=condition
            ),
            lambda: stories.draft(coded, at, row_condition=condition),
        ):
            with pytest.raises(InvalidInput) as refusal:
                ask()
            assert refusal.value.code == "unknown_code"
            assert words in str(refusal.value)
        assert SharingRequest.objects.get().row_condition == []
        prefix = [{"item": "division_code", "operator": "prefix", "value": "5001"}]
        sharing.revise(request=request, actor=coded.consumer, at=at, row_condition=prefix)
        assert SharingRequest.objects.get().row_condition == prefix

    def test_codes_that_ended_or_came_later_are_codes(self, coded: Scene, at: datetime) -> None:
        regions = coded.dataset.items.get(column_name="division_code").code_list
        assert regions is not None
        for code, ended in (("500381", at.date()), ("500199", None)):
            CodeListEntry.objects.create(
                code_list=regions, code=code, name=code, position=9, valid_to=ended
            )
            condition = [{"item": "division_code", "operator": "eq", "value": code}]
            request = stories.draft(coded, at, row_condition=condition)
            assert request.row_condition == condition

    def test_the_form_offers_them_and_keeps_what_was_typed(
        self, coded: Scene, at: datetime
    ) -> None:
        request = stories.draft(coded, at)
        address = f"/work/requests/{request.pk}/edit/rows/"
        client = signed_in(coded.consumer)
        page = client.get(address).content.decode()
        assert '<datalist id="codes-of-division_code">' in page
        assert '<option value="500112">渝北区</option>' in page
        typed = {"item-0": "division_code", "operator-0": "eq", "value-0": "渝中区"}
        page = client.post(address, {"revision": request.revision, **typed}).content.decode()
        assert "写 500103" in page
        assert 'value="渝中区"' in page


class TestHistory:
    def test_it_names_items_masks_and_conditions(self, scene: Scene, at: datetime) -> None:
        request = stories.draft(scene, at, **ASKED)
        sharing.revise(
            request=request,
            actor=scene.consumer,
            at=at,
            items={"name": "", "amount": ""},
            row_condition=[{"item": "division_code", "operator": "eq", "value": "500103"}],
        )
        labels = dict(scene.dataset.items.values_list("column_name", "name"))
        newest = versions_of(request)[0]
        assert newest.reason == "；".join(
            [
                f"减少“{labels['identity_number']}”",
                f"“{labels['name']}”改为明文",
                f"增加“{labels['amount']}”（明文）",
            ]
        )
        (changed,) = [change for change in newest.changes if change.label == "数据范围条件"]
        assert "开头为 5001" in changed.old
        assert "等于 500103" in changed.new
        assert "增加" in str(ledger.trail(request)[0].sentence)

    def test_what_changes_nothing_leaves_no_version(self, scene: Scene, at: datetime) -> None:
        request = stories.draft(scene, at, **ASKED)
        before = fingerprint()
        sharing.revise(request=request, actor=scene.consumer, at=at, scope=request.scope, **ASKED)
        assert fingerprint() == before

    def test_a_form_filled_in_wrongly_is_logged_and_not_told(
        self, scene: Scene, at: datetime
    ) -> None:
        request = stories.request_in("reviewing", scene, at)
        with pytest.raises(InvalidInput):
            sharing.propose(request=request, outcome="refuse", actor=scene.provider, at=at)
        assert Event.objects.filter(outcome="refused", verb="sharing.propose").exists()
        assert not any(entry.is_refused for entry in ledger.trail(request))


def test_what_the_head_sent_back_says_why_on_top(scene: Scene, at: datetime) -> None:
    request = stories.request_in("head_returned", scene, at)
    for address in (f"/work/requests/{request.pk}/", f"/work/requests/{request.pk}/edit/items/"):
        page = signed_in(scene.consumer).get(address).content.decode()
        assert "message--attention" in page
        assert "依据写明条款" in page.split("message--attention")[1][:400]


def test_what_the_head_sent_back_is_first_changed_and_then_sent_again(
    scene: Scene, at: datetime
) -> None:
    request = stories.request_in("head_returned", scene, at)
    buttons = request_buttons(scene.consumer, request, at)
    assert [each.name for each in buttons if each.tone == "primary"] == ["revise"]
    assert "submit" in {each.name for each in buttons}


def test_while_it_is_written_it_is_told_which_other_request_goes_first(
    scene: Scene, at: datetime
) -> None:
    sent = stories.request_in("form_check", scene, at)
    draft = stories.draft(scene, at)
    address = f"/work/requests/{draft.pk}/edit/items/"
    assert (
        f'href="/work/requests/{sent.pk}/"'
        in signed_in(scene.consumer).get(address).content.decode()
    )
    sharing.withdraw(request=sent, actor=scene.consumer, at=at, reason="另行申请")
    assert (
        f'href="/work/requests/{sent.pk}/"'
        not in signed_in(scene.consumer).get(address).content.decode()
    )


def test_before_it_is_sent_it_is_set_beside_the_grant_it_would_change(
    scene: Scene, at: datetime
) -> None:
    grant = stories.grant_in("in_force", scene, at)
    draft = stories.draft(scene, at)
    page = signed_in(scene.consumer).get(f"/work/requests/{draft.pk}/edit/review/").content.decode()
    assert "与现有授权对比" in page
    assert str(grant) in page


def test_a_period_out_of_order_is_said_at_its_field(scene: Scene, at: datetime) -> None:
    request = stories.draft(scene, at)
    address = f"/work/requests/{request.pk}/edit/purpose/"
    typed = {"starts_on": "2026-12-01", "ends_on": "2026-11-01", "mode": "interface"}
    answer = signed_in(scene.consumer).post(address, {**typed, "revision": request.revision})
    assert answer.context["form"].errors == {"ends_on": ["截止日期须在开始日期之后"]}


def test_a_to_do_names_the_entry(scene: Scene, at: datetime) -> None:
    request = stories.request_in("awaiting_second_review", scene, at)
    titles = set(Todo.objects.filter(object_id=request.pk).values_list("title", flat=True))
    assert f"审批本部门的共享申请 {request.number}：{scene.dataset.name}" in titles
    assert f"复核共享申请 {request.number}：{scene.dataset.name}" in titles


def test_the_own_head_reads_what_the_provider_will_object_to(scene: Scene, at: datetime) -> None:
    scene.dataset.grade = "3"
    scene.dataset.save(update_fields=["grade"])
    type(scene.system).objects.filter(pk=scene.system.pk).update(protection_level=2)
    scene.system.refresh_from_db()
    request = stories.draft(scene, at)
    page = signed_in(scene.consumer).get(f"/work/requests/{request.pk}/edit/review/")
    assert "应当不低于" in page.content.decode()
    sharing.submit(request=request, actor=scene.consumer, at=at)
    page = signed_in(scene.consumer_head).get(f"/work/requests/{request.pk}/")
    assert "提供部门审核时会看到" in page.content.decode()


def test_a_quota_used_up_explains_why_nothing_is_read(scene: Scene, at: datetime) -> None:
    grant = stories.grant_in("in_force", scene, at, calls_a_day=3)
    used = QuotaUse.objects.create(grant=grant, day=at.date(), minute=at, calls=2)
    assert all(reason.ok for reason in queries.explain(scene.system, scene.dataset, at))
    used.calls = 3
    used.save(update_fields=["calls"])
    last = queries.explain(scene.system, scene.dataset, at)[-1]
    assert (last.ok, last.rule) == (False, "quota")
    assert "3 次" in last.sentence
