"""数据处置证明: owed when a grant is over, filed by the consumer, checked by the provider."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.clocks.queries import clocks_of, due_day
from apps.core import access
from apps.core.errors import DomainError, IllegalMove, InvalidInput, NotAllowed, StaleRevision
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing.lifecycle import DISPOSAL
from apps.sharing.models import Disposal, Grant
from apps.sharing.operations.holding.disposals import _remind
from apps.sharing.queries.disposals import CLOCK, disposals_late
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import DelegationFactory, InformationSystemFactory, UserFactory
from tests.factories.sharing import Scene, make_scene
from tests.sharing.fingerprint import fingerprint
from tests.sharing.test_concurrency import at_once
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
DESTROYED: dict[str, Any] = {
    "outcome": "destroyed",
    "held": "资助系统库表 t_check；备份一份",
    "method": "删除库表，覆写备份介质",
    "disposed_by": "李晓燕，资助管理中心",
    "disposed_on": date(2026, 11, 18),
}
KEPT = {
    **DESTROYED,
    "outcome": "kept",
    "method": "",
    "kept_basis": "《会计档案管理办法》第十四条，核对结果留存至 2036 年",
}


@pytest.fixture
def grant(scene: Scene, at: datetime) -> Grant:
    return stories.grant_in("ended", scene, at)


@pytest.fixture
def owed(grant: Grant) -> Disposal:
    return Disposal.objects.get(grant=grant)


@pytest.fixture
def filed(owed: Disposal, scene: Scene, at: datetime) -> Disposal:
    return _file(owed, scene, at)


def _file(disposal: Disposal, scene: Scene, at: datetime, **more: Any) -> Disposal:
    return sharing.file_disposal(
        disposal=disposal, actor=scene.consumer, at=at, **{**DESTROYED, **more}
    )


def _desks(disposal: Disposal, kind: str) -> list[tuple[Any, str]]:
    todos = Todo.objects.filter(object_id=disposal.pk, kind=kind, done_at=None)
    return [(todo.department, todo.role) for todo in todos]


class TestOpening:
    def test_it_is_owed_when_a_grant_ends(self, owed: Disposal, scene: Scene, at: datetime) -> None:
        assert (owed.status, owed.consumer, owed.provider) == (
            "owed",
            scene.consumer_department,
            scene.provider_department,
        )
        # Ended on Wednesday 18 November: ten working days later is Wednesday 2 December.
        due_on = date(2026, 12, 2)
        assert [clock.due_on for clock in clocks_of(owed)] == [due_on]
        [todo] = Todo.objects.filter(kind="sharing.file_disposal", done_at=None)
        assert (todo.department, todo.role, todo.due_on) == (
            scene.consumer_department,
            "department_editor",
            due_on,
        )

    def test_it_is_owed_when_a_grant_expires(self, scene: Scene, at: datetime) -> None:
        grant = stories.grant_in("expired", scene, at)
        assert Disposal.objects.get(grant=grant).status == "owed"

    def test_not_of_what_was_never_delivered(self, scene: Scene, at: datetime) -> None:
        grant = stories.grant_in("delivering", scene, at)
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")
        assert not Disposal.objects.exists()

    def test_not_of_what_was_only_verified(self, scene: Scene, at: datetime) -> None:
        plain = {"identity_number": "", "name": ""}
        grant = stories.delivered(scene, at, mode="verify", items=plain).grant
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")
        assert not Disposal.objects.exists()

    def test_but_of_what_was_narrowed_to_verification(self, scene: Scene, at: datetime) -> None:
        plain = {"identity_number": "", "name": ""}
        grant = stories.delivered(scene, at, items=plain).grant
        sharing.narrow(
            grant=grant, actor=scene.provider_head, at=at, reason="只需核对", mode="verify"
        )
        sharing.end(grant=grant, actor=scene.provider_head, at=at, reason="不再需要")
        assert Disposal.objects.get().status == "owed"

    def test_not_of_what_another_grant_replaces(self, scene: Scene, at: datetime) -> None:
        former = stories.delivered(scene, at).grant
        stories.delivered(scene, at, mode="batch")
        former.refresh_from_db()
        assert former.status == "ended"
        assert not Disposal.objects.exists()


class TestFiling:
    def test_it_goes_to_the_provider(self, filed: Disposal, scene: Scene, at: datetime) -> None:
        assert (filed.status, filed.filed_by, filed.filed_at) == ("filed", scene.consumer, at)
        assert (filed.method, filed.disposed_on) == (
            DESTROYED["method"],
            DESTROYED["disposed_on"],
        )
        assert _desks(filed, "sharing.file_disposal") == []
        assert _desks(filed, "sharing.check_disposal") == [
            (scene.provider_department, "department_editor")
        ]
        [clock] = clocks_of(filed)
        assert (clock.state, clock.met) == ("stopped", True)
        assert Event.objects.filter(verb="sharing.file_disposal", outcome="done").count() == 1
        assert filed.history.count() == 2

    def test_kept_data_say_on_what_basis(self, owed: Disposal, scene: Scene, at: datetime) -> None:
        kept = _file(owed, scene, at, **KEPT)
        assert (kept.outcome, kept.kept_basis) == ("kept", KEPT["kept_basis"])

    def test_a_paper_is_kept_with_its_digest(
        self, owed: Disposal, scene: Scene, at: datetime
    ) -> None:
        paper = ContentFile(b"%PDF-1.7 record", name="销毁记录.pdf")
        kept = _file(owed, scene, at, file=paper)
        assert len(kept.sha256) == 64
        with kept.file.open("rb") as found:
            assert found.read() == b"%PDF-1.7 record"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"outcome": "burnt"},
            {"held": " "},
            {"method": ""},
            {"disposed_by": ""},
            {"disposed_on": None},
            {"disposed_on": date(2026, 11, 19)},
            {"disposed_on": date(2020, 1, 1)},
            {**KEPT, "kept_basis": " "},
            {"file": ContentFile(b"MZ", name="virus.exe")},
        ],
    )
    def test_half_a_certificate_changes_nothing(
        self, owed: Disposal, scene: Scene, at: datetime, wrong: dict[str, Any]
    ) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput):
            _file(owed, scene, at, **wrong)
        assert fingerprint() == before

    def test_who_took_nothing_says_only_that(
        self, owed: Disposal, scene: Scene, at: datetime
    ) -> None:
        filed = sharing.file_disposal(
            disposal=owed, outcome="nothing", actor=scene.consumer, at=at, held="不相干"
        )
        assert (filed.outcome, filed.held, filed.disposed_on) == ("nothing", "", None)

    def test_nobody_files_twice_or_for_another(
        self, filed: Disposal, scene: Scene, at: datetime
    ) -> None:
        stranger = make_scene().consumer
        before = fingerprint()
        with pytest.raises(IllegalMove):
            _file(filed, scene, at)
        for person in (scene.provider, scene.authority, stranger):
            with pytest.raises(NotAllowed):
                sharing.file_disposal(disposal=filed, actor=person, at=at, **DESTROYED)
        assert fingerprint() == before

    def test_a_stale_page_files_nothing(self, owed: Disposal, scene: Scene, at: datetime) -> None:
        before = fingerprint()
        with pytest.raises(StaleRevision):
            _file(owed, scene, at, revision=owed.revision + 1)
        assert fingerprint() == before


class TestChecking:
    def test_confirmed_it_is_closed(self, filed: Disposal, scene: Scene, at: datetime) -> None:
        sharing.confirm_disposal(disposal=filed, actor=scene.provider, at=at, reason="已核对")
        assert (filed.status, filed.checked_by, filed.remark) == (
            "confirmed",
            scene.provider,
            "已核对",
        )
        assert not Todo.objects.filter(object_id=filed.pk, kind__contains="disposal", done_at=None)
        told = Notice.objects.filter(title__contains="已确认").values_list("recipient", flat=True)
        assert set(told) == {scene.consumer.pk, scene.consumer_head.pk}

    def test_sent_back_it_is_owed_anew(self, filed: Disposal, scene: Scene, at: datetime) -> None:
        later = at + timedelta(days=5)
        sharing.return_disposal(
            disposal=filed, actor=scene.provider_head, at=later, reason="备份的销毁没有写明"
        )
        filed.refresh_from_db()
        assert (filed.status, filed.remark) == ("returned", "备份的销毁没有写明")
        # Returned on Monday 23 November: due on Monday 7 December.
        assert due_day(filed, CLOCK) == date(2026, 12, 7)
        assert _desks(filed, "sharing.file_disposal") == [
            (scene.consumer_department, "department_editor")
        ]
        again = _file(filed, scene, later, method="删除库表，粉碎备份磁带")
        sharing.confirm_disposal(disposal=again, actor=scene.provider, at=later)
        texts = set(again.history.values_list("method", flat=True))
        assert {"删除库表，覆写备份介质", "删除库表，粉碎备份磁带"} <= texts

    def test_a_return_has_words(self, filed: Disposal, scene: Scene, at: datetime) -> None:
        before = fingerprint()
        with pytest.raises(InvalidInput):
            sharing.return_disposal(disposal=filed, actor=scene.provider, at=at, reason=" ")
        assert fingerprint() == before

    @pytest.mark.parametrize("move", ["confirm_disposal", "return_disposal"])
    def test_nothing_is_checked_before_it_was_filed(
        self, owed: Disposal, scene: Scene, at: datetime, move: str
    ) -> None:
        before = fingerprint()
        with pytest.raises(IllegalMove):
            getattr(sharing, move)(disposal=owed, actor=scene.provider, at=at, reason="理由")
        assert fingerprint() == before

    def test_the_consumer_does_not_check_in_the_providers_name(
        self, filed: Disposal, scene: Scene, at: datetime
    ) -> None:
        deputy = UserFactory(department=scene.consumer_department)
        DelegationFactory(
            principal=scene.provider_head,
            deputy=deputy,
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
        )
        before = fingerprint()
        with pytest.raises(NotAllowed) as refusal:
            sharing.confirm_disposal(disposal=filed, actor=deputy, at=at)
        assert refusal.value.code == "own_disposal"
        assert fingerprint() == before


class TestReminding:
    def test_a_late_one_is_told_of_once_and_again_after_a_return(
        self, owed: Disposal, scene: Scene, at: datetime
    ) -> None:
        due = datetime.combine(due_day(owed, CLOCK), at.timetz())
        assert sharing.remind_disposals(due) == 0
        late = due + timedelta(days=1)
        assert [sharing.remind_disposals(late) for _ in range(2)] == [1, 0]
        told = Notice.objects.filter(title__contains="逾期未报").values_list("recipient", flat=True)
        assert {scene.consumer.pk, scene.consumer_head.pk, scene.authority.pk} <= set(told)
        filed = _file(owed, scene, late)
        assert clocks_of(filed)[0].met is False
        sharing.return_disposal(disposal=filed, actor=scene.provider, at=late, reason="不全")
        assert sharing.remind_disposals(late + timedelta(days=30)) == 1

    def test_what_is_filed_is_not_late(self, filed: Disposal, at: datetime) -> None:
        assert sharing.remind_disposals(at + timedelta(days=60)) == 0

    def test_what_was_filed_meanwhile_is_not_told_of(
        self, owed: Disposal, scene: Scene, at: datetime
    ) -> None:
        late = at + timedelta(days=60)
        [seen] = disposals_late(late)
        _file(owed, scene, late)
        before = fingerprint()
        _remind(seen, late)
        assert fingerprint() == before


class TestRules:
    @pytest.mark.parametrize("status", Disposal.Status.values)
    @pytest.mark.parametrize("move", [move.name for move in DISPOSAL.moves])
    def test_it_moves_by_its_table_only(
        self, owed: Disposal, scene: Scene, at: datetime, status: str, move: str
    ) -> None:
        ways: dict[str, list[Callable[[], Any]]] = {
            "owed": [],
            "filed": [lambda: _file(owed, scene, at)],
        }
        ways["returned"] = [
            *ways["filed"],
            lambda: sharing.return_disposal(
                disposal=owed, actor=scene.provider, at=at, reason="不全"
            ),
        ]
        ways["confirmed"] = [
            *ways["filed"],
            lambda: sharing.confirm_disposal(disposal=owed, actor=scene.provider, at=at),
        ]
        ways["void"] = [
            lambda: Disposal.objects.filter(pk=owed.pk).update(consumer=scene.provider_department),
            lambda: sharing.void_disposals(at),
        ]
        for step in ways[status]:
            step()
        owed.refresh_from_db()
        fields = {"filed_by": scene.consumer, "filed_at": at, "remark": "说明", **DESTROYED}
        fields |= {"checked_by": scene.provider, "checked_at": at}
        arguments: dict[str, Any] = {"actor": scene.provider, "at": at, "reason": "理由"}
        if status in DISPOSAL.move(move).sources:
            DISPOSAL.apply(owed, move, **arguments, **fields)
            assert owed.status == DISPOSAL.move(move).target
        else:
            with pytest.raises(IllegalMove):
                DISPOSAL.apply(owed, move, **arguments, **fields)
            owed.refresh_from_db()
            assert owed.status == status

    @pytest.mark.parametrize(
        "wrong",
        [
            {"status": "filed"},
            {"method": ""},
            {"outcome": "kept"},
            {"held": ""},
            {"disposed_on": None},
            {"status": "confirmed"},
            {"status": "returned", "remark": "不全"},
        ],
    )
    def test_the_table_refuses_half_a_certificate(
        self, owed: Disposal, scene: Scene, at: datetime, wrong: dict[str, Any]
    ) -> None:
        if wrong != {"status": "filed"}:
            _file(owed, scene, at)
        with pytest.raises(IntegrityError), transaction.atomic():
            Disposal.objects.filter(pk=owed.pk).update(**wrong)

    def test_each_of_the_cast_may_what_the_matrix_says(
        self, cast: dict[str, Any], scene: Scene, at: datetime
    ) -> None:
        scene.dataset.department = cast["provider"].department
        scene.dataset.save()
        scene.system.department = cast["consumer"].department
        scene.system.save()
        grant = stories.grant_in("ended", _cast_scene(scene, cast), at)
        disposal = Disposal.objects.get(grant=grant)
        matrix = {
            "view": {
                *("provider", "provider_head", "consumer", "consumer_head"),
                *("authority", "authority_leader", "auditor"),
            },
            "file_disposal": {"consumer", "consumer_head"},
            "confirm_disposal": {"provider", "provider_head"},
            "return_disposal": {"provider", "provider_head"},
            "change": set(),
            "delete": set(),
        }
        assert set(access.actions_of(Disposal)) == set(matrix)
        for action, admitted in matrix.items():
            may = {name for name in CAST if access.allowed(cast[name], action, disposal)}
            assert may == admitted, action
        assert not any(access.able(person, "create", Disposal) for person in cast.values())


def _cast_scene(scene: Scene, cast: dict[str, Any]) -> Scene:
    names = ("authority", "provider", "provider_head", "consumer", "consumer_head")
    return replace(
        scene,
        **{name: cast[name] for name in names},
        second=UserFactory(department=cast["provider"].department, roles=["department_editor"]),
    )


class TestPages:
    def test_the_story_on_the_screen(self, owed: Disposal, scene: Scene, at: datetime) -> None:
        url = f"/work/grants/disposals/{owed.pk}/"
        consumer = signed_in(scene.consumer)
        assert url in consumer.get("/work/grants/disposals/").content.decode()
        assert url in consumer.get(f"/work/grants/{owed.grant_id}/").content.decode()
        posted = {**DESTROYED, "revision": owed.revision}
        wrong = consumer.post(url, {**posted, "method": ""}).content.decode()
        assert "填写销毁方式" in wrong
        assert DESTROYED["held"] in wrong
        day = owed.grant.starts_at.date()
        paper = SimpleUploadedFile("record.pdf", b"%PDF-1.7 x")
        sent = consumer.post(url, {**posted, "disposed_on": day, "file": paper})
        assert sent.status_code == 302
        provider = signed_in(scene.provider)
        page = provider.get(url).content.decode()
        assert DESTROYED["method"] in page
        assert "确认：处置符合约定" in page
        fetched = provider.get(f"{url}paper/")
        assert b"".join(fetched.streaming_content) == b"%PDF-1.7 x"  # type: ignore[attr-defined]
        assert "attachment" in fetched["Content-Disposition"]
        owed.refresh_from_db()
        back = provider.post(url, {"answer": "return_disposal", "revision": owed.revision})
        assert "写明退回的理由" in back.content.decode()
        yes = {"answer": "confirm_disposal", "reason": "", "revision": owed.revision}
        assert provider.post(url, yes).status_code == 302
        assert "data-print" in consumer.get(url).content.decode()
        owed.refresh_from_db()
        assert owed.status == "confirmed"

    def test_strangers_find_nothing(self, owed: Disposal, scene: Scene, at: datetime) -> None:
        _file(owed, scene, at, file=ContentFile(b"%PDF-1.7 record", name="销毁记录.pdf"))
        paper = f"/work/grants/disposals/{owed.pk}/paper/"
        sent = signed_in(scene.provider).get(paper)
        assert b"".join(sent.streaming_content) == b"%PDF-1.7 record"  # type: ignore[attr-defined]
        stranger = signed_in(make_scene().consumer)
        assert stranger.get(f"/work/grants/disposals/{owed.pk}/").status_code == 404
        assert stranger.get(paper).status_code == 404
        listed = stranger.get("/work/grants/disposals/").content.decode()
        assert f"/work/grants/disposals/{owed.pk}/" not in listed

    def test_the_authority_reads_and_does_not_act(self, filed: Disposal, scene: Scene) -> None:
        url = f"/work/grants/disposals/{filed.pk}/"
        client = signed_in(scene.authority)
        assert 'name="answer"' not in client.get(url).content.decode()
        client.post(url, {"answer": "confirm_disposal", "revision": filed.revision})
        filed.refresh_from_db()
        assert filed.status == "filed"

    @pytest.mark.parametrize(
        "state", ["", "open", "late", "filed", "confirmed", "void", "nonsense"]
    )
    def test_the_list_is_filtered(self, filed: Disposal, scene: Scene, state: str) -> None:
        page = signed_in(scene.provider).get("/work/grants/disposals/", {"status": state})
        found = f"/work/grants/disposals/{filed.pk}/" in page.content.decode()
        assert found is (state in ("", "filed", "nonsense"))

    def test_a_search_keeps_the_filters_and_a_further_page_the_search(
        self, filed: Disposal, scene: Scene, at: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        system = InformationSystemFactory(department=scene.consumer_department)
        stories.grant_in("ended", replace(scene, system=system), at)
        monkeypatch.setattr("apps.sharing.views.lists.PAGE_ROWS", 1)
        client = signed_in(scene.provider)
        asked = {"side": "received", "q": scene.dataset.name}
        first = client.get("/work/grants/disposals/", asked)
        assert '<input type="hidden" name="side" value="received">' in first.content.decode()
        assert "清除全部筛选" in first.content.decode()
        assert "共 2 条" in first.content.decode()
        assert f"/work/grants/disposals/{filed.pk}/" not in first.content.decode()
        following = first.context["page"].next_url
        assert "side=received" in following
        second = client.get(f"/work/grants/disposals/{following}").content.decode()
        assert f"/work/grants/disposals/{filed.pk}/" in second


@pytest.mark.usefixtures("no_earlier_records")
@pytest.mark.django_db(transaction=True)
def test_who_read_something_cannot_say_that_he_took_nothing(
    client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
) -> None:
    assert client.get(address).status_code == 200
    sharing.end(grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="不用了")
    disposal = Disposal.objects.get(grant=landed_grant)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        sharing.file_disposal(
            disposal=disposal, outcome="nothing", actor=landed_scene.consumer, at=now
        )
    assert refusal.value.code == "was_read"
    assert fingerprint() == before


@pytest.mark.usefixtures("server")
@pytest.mark.django_db(transaction=True)
def test_of_two_who_check_at_once_one_wins(now: datetime) -> None:
    scene = make_scene()
    disposal = Disposal.objects.get(grant=stories.grant_in("ended", scene, now))
    day = timezone.localdate(disposal.grant.starts_at)
    _file(disposal, scene, now, disposed_on=day)

    def fresh() -> Disposal:
        return Disposal.objects.get(pk=disposal.pk)

    results = at_once(
        [
            partial(
                sharing.confirm_disposal, disposal=fresh(), actor=scene.provider, at=now, reason=""
            ),
            partial(
                sharing.return_disposal,
                disposal=fresh(),
                actor=scene.provider_head,
                at=now,
                reason="不全",
            ),
        ]
    )
    assert sum(isinstance(each, Disposal) for each in results) == 1
    assert sum(isinstance(each, DomainError) for each in results) == 1
    open_clocks = [clock for clock in clocks_of(fresh()) if clock.state == "running"]
    assert len(open_clocks) == (fresh().status == "returned")
