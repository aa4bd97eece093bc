"""Files of a grant: who may have them, at a screen and by the API, and how their status moves."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from apps.core import access
from apps.core.errors import IllegalMove, NotAllowed
from apps.ledger.models import Event, Notice
from apps.sharing import operations as sharing
from apps.sharing.gateway import from_within
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.lifecycle import EXPORT
from apps.sharing.models import Export, Grant
from tests import stories
from tests.conftest import CAST
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.copies import CONDITION, ITEMS, make_copied_scene
from tests.factories.exports import (
    after_a_chunk,
    body_of,
    fetched,
    files_in_house,
    made,
)
from tests.factories.gateway import (
    access_records,
    caller,
    credential_of,
    draw_token,
    problem,
)
from tests.factories.sharing import Scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """Forty rows with every type and what is hard to write."""
    return make_copied_scene()


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    chosen = {"items": ITEMS, "row_condition": CONDITION}
    return stories.delivered(landed_scene, now, mode="file", **chosen).grant


class TestWhoMay:
    def test_another_system_does_not_learn_of_it(
        self, client: Client, address: str, now: datetime, landed_scene: Scene
    ) -> None:
        export = made(client, address, now)
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        for answer in (
            other.get(f"{address}/exports"),
            other.get(f"{address}/exports/{export.pk}"),
            fetched(other, address, export),
            other.post(f"{address}/exports"),
            other.delete(f"{address}/exports/{export.pk}"),
        ):
            assert problem(answer, 403)["code"] == "no_grant"
        assert problem(client.get(f"{address}/exports/{export.pk + 1}"), 404)["code"] == "not_found"
        assert problem(Client().get(f"{address}/exports"), 401)["code"] == "not_authenticated"
        assert [each["id"] for each in client.get(f"{address}/exports").json()["results"]] == [
            export.pk
        ]

    def test_another_system_of_the_same_dataset_has_its_own_and_no_other(
        self, client: Client, address: str, now: datetime, landed_scene: Scene
    ) -> None:
        export = made(client, address, now)
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        scene = replace(landed_scene, system=system)
        stories.delivered(scene, now, mode="file", items=ITEMS, row_condition=CONDITION)
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        own = made(other, address, now)
        assert [each["id"] for each in other.get(f"{address}/exports").json()["results"]] == [
            own.pk
        ]
        for answer in (
            other.get(f"{address}/exports/{export.pk}"),
            fetched(other, address, export),
            other.delete(f"{address}/exports/{export.pk}"),
        ):
            assert problem(answer, 404)["code"] == "not_found"
        kept = body_of(fetched(client, address, export))
        assert hashlib.sha256(kept).hexdigest() == export.sha256

    def test_from_another_address_it_is_neither_asked_for_nor_fetched(
        self, client: Client, address: str, now: datetime, landed_grant: Grant
    ) -> None:
        export = made(client, address, now)
        Grant.objects.filter(pk=landed_grant.pk).update(allowed_addresses=["10.9.0.0/16"])
        for answer in (client.post(f"{address}/exports"), fetched(client, address, export)):
            assert problem(answer, 403)["code"] == "address_not_allowed"

    def test_one_for_verification_gives_no_file(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(mode="verify")
        assert problem(client.post(f"{address}/exports"), 403)["code"] == "verify_only"

    @pytest.mark.parametrize("mode", ["file", "interface", "verify"])
    def test_each_of_the_cast_may_what_the_matrix_says(
        self,
        cast: dict[str, Any],
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        mode: str,
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(
            mode=mode,
            consumer=cast["consumer"].department,
            provider=cast["provider"].department,
        )
        landed_grant.refresh_from_db()
        export = Export.objects.create(
            grant=landed_grant,
            grant_version=1,
            asked_by=cast["consumer"],
            format="csv",
            query={"fields": [], "where": []},
            created_at=now,
            updated_at=now,
        )
        takers = {"consumer", "consumer_head"} if mode == "file" else set()
        viewers = {
            "consumer", "consumer_head", "provider", "provider_head", "authority",
            "authority_leader", "auditor",
        }  # fmt: skip
        allowed = {
            action: {n for n in CAST if access.allowed(cast[n], action, export, at=now)}
            for action in access.actions_of(Export)
        }
        by_nobody = ("begin", "finish", "fail", "stop", "expire", "change", "delete")
        nobody: dict[str, set[str]] = {action: set() for action in by_nobody}
        assert allowed == {"view": viewers, "download": takers, "discard": takers, **nobody}
        may_ask = {n for n in CAST if access.allowed(cast[n], "export", landed_grant, at=now)}
        assert may_ask == takers
        assert not any(access.able(person, "create", Export) for person in cast.values())
        system = landed_grant.system.service_user
        assert access.allowed(system, "export", landed_grant, at=now) == (mode != "verify")

    def test_a_person_who_may_not_changes_nothing(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        call = from_within.call_of(landed_grant, at=now, user=landed_scene.provider_head)
        wanted = read_wanted({}, shape_of(call))
        with pytest.raises(NotAllowed):
            sharing.request_export(
                call=call, wanted=wanted, actor=landed_scene.provider_head, at=now
            )
        assert Export.objects.count() == 0
        refused = Event.objects.get(verb="sharing.request_export")
        assert refused.outcome == "refused"

    def test_who_lost_the_right_gets_no_file(
        self,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        person = UserFactory(
            department=landed_scene.consumer_department, roles=["department_editor"]
        )
        call = from_within.call_of(landed_grant, at=now, user=person)
        export = sharing.request_export(
            call=call, wanted=read_wanted({}, shape_of(call)), actor=person, at=now
        )
        after_a_chunk(
            monkeypatch,
            lambda: type(person).objects.filter(pk=person.pk).update(is_active=False),
            rows=2,
        )
        sharing.make_exports(at=now)
        export.refresh_from_db()
        assert (export.status, export.message_code) == ("stopped", "person_not_allowed")


class TestScreen:
    def test_the_consumer_asks_sees_it_made_and_fetches_it(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.consumer)
        assert "文件下载" in person.get(page).content.decode()
        assert person.post(f"{page}exports/", {"format": "csv"}).status_code == 302
        export = Export.objects.get()
        assert (export.asked_by, export.credential) == (landed_scene.consumer, "")
        assert "排队第 1" in person.get(page).content.decode()
        assert person.get(f"{page}exports/state/").status_code == 200

        sharing.make_exports(at=now)
        assert person.get(f"{page}exports/state/").status_code == 204
        shown_page = person.get(page).content.decode()
        export.refresh_from_db()
        assert export.sha256 in shown_page
        answer = person.get(f"{page}exports/{export.pk}/file/")
        assert hashlib.sha256(body_of(answer)).hexdigest() == export.sha256
        assert access_records()[-1]["user_id"] == landed_scene.consumer.pk
        manifest = person.get(f"{page}exports/{export.pk}/manifest/").json()
        assert manifest["rows"] == export.rows
        assert Notice.objects.filter(recipient=landed_scene.consumer, title__contains="可下载")
        assert person.post(f"{page}exports/{export.pk}/discard/").status_code == 302
        assert files_in_house() == []

    def test_the_provider_sees_that_it_was_made_and_gets_nothing(
        self, client: Client, address: str, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        export = made(client, address, now)
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.provider_head)
        shown_page = person.get(page).content.decode()
        assert str(export) in shown_page
        assert f"{export.pk}/file/" not in shown_page
        assert "导出全部记录" not in shown_page
        assert person.get(f"{page}exports/{export.pk}/file/").status_code == 403
        assert person.post(f"{page}exports/", {"format": "csv"}).status_code == 403
        assert person.post(f"{page}exports/{export.pk}/discard/").status_code == 403
        assert Export.objects.get().status == "ready"

    def test_nobody_else_sees_it(
        self, citizen: Any, landed_grant: Grant, client: Client, address: str, now: datetime
    ) -> None:
        export = made(client, address, now)
        for person in (signed_in(citizen), signed_in(UserFactory())):
            for ending in ("state/", f"{export.pk}/file/", f"{export.pk}/manifest/"):
                answer = person.get(f"/work/grants/{landed_grant.pk}/exports/{ending}")
                assert answer.status_code in (302, 403, 404), ending
        assert len(access_records()) == 1

    def test_at_another_address_a_person_is_told_why_not(
        self, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(allowed_addresses=["10.9.0.0/16"])
        page = f"/work/grants/{landed_grant.pk}/"
        person = signed_in(landed_scene.consumer)
        answer = person.post(f"{page}exports/", {"format": "csv"}, follow=True)
        assert "不在授权允许的范围内" in answer.content.decode()
        assert Export.objects.count() == 0
        refused = Event.objects.filter(outcome="refused", actor=landed_scene.consumer)
        assert refused.get().details["code"] == "address_not_allowed"

    def test_the_administration_shows_it_and_changes_nothing(
        self, auditor: Any, client: Client, address: str, landed_grant: Grant, now: datetime
    ) -> None:
        export = made(client, address, now)
        person = signed_in(auditor)
        listed = person.get(reverse("admin:sharing_export_changelist"))
        page = person.get(reverse("admin:sharing_export_change", args=[export.pk]))
        assert str(export) in listed.content.decode()
        assert export.sha256 in page.content.decode()
        change = reverse("admin:sharing_export_change", args=[export.pk])
        assert person.post(change, {"status": "failed"}).status_code == 403
        assert Export.objects.get().status == "ready"


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


EXTRA: dict[str, dict[str, Any]] = {
    "begin": {"slot": 0},
    "finish": {"slot": None, "sha256": "0" * 64, "horizon": 1},
    "fail": {"slot": None, "message_code": "x", "message": "x"},
    "stop": {"slot": None, "message_code": "x", "message": "x"},
    "discard": {"slot": None, "message_code": "x", "message": "x"},
    "expire": {},
}


@pytest.mark.parametrize("status", Export.Status.values)
@pytest.mark.parametrize("move", [move.name for move in EXPORT.moves])
def test_an_export_moves_by_its_table_only(
    scene: Scene, at: datetime, status: str, move: str
) -> None:
    grant = stories.grant_in("in_force", scene, at)
    is_whole = status in ("ready", "expired")
    export = Export.objects.create(
        grant=grant,
        grant_version=1,
        asked_by=scene.consumer,
        format="csv",
        status=status,
        slot=0 if status == "running" else None,
        heartbeat_at=at,
        finished_at=at,
        expires_at=at,
        horizon=1,
        sha256="0" * 64 if is_whole else "",
        message_code="x" if status in ("failed", "stopped") else "",
        message="x" if status in ("failed", "stopped") else "",
        created_at=at,
        updated_at=at,
    )
    fields = EXTRA[move]
    if status in EXPORT.move(move).sources:
        EXPORT.apply(export, move, actor=None, at=at, **fields)
        assert export.status == EXPORT.move(move).target
    else:
        with pytest.raises(IllegalMove):
            EXPORT.apply(export, move, actor=None, at=at, **fields)
        assert Export.objects.get(pk=export.pk).status == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "running"},
        {"slot": 1},
        {"status": "ready"},
        {"status": "stopped"},
        {"status": "failed", "message_code": "x"},
    ],
)
def test_the_database_holds_what_must_be_true(
    scene: Scene, at: datetime, wrong: dict[str, Any]
) -> None:
    grant = stories.grant_in("in_force", scene, at)
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.create(
            grant=grant,
            grant_version=1,
            asked_by=scene.consumer,
            format="csv",
            created_at=at,
            updated_at=at,
            **wrong,
        )
