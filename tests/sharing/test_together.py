"""One act on several requests: each by itself, the others untouched by one that cannot be."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.errors import InvalidInput
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing.models import SharingRequest
from apps.sharing.queries.weighing import (
    findings_of,
    warnings_of_each,
    weigh,
    weighed_terms,
)
from tests import stories
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.factories.catalog import PublishedDatasetFactory
from tests.factories.sharing import Scene, make_scene, period
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_packages import received, submitted
from tests.sharing.test_terms_templates import DISTRICT, LITTLE, save
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.django_db


def several(
    scene: Scene, at: datetime, status: str, count: int = 3, items: Any = ("name",)
) -> list[SharingRequest]:
    """Requests of several systems for the one entry."""
    made = []
    for _number in range(count):
        system = InformationSystemFactory(department=scene.consumer_department)
        draft = sharing.draft_request(
            dataset=scene.dataset,
            system=system,
            actor=scene.consumer,
            at=at,
            items=items,
            **{**stories.WRITTEN, **period(at)},
        )
        sharing.submit(request=draft, actor=scene.consumer, at=at)
        sharing.approve_by_head(request=draft, actor=scene.consumer_head, at=at)
        made.append(draft)
    if status in ("reviewing", "awaiting_signature"):
        act(made, "accept_form", scene.provider, at)
    if status == "awaiting_signature":
        act(made, "propose", scene.provider, at, outcome="agree")
        confirm(made, scene, at)
    return [_fresh(row) for row in made]


def act(rows: list[SharingRequest], name: str, actor: Any, at: datetime, **words: Any) -> list[str]:
    """What became of each: its code, empty where it was done."""
    answers = sharing.act_together(requests=rows, act=name, actor=actor, at=at, **words)
    assert [answer.row.pk for answer in answers] == [row.pk for row in rows]
    return [answer.error.code if answer.error else "" for answer in answers]


def confirm(rows: list[SharingRequest], scene: Scene, at: datetime) -> None:
    """The second review is everybody's own: it is not done together."""
    for row in rows:
        stories.confirmed(_fresh(row), scene, at)


def _fresh(row: SharingRequest) -> SharingRequest:
    return SharingRequest.objects.get(pk=row.pk)


def _statuses(rows: list[SharingRequest]) -> list[str]:
    return [_fresh(row).status for row in rows]


def test_each_is_accepted_by_itself_and_what_moved_on_is_left_and_told(
    scene: Scene, at: datetime
) -> None:
    rows = several(scene, at, "form_check")
    sharing.ask_supplement(request=_fresh(rows[1]), actor=scene.provider, at=at, reason="补函")
    assert act(rows, "accept_form", scene.provider, at) == ["", "illegal_move", ""]
    assert _statuses(rows) == ["reviewing", "supplement", "reviewing"]
    verbs = [entry.event.verb for entry in ledger.trail(rows[0])]
    assert verbs[0] == "sharing.accept_form"
    assert ledger.trail(rows[1])[0].is_refused


def test_what_somebody_changed_after_the_page_was_opened_is_told(
    scene: Scene, at: datetime
) -> None:
    rows = several(scene, at, "form_check", 2)
    revisions = {rows[0].pk: rows[0].revision, rows[1].pk: rows[1].revision - 1}
    codes = act(rows, "accept_form", scene.provider, at, revisions=revisions)
    assert codes == ["", "stale_revision"]


def test_an_opinion_by_template_narrows_each_to_what_it_asked_for(
    scene: Scene, at: datetime
) -> None:
    template = save(scene, at, items=LITTLE, row_condition=[DISTRICT], calls_a_day=50)
    rows = several(scene, at, "reviewing", 2, items=None)
    codes = act(
        rows, "propose", scene.provider, at, outcome="narrow", template=template, reason="最少够用"
    )
    assert codes == ["", ""]
    for row in rows:
        decision = _fresh(row).decisions.order_by("-version")[0]
        assert decision.outcome == "narrow"
        assert {entry["name"]: entry["mask"] for entry in decision.items} == LITTLE
        assert (decision.row_condition, decision.calls_a_day) == ([DISTRICT], 50)


def test_a_template_that_takes_nothing_away_agrees_as_asked(scene: Scene, at: datetime) -> None:
    wide = save(scene, at, items={"division_code": "", "name": ""})
    request = stories.reviewing(scene, at, items={"division_code": "", "name": ""})
    assert act(
        [request], "propose", scene.provider, at, outcome="narrow", template=wide, reason="一样"
    ) == [""]
    assert _fresh(request).proposal == "agree"


def test_templates_of_others_no_template_and_ones_that_leave_nothing_are_refused(
    scene: Scene, at: datetime
) -> None:
    other = make_scene()
    strange = save(other, at, actor=other.provider)
    empty = save(scene, at, name="只给金额", items={"amount": ""})
    retired = save(scene, at, name="旧的")
    sharing.retire_template(template=retired, actor=scene.provider, at=at)
    request = stories.reviewing(scene, at, items={"name": ""})
    before = fingerprint()
    propose = partial(act, [request], "propose", scene.provider, at, outcome="narrow", reason="少")
    assert propose(template=strange) == ["unfit_template"]
    assert propose(template=retired) == ["unfit_template"]
    assert propose(template=empty) == ["no_items"]
    assert propose() == ["no_template"]
    assert fingerprint() == before


def test_a_refusal_needs_reason_and_basis_and_is_signed_at_once(scene: Scene, at: datetime) -> None:
    rows = several(scene, at, "reviewing", 2)
    before = fingerprint()
    assert (
        act(rows, "propose", scene.provider, at, outcome="refuse", reason="无关")
        == ["invalid_input"] * 2
    )
    assert fingerprint() == before
    codes = act(
        rows,
        "propose",
        scene.provider,
        at,
        outcome="refuse",
        reason="无关",
        legal_basis=stories.STATUTE,
    )
    assert codes == ["", ""]
    confirm(rows, scene, at)
    assert act(rows, "agree", scene.provider_head, at) == ["not_allowed"] * 2
    assert act(rows, "refuse", scene.provider_head, at) == ["", ""]
    assert _statuses(rows) == ["refused"] * 2


def test_signing_keeps_second_review_own_proposals_and_own_department_apart(
    at: datetime, db: None
) -> None:
    scene = make_scene(grade="3")
    rows = several(scene, at, "reviewing", 2)
    act(rows, "propose", scene.provider, at, outcome="agree")
    assert _statuses(rows) == ["awaiting_second_review"] * 2
    assert act(rows, "agree", scene.provider_head, at) == ["illegal_move"] * 2
    sharing.confirm(request=_fresh(rows[0]), actor=scene.second, at=at)
    assert act(rows, "agree", scene.provider_head, at) == ["", "illegal_move"]
    plain = make_scene()
    mine = several(plain, at, "reviewing", 2)
    both = UserFactory(
        department=plain.provider_department, roles=["department_editor", "department_approver"]
    )
    act(mine[:1], "propose", both, at, outcome="agree")
    act(mine[1:], "propose", plain.provider, at, outcome="agree")
    confirm(mine, plain, at)
    assert act(mine, "agree", both, at) == ["own_proposal", ""]
    assert act(mine, "agree", plain.consumer_head, at) == ["not_allowed"] * 2


def test_an_urgent_one_needs_its_own_words(scene: Scene, at: datetime) -> None:
    rows = several(scene, at, "reviewing", 2)
    sharing.mark_urgent(
        request=_fresh(rows[0]),
        actor=scene.authority,
        at=at,
        kind="emergency",
        hours=4,
        reason="应急响应",
    )
    rows = [_fresh(row) for row in rows]
    assert act(rows, "propose", scene.provider, at, outcome="agree") == ["invalid_input", ""]
    assert _statuses(rows) == ["reviewing", "awaiting_second_review"]


def test_what_has_nothing_in_common_is_not_acted_on_together(scene: Scene, at: datetime) -> None:
    one = stories.form_check(scene, at)
    other = make_scene()
    two = stories.form_check(other, at)
    before = fingerprint()
    for rows, name, code in (
        ([one, two], "accept_form", "not_alike"),
        ([], "accept_form", "nothing_chosen"),
        ([one], "deliver", "unknown_act"),
        ([one] * 51, "accept_form", "too_many_chosen"),
    ):
        with pytest.raises(InvalidInput) as caught:
            sharing.act_together(requests=rows, act=name, actor=scene.provider, at=at)
        assert caught.value.code == code
    assert fingerprint() == before


class TestMatter:
    def test_the_own_head_lets_all_parts_out_or_returns_them(
        self, scene: Scene, at: datetime
    ) -> None:
        others = [PublishedDatasetFactory(department=DepartmentFactory())]
        rows = list(submitted(scene, at, others).parts.order_by("pk"))
        assert act(rows, "approve_by_head", scene.consumer, at) == ["not_allowed"] * 2
        assert act(rows[:1], "return_by_head", scene.consumer_head, at) == ["invalid_input"]
        assert act(rows, "approve_by_head", scene.consumer_head, at) == ["", ""]
        assert _statuses(rows) == ["form_check"] * 2
        assert (
            act(rows, "return_by_head", scene.consumer_head, at, reason="改")
            == ["illegal_move"] * 2
        )

    def test_it_is_withdrawn_whole_but_for_what_is_decided(
        self, scene: Scene, at: datetime
    ) -> None:
        others = [PublishedDatasetFactory(department=DepartmentFactory())]
        package = received(scene, at, others)
        rows = list(package.parts.order_by("pk"))
        act(rows[:1], "accept_form", scene.provider, at)
        act(rows[:1], "propose", scene.provider, at, outcome="agree")
        confirm(rows[:1], scene, at)
        assert act(rows[:1], "agree", scene.provider_head, at) == [""]
        codes = act(rows, "withdraw", scene.consumer_head, at, reason="不办了")
        assert codes == ["illegal_move", ""]
        assert _statuses(rows) == ["agreed", "withdrawn"]


class TestPages:
    def test_what_is_mine_can_be_ticked_and_done_and_reloading_does_nothing_again(
        self, scene: Scene, at: datetime
    ) -> None:
        rows = several(scene, at, "form_check")
        client = signed_in(scene.provider)
        listed = client.get("/work/requests/?owed=me").content.decode()
        assert listed.count('form="together"') == 3
        assert 'form="together"' not in client.get("/work/requests/").content.decode()
        keys = [row.pk for row in rows]
        page = client.get("/work/requests/together/", {"rows": keys}).content.decode()
        assert "受理" in page
        assert page.count('name="rows"') >= 3
        sharing.withdraw(request=_fresh(rows[2]), actor=scene.consumer, at=at, reason="取消")
        posted = {
            "act": "accept_form",
            "rows": keys,
            **{f"revision-{row.pk}": row.revision for row in rows},
        }
        answer = client.post("/work/requests/together/", posted, follow=True)
        shown = answer.content.decode()
        assert "办成 2 件，未办成 1 件" in shown
        assert rows[2].number in shown
        assert _statuses(rows) == ["reviewing", "reviewing", "withdrawn"]
        assert "办成 2 件" in client.get("/work/requests/together/done/").content.decode()

    @pytest.mark.parametrize(
        ("status", "name", "person"),
        [
            ("form_check", "accept_form", "provider"),
            ("reviewing", "propose", "provider"),
            ("awaiting_signature", "agree", "provider_head"),
        ],
    )
    def test_many_take_as_many_queries_as_few(
        self, scene: Scene, at: datetime, status: str, name: str, person: str
    ) -> None:
        keys = [row.pk for row in several(scene, at, status, 4)]
        client = signed_in(getattr(scene, person))
        counts = []
        for chosen in (keys[:1], keys[:2], keys):  # the first fills what is kept for long
            with CaptureQueriesContext(connection) as asked:
                query: dict[str, Any] = {"rows": chosen, "act": name}
                page = client.get("/work/requests/together/", query)
            assert page.content.decode().count('type="checkbox" name="rows"') == len(chosen)
            counts.append(len(asked))
        assert counts[1] == counts[2]

    def test_each_that_cannot_be_done_says_why(self, scene: Scene, at: datetime) -> None:
        rows = several(scene, at, "awaiting_signature", 3)
        sharing.send_back_proposal(
            request=_fresh(rows[0]), actor=scene.provider_head, at=at, reason="再议"
        )
        SharingRequest.objects.filter(pk=rows[1].pk).update(proposed_by=scene.provider_head)
        query: dict[str, Any] = {"rows": [row.pk for row in rows], "act": "agree"}
        page = signed_in(scene.provider_head).get("/work/requests/together/", query)
        reasons = [row.why_not for row in page.context["rows"]]
        assert reasons == ["当前状态为“审核中”", "处理意见须由提出人以外的负责人签发", ""]

    def test_the_form_says_what_is_missing_and_keeps_the_choice(
        self, scene: Scene, at: datetime
    ) -> None:
        template = save(scene, at)
        rows = several(scene, at, "reviewing", 2, items=None)
        client = signed_in(scene.provider)
        posted: dict[str, Any] = {
            "act": "propose",
            "rows": [row.pk for row in rows],
            **{f"revision-{row.pk}": row.revision for row in rows},
        }
        page = client.post("/work/requests/together/", {**posted, "outcome": "narrow"})
        assert "选择授权条款模板" in page.content.decode()
        page = client.post("/work/requests/together/", {**posted, "outcome": "refuse"})
        assert "填写不予共享的依据" in page.content.decode()
        assert _statuses(rows) == ["reviewing"] * 2
        client.post(
            "/work/requests/together/",
            {**posted, "outcome": "narrow", "template": template.pk, "reason": "最少够用"},
        )
        assert [_fresh(row).proposal for row in rows] == ["narrow"] * 2

    def test_rows_of_others_are_not_shown_and_unlike_ones_sent_back(
        self, scene: Scene, at: datetime
    ) -> None:
        mine = stories.form_check(scene, at)
        strange = stories.form_check(make_scene(), at)
        client = signed_in(scene.provider)
        keys: dict[str, Any] = {"rows": [mine.pk, strange.pk]}
        page = client.get("/work/requests/together/", keys).content.decode()
        assert mine.number in page
        assert strange.number not in page
        overseer = signed_in(scene.authority).get("/work/requests/together/", keys, follow=True)
        assert "只有同一数据目录的申请" in overseer.content.decode()
        unknown = client.get(f"/work/requests/together/?rows={mine.pk}&act=deliver")
        assert unknown.status_code == 404


@pytest.mark.usefixtures("server")
def test_two_who_sign_the_same_at_once_sign_each_once(now: datetime) -> None:
    scene = make_scene()
    rows = several(scene, now, "awaiting_signature")
    second = UserFactory(department=scene.provider_department, roles=["department_approver"])
    first_codes, second_codes = at_once(
        [
            partial(act, [_fresh(row) for row in rows], "agree", head, now)
            for head in (scene.provider_head, second)
        ]
    )
    for pair in zip(first_codes, second_codes, strict=True):
        assert min(pair) == ""
        assert max(pair) in ("illegal_move", "not_allowed")
    assert _statuses(rows) == ["agreed"] * 3


class TestWarnings:
    """What a decider is warned of on the page of a single one, he is warned of here, in short."""

    def page(self, rows: list[SharingRequest], actor: Any, name: str) -> Any:
        query: dict[str, Any] = {"rows": [row.pk for row in rows], "act": name}
        return signed_in(actor).get("/work/requests/together/", query)

    def test_each_row_says_what_its_terms_break(self, scene: Scene, at: datetime) -> None:
        rows = several(scene, at, "reviewing", 2)
        page = self.page(rows, scene.provider, "propose")
        for row in page.context["rows"]:
            terms = weighed_terms(row.request, row.request.decisions.get(outcome="asked"))
            assert list(row.warned.findings) == findings_of(terms)
            assert row.warned.findings
        assert "没有限定数据范围" in page.content.decode()

    def test_what_the_consumer_could_join_it_with_is_said(self, scene: Scene, at: datetime) -> None:
        other = PublishedDatasetFactory(department=DepartmentFactory())
        theirs = replace(scene, dataset=other)
        second = UserFactory(department=other.department, roles=["department_editor"])
        head = UserFactory(department=other.department, roles=["department_approver"])
        editor = UserFactory(department=other.department, roles=["department_editor"])
        theirs = replace(theirs, provider=editor, second=second, provider_head=head)
        plain = {"identity_number": "", "name": ""}
        stories.delivered(theirs, at, items=plain, may_redistribute=True)
        rows = several(scene, at, "reviewing", 2, items=plain)
        found = warnings_of_each([(row, row.decisions.get(outcome="asked")) for row in rows], at)
        for row in rows:
            alone = weigh(
                weighed_terms(row, row.decisions.get(outcome="asked")), scene.provider, at
            ).aggregation
            joined = found[row.pk].joined
            assert joined is not None
            assert (joined.dataset, joined.level) == (other.name, alone.level)
            assert joined.together == alone.holdings[0].together
        page = self.page(rows, scene.provider, "propose")
        assert f"可与已有的“{other.name}”" in page.content.decode()

    def test_what_is_grave_is_neither_agreed_to_nor_signed_among_others(
        self, scene: Scene, at: datetime
    ) -> None:
        grave = several(scene, at, "reviewing", 1, items={"identity_number": ""})
        rows = [*several(scene, at, "reviewing", 1), *grave]
        rows.sort(key=lambda row: row.pk)
        before = [row.pk for row in rows if row.pk != grave[0].pk]
        answers = act(rows, "propose", scene.provider, at, outcome="agree")
        assert dict(zip([row.pk for row in rows], answers, strict=True)) == {
            grave[0].pk: "look_alone",
            before[0]: "",
        }
        assert _fresh(grave[0]).status == "reviewing"
        assert act(
            grave,
            "propose",
            scene.provider,
            at,
            outcome="refuse",
            reason="无关",
            legal_basis=stories.STATUTE,
        ) == [""]

    def test_a_grave_one_stays_out_of_the_signing_and_says_why(
        self, scene: Scene, at: datetime
    ) -> None:
        grave = several(scene, at, "reviewing", 1, items={"identity_number": ""})[0]
        sharing.propose(request=grave, outcome="agree", actor=scene.provider, at=at)
        stories.confirmed(grave, scene, at)
        rows = [*several(scene, at, "awaiting_signature", 1), _fresh(grave)]
        page = self.page(rows, scene.provider_head, "agree")
        reasons = {row.request.pk: row.why_not for row in page.context["rows"]}
        assert reasons == {rows[0].pk: "", grave.pk: "审批参考有“高”的提示，须打开单独办理"}
        before = fingerprint()
        assert act([_fresh(grave)], "agree", scene.provider_head, at) == ["look_alone"]
        assert fingerprint() == before
        sharing.agree(request=_fresh(grave), actor=scene.provider_head, at=at)
        assert _fresh(grave).status == "agreed"

    def test_whoever_may_not_weigh_reads_nothing_of_it(self, scene: Scene, at: datetime) -> None:
        rows = several(scene, at, "reviewing", 2)
        page = self.page(rows, scene.consumer, "propose")
        assert [row.warned for row in page.context["rows"]] == [None, None]
