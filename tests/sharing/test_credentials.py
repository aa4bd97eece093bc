"""Credentials: offered, collected, replaced, made void, warned of, and over."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event, Notice, Todo
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.lifecycle import CREDENTIAL
from apps.sharing.models import Credential, Grant
from tests.conftest import CAST
from tests.factories.accounts import (
    OUT_OF_SERVICE,
    DelegationFactory,
    InformationSystemFactory,
    OutOfService,
    UserFactory,
)
from tests.factories.gateway import caller, credential_of, draw_token, problem
from tests.factories.sharing import Scene
from tests.sharing.test_views import signed_in

pytestmark = pytest.mark.django_db
UNTESTED = "已在旧平台试调"


def offered(scene: Scene, at: datetime, **more: Any) -> Credential:
    words: dict[str, Any] = {"environment": "test", "note": "新服务器", **more}
    return sharing.offer_credential(
        system=scene.system, holder=scene.consumer, actor=scene.consumer_head, at=at, **words
    )


def of_the_authority(scene: Scene, role: str) -> Any:
    return UserFactory(department=scene.authority.department, roles=[role])


def nothing_happened() -> bool:
    return not Credential.objects.exists() and not Todo.objects.exists()


class TestPages:
    def test_those_in_use_come_first_and_mine_before_others(
        self, scene: Scene, at: datetime
    ) -> None:
        colleague = UserFactory(department=scene.consumer_department, roles=["department_editor"])
        keeps: dict[str, Any] = {"actor": scene.consumer_head, "at": at, "system": scene.system}
        over, of_other, own = (
            sharing.offer_credential(environment="test", note="新", holder=holder, **keeps)
            for holder in (scene.consumer, colleague, scene.consumer)
        )
        for row, holder in ((of_other, colleague), (own, scene.consumer)):
            sharing.collect_credential(credential=row, actor=holder, at=at)
        Credential.objects.filter(pk=own.pk).update(expires_at=at + timedelta(days=200))
        sharing.revoke_credential(credential=over, actor=scene.consumer_head, at=at, reason="停用")
        client = signed_in(scene.consumer)
        page = client.get("/work/credentials/", {"all": "yes"})
        assert [row.pk for row in page.context["page"]] == [own.pk, of_other.pk, over.pk]
        assert "清除全部筛选" in page.content.decode()
        nothing = client.get("/work/credentials/", {"q": "没有这个系统"}).content.decode()
        assert "没有符合条件的凭证" in nothing
        assert "清除全部筛选" not in client.get("/work/credentials/").content.decode()


class TestOffering:
    def test_it_has_no_secret_until_its_holder_collects_it(
        self, scene: Scene, at: datetime
    ) -> None:
        row = offered(scene, at)
        assert (row.status, row.application_id, row.client_id) == ("offered", None, "")
        made = sharing.collect_credential(credential=row, actor=scene.consumer, at=at)
        row.refresh_from_db()
        assert (row.status, row.client_id) == ("active", made.client_id)
        assert timezone.localdate(row.expires_at) == timezone.localdate(at) + timedelta(days=181)
        assert row.application is not None
        assert made.client_secret not in str(list(Event.objects.values_list("details", flat=True)))

    def test_a_stand_in_of_the_holder_does_not_collect_it(self, scene: Scene, at: datetime) -> None:
        row = offered(scene, at)
        stand_in = DelegationFactory(principal=scene.consumer).deputy
        assert access.allowed(stand_in, "view", row, at=at)
        for person in (stand_in, scene.consumer_head):
            with pytest.raises(NotAllowed):
                sharing.collect_credential(credential=row, actor=person, at=at)
        row.refresh_from_db()
        assert row.status == "offered"

    def test_it_is_not_collected_twice_nor_too_late(self, scene: Scene, at: datetime) -> None:
        row, late = offered(scene, at), offered(scene, at)
        sharing.collect_credential(credential=row, actor=scene.consumer, at=at)
        with pytest.raises(IllegalMove):
            sharing.collect_credential(credential=row, actor=scene.consumer, at=at)
        with pytest.raises(Conflict, match="领取期限"):
            sharing.collect_credential(
                credential=late, actor=scene.consumer, at=at + timedelta(days=9)
            )
        late.refresh_from_db()
        assert late.status == "offered"

    def test_production_comes_after_a_trial_or_with_a_reason(
        self, scene: Scene, at: datetime
    ) -> None:
        with pytest.raises(Conflict) as refusal:
            offered(scene, at, environment="production")
        assert refusal.value.code == "not_tried"
        assert nothing_happened()
        assert offered(scene, at, environment="production", untested_reason=UNTESTED).pk

    @pytest.mark.parametrize(("more", "field"), [({"days": 181}, "days"), ({"days": 0}, "days")])
    def test_it_is_good_for_a_limited_time(
        self, scene: Scene, at: datetime, more: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidInput) as refusal:
            offered(scene, at, **more)
        assert refusal.value.details["field"] == field
        assert nothing_happened()

    def test_who_keeps_it_belongs_to_the_department(self, scene: Scene, at: datetime) -> None:
        usual = {"holder": scene.consumer, "security_contact": scene.consumer_head}
        for words in ({"holder": scene.provider}, {"security_contact": scene.provider}):
            people: dict[str, Any] = {**usual, **words}
            with pytest.raises(InvalidInput):
                sharing.offer_credential(
                    system=scene.system,
                    actor=scene.consumer_head,
                    at=at,
                    environment="test",
                    **people,
                )
        assert nothing_happened()

    @pytest.mark.parametrize("how", OUT_OF_SERVICE)
    def test_a_system_out_of_service_gets_none(
        self, scene: Scene, at: datetime, how: OutOfService
    ) -> None:
        how(scene.system)
        with pytest.raises(Conflict):
            offered(scene, at)
        assert nothing_happened()

    def test_an_active_one_without_application_cannot_be(self, scene: Scene, at: datetime) -> None:
        row = offered(scene, at)
        with pytest.raises(IntegrityError, match="active_has_application"), transaction.atomic():
            Credential.objects.filter(pk=row.pk).update(status="active", collected_at=at)


class TestReplacing:
    def test_both_draw_tokens_until_the_day_on_which_the_older_ends(
        self, scene: Scene, at: datetime
    ) -> None:
        now = timezone.now()
        old = credential_of(scene.system, scene.consumer_head, now)
        row = Credential.objects.get()
        last = timezone.localdate(now) + timedelta(days=3)
        newer = sharing.replace_credential(
            credential=row, ends_on=last, actor=scene.consumer_head, at=now
        )
        row.refresh_from_db()
        assert timezone.localdate(row.expires_at) > last + timedelta(days=99)
        made = sharing.collect_credential(credential=newer, actor=scene.consumer_head, at=now)
        assert draw_token(old) != draw_token(made)
        row.refresh_from_db()
        assert timezone.localdate(row.expires_at) == last + timedelta(days=1)
        assert sharing.keep_credentials(at=now + timedelta(days=4)) == 1
        answer = Client().post(
            "/oauth/token", {"grant_type": "client_credentials", **old._asdict()}
        )
        assert answer.status_code == 401
        assert draw_token(made)

    def test_one_that_nobody_collected_ends_nothing(self, scene: Scene, at: datetime) -> None:
        now = timezone.now()
        old = credential_of(scene.system, scene.consumer_head, now)
        row = Credential.objects.get()
        newer = sharing.replace_credential(
            credential=row, ends_on=timezone.localdate(now), actor=scene.consumer_head, at=now
        )
        assert sharing.keep_credentials(at=now + timedelta(days=9)) == 1
        newer.refresh_from_db()
        assert newer.status == "expired"
        assert Credential.objects.get(pk=row.pk).expires_at == row.expires_at
        assert draw_token(old)

    def test_collected_late_it_leaves_the_older_the_day(self, scene: Scene, at: datetime) -> None:
        now = timezone.now()
        credential_of(scene.system, scene.consumer_head, now)
        row = Credential.objects.get()
        newer = sharing.replace_credential(
            credential=row, ends_on=timezone.localdate(now), actor=scene.consumer_head, at=now
        )
        later = now + timedelta(days=3)
        sharing.collect_credential(credential=newer, actor=scene.consumer_head, at=later)
        row.refresh_from_db()
        assert timezone.localdate(row.expires_at) == timezone.localdate(later) + timedelta(days=1)

    def test_it_is_good_for_as_many_days_as_the_head_gave(self, scene: Scene, at: datetime) -> None:
        sharing.issue_credential(
            system=scene.system,
            actor=scene.consumer_head,
            at=at,
            days=20,
            untested_reason="以前接口已联调",
        )
        newer = sharing.replace_credential(
            credential=Credential.objects.get(),
            ends_on=timezone.localdate(at),
            actor=scene.consumer_head,
            at=at,
        )
        assert newer.days == 20

    @pytest.mark.parametrize("days", [-1, 31])
    def test_they_do_not_overlap_for_longer_than_allowed(
        self, scene: Scene, at: datetime, days: int
    ) -> None:
        credential_of(scene.system, scene.consumer_head, at)
        row = Credential.objects.get()
        with pytest.raises(InvalidInput):
            sharing.replace_credential(
                credential=row,
                ends_on=timezone.localdate(at) + timedelta(days=days),
                actor=scene.consumer_head,
                at=at,
            )
        assert Credential.objects.get().expires_at == row.expires_at

    def test_it_is_replaced_by_one_only(self, scene: Scene, at: datetime) -> None:
        credential_of(scene.system, scene.consumer_head, at)
        row, day = Credential.objects.get(), timezone.localdate(at)
        sharing.replace_credential(credential=row, ends_on=day, actor=scene.consumer_head, at=at)
        with pytest.raises(Conflict) as refusal:
            sharing.replace_credential(
                credential=row, ends_on=day, actor=scene.consumer_head, at=at
            )
        assert refusal.value.code == "already_replaced"
        assert Credential.objects.count() == 2


class TestVoiding:
    def test_all_of_a_holder_go_at_once_and_everybody_is_told(
        self, scene: Scene, at: datetime
    ) -> None:
        security_admin = of_the_authority(scene, "security_admin")
        second = InformationSystemFactory(department=scene.consumer_department)
        for system in (scene.system, second):
            credential_of(system, scene.consumer_head, at)
        chosen = Credential.objects.filter(holder=scene.consumer_head)
        assert len(queries.hit_by(chosen).systems) == 2
        done = sharing.void_credentials(
            credentials=chosen, actor=security_admin, at=at, reason="笔记本遗失"
        )
        assert {row.status for row in done} == {"voided"}
        assert Notice.objects.filter(recipient=scene.consumer_head).count() == 2
        assert Notice.objects.filter(recipient=security_admin).count() == 2
        assert Event.objects.filter(verb="sharing.void_credential", outcome="done").count() == 2

    def test_others_void_nothing(self, scene: Scene, at: datetime, outsider: Any) -> None:
        credential_of(scene.system, scene.consumer_head, at)
        for person in (scene.consumer, scene.provider_head, outsider):
            with pytest.raises(Conflict):
                sharing.void_credentials(
                    credentials=Credential.objects.all(), actor=person, at=at, reason="x"
                )
        assert Credential.objects.get().status == "active"

    def test_the_next_call_is_refused(
        self,
        client: Client,
        address: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
    ) -> None:
        assert client.get(address).status_code == 200
        hit = queries.hit_by(Credential.objects.all())
        assert [grant.pk for grant in hit.grants] == [landed_grant.pk]
        sharing.void_credentials(
            credentials=Credential.objects.all(),
            actor=landed_scene.consumer_head,
            at=now,
            reason="密钥泄露",
        )
        assert problem(client.get(address), 401)["code"] == "not_authenticated"


class TestWatching:
    def test_it_warns_once_at_each_of_three_days(self, scene: Scene, at: datetime) -> None:
        offer = offered(scene, at, security_contact=scene.consumer_head)
        sharing.collect_credential(credential=offer, actor=scene.consumer, at=at)
        last = timezone.localdate(at) + timedelta(days=180)
        told = []
        for left in (31, 30, 29, 8, 7, 6, 2, 1, 0):
            moment = at + timedelta(days=180 - left)
            with connection.cursor() as cursor:  # it is in use all the time
                cursor.execute("UPDATE oauth2_provider_application SET updated = %s", [moment])
            before = Notice.objects.count()
            sharing.keep_credentials(at=moment)
            sharing.keep_credentials(at=moment)
            told.append((left, Notice.objects.count() - before))
        assert told == [(31, 0), (30, 2), (29, 0), (8, 0), (7, 2), (6, 0), (2, 0), (1, 2), (0, 0)]
        titles = list(Notice.objects.order_by("pk").values_list("title", flat=True))
        assert f"还有 30 天到期（{last}）" in titles[0]
        assert set(Notice.objects.values_list("recipient", flat=True)) == {
            scene.consumer.pk,
            scene.consumer_head.pk,
        }

    def test_a_warning_that_was_missed_is_not_made_up_for(self, scene: Scene, at: datetime) -> None:
        credential_of(scene.system, scene.consumer_head, at)
        Credential.objects.update(expires_at=at + timedelta(days=5))
        assert sharing.keep_credentials(at=at) == 1
        assert Credential.objects.get().warned_days == 7
        assert Notice.objects.count() == 1

    def test_it_ends_what_is_over_and_what_nobody_uses(self, scene: Scene, at: datetime) -> None:
        credential_of(scene.system, scene.consumer_head, at)
        offered(scene, at)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE oauth2_provider_application SET updated = %s", [at - timedelta(days=180)]
            )
        sharing.keep_credentials(at=at + timedelta(days=9))
        sharing.keep_credentials(at=at + timedelta(days=9))
        assert sorted(Credential.objects.values_list("status", flat=True)) == ["expired", "unused"]
        assert not Credential.objects.exclude(application=None).exists()
        assert not Todo.objects.filter(done_at=None).exists()

    def test_an_expired_one_is_refused_before_anybody_ends_it(
        self, client: Client, address: str, landed_grant: Grant, now: datetime
    ) -> None:
        assert client.get(address).status_code == 200
        Credential.objects.update(expires_at=now)
        assert problem(client.get(address), 401)["code"] == "not_authenticated"
        assert client.get("/api/v1/grants").status_code == 401


WHO: dict[str, set[str]] = {
    "view": {
        *("consumer", "consumer_head", "authority", "authority_leader"),
        *("system_admin", "security_admin", "auditor", "outside_holder"),
    },
    "collect": {"outside_holder"},
    "replace_credential": {"consumer_head", "outside_holder"},
    "revoke": {"consumer_head", "security_admin"},
    "void": {"consumer_head", "security_admin", "authority", "authority_leader", "outside_holder"},
    "expire": set(),
    "disable_unused": set(),
    "change": set(),
    "delete": set(),
}


@pytest.mark.parametrize("action", WHO)
def test_who_may_do_what(
    action: str, scene: Scene, outsider: Any, citizen: Any, unassigned: Any, at: datetime
) -> None:
    people = {
        "consumer": scene.consumer,
        "consumer_head": scene.consumer_head,
        "provider": scene.provider,
        "provider_head": scene.provider_head,
        "authority": scene.authority,
        "authority_leader": of_the_authority(scene, "authority_leader"),
        "system_admin": of_the_authority(scene, "system_admin"),
        "security_admin": of_the_authority(scene, "security_admin"),
        "auditor": of_the_authority(scene, "audit_admin"),
        "outsider": outsider,
        "citizen": citizen,
        "unassigned": unassigned,
        "inactive": UserFactory(
            department=scene.consumer_department, roles=["department_approver"], is_active=False
        ),
        "outside_holder": UserFactory(department=None),
    }
    held = credential_of(scene.system, scene.consumer_head, at)
    row = Credential.objects.get(client_id=held.client_id)
    if action == "collect":
        row = offered(scene, at)
    Credential.objects.filter(pk=row.pk).update(holder=people["outside_holder"])
    assert set(CAST) < set(people)
    may = {who for who, user in people.items() if access.allowed(user, action, row, at=at)}
    listed = {
        who for who, user in people.items() if row in access.rows(user, action, Credential, at=at)
    }
    assert may == listed == WHO[action]


@pytest.mark.parametrize(
    ("status", "move"),
    [(status, move.name) for status in CREDENTIAL.states.values for move in CREDENTIAL.moves],
)
def test_every_pair_of_status_and_move(scene: Scene, at: datetime, status: str, move: str) -> None:
    row = offered(scene, at)
    over = {"ended_at": at, "ended_by": scene.consumer_head, "end_reason": "x"}
    if status != "offered":
        sharing.collect_credential(credential=row, actor=scene.consumer, at=at)
    if status not in Credential.LIVE:
        Credential.objects.filter(pk=row.pk).update(status=status, application=None, **over)
    row.refresh_from_db()
    fields: dict[str, Any] = {"application": None, **over}
    if move == "collect":
        fields = {}
    if (status, move) == ("offered", "collect"):
        sharing.collect_credential(credential=row, actor=scene.consumer, at=at)
        row.refresh_from_db()
        assert row.status == "active"
    elif status in CREDENTIAL.move(move).sources:
        CREDENTIAL.apply(row, move, actor=scene.consumer, at=at, reason="x", **fields)
        assert row.status == CREDENTIAL.move(move).target
    else:
        with pytest.raises(IllegalMove):
            CREDENTIAL.apply(row, move, actor=scene.consumer, at=at, reason="x", **fields)
        row.refresh_from_db()
        assert row.status == status


def test_a_token_reads_with_the_credential_that_drew_it(
    landed_scene: Scene, landed_grant: Grant, address: str, now: datetime
) -> None:
    first = credential_of(landed_scene.system, landed_scene.consumer_head, now)
    second = credential_of(landed_scene.system, landed_scene.consumer_head, now)
    kept, gone = caller(draw_token(first)), caller(draw_token(second))
    row = Credential.objects.get(client_id=second.client_id)
    sharing.revoke_credential(
        credential=row, actor=landed_scene.consumer_head, at=now, reason="不用了"
    )
    assert kept.get(address).status_code == 200
    assert gone.get(address).status_code == 401
