"""A file that arrives in parts: nothing is lost on the way, nothing lands before it is whole."""

import base64
import hashlib
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, IllegalMove, InvalidInput, NotAllowed
from apps.ledger.models import Event
from apps.warehouse import operations as warehouse
from apps.warehouse.lifecycle import UPLOAD
from apps.warehouse.models import Batch, Upload
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.warehouse import AT, IDENTITIES, received

pytestmark = pytest.mark.django_db

CONTENT = (
    "身份证号,姓名,出生日期,手机号,金额,等级\n"
    f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
    f"{IDENTITIES[1]},李四,1990-01-02,13800000001,2.50,乙\n"
).encode()


def begun(dataset: Dataset, actor: Any, content: bytes = CONTENT, **facts: Any) -> Upload:
    return warehouse.begin_upload(
        dataset=dataset,
        actor=actor,
        at=AT,
        **{"file_name": "数据.csv", "size_bytes": len(content), "mode": "upsert", **facts},
    )


def sent(upload: Upload, actor: Any, content: bytes = CONTENT, size: int = 50) -> Upload:
    for offset in range(upload.received_bytes, len(content), size):
        upload = warehouse.receive_part(
            upload=upload, offset=offset, block=content[offset : offset + size], actor=actor, at=AT
        )
    return upload


def part_on_disk(home: Path, upload: Upload) -> bytes:
    return (home / "uploads" / f"{upload.pk}.part").read_bytes()


class TestParts:
    def test_the_whole_lands_as_if_handed_in_at_once(
        self, dataset: Dataset, provider: Any, home: Path
    ) -> None:
        upload = sent(begun(dataset, provider, declared=2), provider)
        assert not Batch.objects.exists()
        batch = warehouse.finish_upload(upload=upload, actor=provider, at=AT)
        assert batch.file.sha256 == hashlib.sha256(CONTENT).hexdigest()
        assert warehouse.land(batch_id=batch.pk, at=AT).landed == 2
        upload.refresh_from_db()
        assert (upload.status, upload.batch_id) == ("finished", batch.pk)
        assert not list((home / "uploads").iterdir())
        assert warehouse.finish_upload(upload=upload, actor=provider, at=AT) == batch

    def test_what_a_dead_writer_left_behind_the_certain_bytes_is_cut_off(
        self, dataset: Dataset, provider: Any, home: Path
    ) -> None:
        upload = begun(dataset, provider)
        upload = warehouse.receive_part(
            upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT
        )
        with (home / "uploads" / f"{upload.pk}.part").open("ab") as file:
            file.write(b"written, never committed")
        upload = sent(upload, provider)
        assert part_on_disk(home, upload) == CONTENT

    def test_a_part_sent_again_changes_nothing(
        self, dataset: Dataset, provider: Any, home: Path
    ) -> None:
        upload = begun(dataset, provider)
        for _again in range(2):
            upload = warehouse.receive_part(
                upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT
            )
        assert upload.received_bytes == 40
        assert part_on_disk(home, upload) == CONTENT[:40]

    @pytest.mark.parametrize(
        ("offset", "block", "error", "code"),
        [
            (41, b"x", Conflict, "offset_mismatch"),
            (39, b"xyz", Conflict, "offset_mismatch"),
            (40, b"x" * 1000, InvalidInput, "part_beyond_size"),
            (40, b"x" * (16 << 20) + b"x", InvalidInput, "part_too_large"),
        ],
    )
    def test_a_part_out_of_place_changes_nothing(
        self,
        dataset: Dataset,
        provider: Any,
        home: Path,
        offset: int,
        block: bytes,
        error: Any,
        code: str,
    ) -> None:
        upload = begun(dataset, provider)
        upload = warehouse.receive_part(
            upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT
        )
        with pytest.raises(error) as caught:
            warehouse.receive_part(upload=upload, offset=offset, block=block, actor=provider, at=AT)
        assert caught.value.code == code
        upload.refresh_from_db()
        assert upload.received_bytes == 40
        assert part_on_disk(home, upload) == CONTENT[:40]

    def test_it_is_not_finished_before_it_is_whole(self, dataset: Dataset, provider: Any) -> None:
        upload = begun(dataset, provider)
        upload = warehouse.receive_part(
            upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT
        )
        with pytest.raises(Conflict) as caught:
            warehouse.finish_upload(upload=upload, actor=provider, at=AT)
        assert caught.value.code == "upload_unfinished"
        assert not Batch.objects.exists()
        upload.refresh_from_db()
        assert (upload.status, upload.received_bytes) == ("open", 40)

    def test_a_whole_of_another_digest_lands_nothing_and_begins_anew(
        self, dataset: Dataset, provider: Any
    ) -> None:
        upload = sent(begun(dataset, provider, sha256="0" * 64), provider)
        with pytest.raises(InvalidInput) as caught:
            warehouse.finish_upload(upload=upload, actor=provider, at=AT)
        assert caught.value.code == "digest_mismatch"
        upload.refresh_from_db()
        assert (upload.status, upload.received_bytes) == ("open", 0)
        assert not Batch.objects.exists()

    def test_a_lost_part_file_is_said_and_begun_anew(
        self, dataset: Dataset, provider: Any, home: Path
    ) -> None:
        upload = sent(begun(dataset, provider), provider)
        (home / "uploads" / f"{upload.pk}.part").unlink()
        with pytest.raises(Conflict) as caught:
            warehouse.finish_upload(upload=upload, actor=provider, at=AT)
        assert caught.value.code == "upload_unfinished"
        upload = sent(Upload.objects.get(pk=upload.pk), provider)
        assert warehouse.finish_upload(upload=upload, actor=provider, at=AT).pk

    def test_finishing_after_a_crash_between_batch_and_upload_makes_no_second_batch(
        self, dataset: Dataset, provider: Any
    ) -> None:
        upload = sent(begun(dataset, provider), provider)
        first = received(dataset, CONTENT, actor=provider, idempotency_key=f"upload-{upload.pk}")
        assert warehouse.finish_upload(upload=upload, actor=provider, at=AT) == first
        assert Batch.objects.count() == 1


class TestBegin:
    def test_the_same_file_goes_on_where_it_stopped(self, dataset: Dataset, provider: Any) -> None:
        upload = begun(dataset, provider, fingerprint="a")
        warehouse.receive_part(upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT)
        again = begun(dataset, provider, fingerprint="a")
        assert (again.pk, again.received_bytes) == (upload.pk, 40)

    def test_after_the_end_the_same_file_begins_anew(self, dataset: Dataset, provider: Any) -> None:
        upload = sent(begun(dataset, provider, fingerprint="a"), provider)
        warehouse.finish_upload(upload=upload, actor=provider, at=AT)
        assert begun(dataset, provider, fingerprint="a").pk != upload.pk

    def test_another_purpose_of_an_open_one_is_a_conflict(
        self, dataset: Dataset, provider: Any
    ) -> None:
        begun(dataset, provider, fingerprint="a")
        with pytest.raises(Conflict) as caught:
            begun(dataset, provider, fingerprint="a", mode="snapshot")
        assert caught.value.code == "upload_conflict"
        assert Upload.objects.count() == 1

    @pytest.mark.parametrize(
        ("facts", "code"),
        [
            ({"mode": "replace"}, "mode_unknown"),
            ({"size_bytes": -1}, "file_too_large"),
            ({"size_bytes": (8 << 30) + 1}, "file_too_large"),
            ({"sha256": "ABC"}, "digest_invalid"),
        ],
    )
    def test_what_cannot_be_is_refused_at_once(
        self, dataset: Dataset, provider: Any, facts: Any, code: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            begun(dataset, provider, **facts)
        assert caught.value.code == code
        assert not Upload.objects.exists()

    def test_fifty_unfinished_ones_are_enough(self, dataset: Dataset, provider: Any) -> None:
        for _each in range(50):
            begun(dataset, provider)
        with pytest.raises(Conflict) as caught:
            begun(dataset, provider)
        assert caught.value.code == "too_many_uploads"

    def test_nobody_else_begins_or_goes_on(
        self, dataset: Dataset, provider: Any, cast: dict[str, Any]
    ) -> None:
        upload = begun(dataset, provider)
        for name, person in cast.items():
            if name == "provider":
                continue
            with pytest.raises(NotAllowed):
                begun(dataset, person)
            with pytest.raises(NotAllowed):
                warehouse.receive_part(upload=upload, offset=0, block=b"x", actor=person, at=AT)
            with pytest.raises(NotAllowed):
                warehouse.finish_upload(upload=upload, actor=person, at=AT)
            with pytest.raises(NotAllowed):
                warehouse.discard_upload(upload=upload, actor=person, at=AT)
        upload.refresh_from_db()
        assert (upload.status, upload.received_bytes) == ("open", 0)
        assert Upload.objects.count() == 1


class TestGivingUp:
    def test_one_given_up_frees_its_room(
        self, dataset: Dataset, provider: Any, home: Path, django_capture_on_commit_callbacks: Any
    ) -> None:
        upload = begun(dataset, provider)
        warehouse.receive_part(upload=upload, offset=0, block=CONTENT[:40], actor=provider, at=AT)
        with django_capture_on_commit_callbacks(execute=True):
            warehouse.discard_upload(upload=upload, actor=provider, at=AT)
        assert not list((home / "uploads").iterdir())
        with pytest.raises(IllegalMove):
            warehouse.receive_part(upload=upload, offset=0, block=b"x", actor=provider, at=AT)
        with pytest.raises(IllegalMove):
            warehouse.finish_upload(upload=upload, actor=provider, at=AT)

    def test_only_the_abandoned_are_given_up_by_policy(
        self, dataset: Dataset, provider: Any, home: Path
    ) -> None:
        old, fresh = begun(dataset, provider), begun(dataset, provider)
        for upload in (old, fresh):
            warehouse.receive_part(
                upload=upload, offset=0, block=CONTENT[:9], actor=provider, at=AT
            )
        Upload.objects.filter(pk=fresh.pk).update(last_part_at=AT + timedelta(days=10))
        at = AT + timedelta(days=14, seconds=1)
        assert warehouse.discard_abandoned_uploads(at=at) == 1
        assert warehouse.discard_abandoned_uploads(at=at) == 0
        old.refresh_from_db()
        fresh.refresh_from_db()
        assert (old.status, fresh.status) == ("discarded", "open")
        assert [path.name for path in (home / "uploads").iterdir()] == [f"{fresh.pk}.part"]
        assert Event.objects.filter(verb="warehouse.discard_upload").count() == 1


LEGAL = {("open", "finish"): "finished", ("open", "discard"): "discarded"}


@pytest.mark.parametrize("status", Upload.Status.values)
@pytest.mark.parametrize("move", [move.name for move in UPLOAD.moves])
def test_every_pair_of_status_and_move(
    dataset: Dataset, provider: Any, status: str, move: str
) -> None:
    upload = begun(dataset, provider, b"")
    batch = received(dataset, "a", actor=provider)
    ended: dict[str, Any] = {"ended_at": AT}
    if status != "open":
        batch_of = {"batch": batch} if status == "finished" else {}
        Upload.objects.filter(pk=upload.pk).update(status=status, **ended, **batch_of)
    fields = ended | ({"batch": batch} if move == "finish" else {})
    if (status, move) in LEGAL:
        UPLOAD.apply(upload, move, actor=None, at=AT, **fields)
        assert upload.status == LEGAL[status, move]
        return
    before = Upload.objects.filter(pk=upload.pk).values().get()
    with pytest.raises(IllegalMove):
        UPLOAD.apply(upload, move, actor=None, at=AT, **fields)
    assert Upload.objects.filter(pk=upload.pk).values().get() == before


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"received_bytes": 1_000_000}, "warehouse_upload_within_size"),
        ({"status": "finished", "ended_at": AT}, "warehouse_upload_finished_has_batch"),
        ({"status": "discarded"}, "warehouse_upload_ended_at_end"),
        ({"sha256": "x"}, "warehouse_upload_sha256_form"),
    ],
)
def test_the_database_keeps_the_facts_together(
    dataset: Dataset, provider: Any, facts: dict[str, Any], rule: str
) -> None:
    upload = begun(dataset, provider)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(**facts)


def test_exactly_these_may_see_and_go_on(
    dataset: Dataset, provider: Any, cast: dict[str, Any]
) -> None:
    upload = begun(dataset, provider)
    seen = {name for name, person in cast.items() if access.allowed(person, "view", upload)}
    going_on = {name for name, person in cast.items() if access.allowed(person, "continue", upload)}
    assert seen == {"provider", "provider_head", "authority", "authority_leader", "auditor"}
    assert going_on == {"provider"}


class TestApi:
    @pytest.fixture
    def client(self, provider_department: Any, provider_head: Any) -> Client:
        system = InformationSystemFactory(department=provider_department)
        return caller(draw_token(credential_of(system, provider_head, timezone.now())))

    def begin(self, client: Client, dataset: Dataset, **facts: Any) -> Any:
        body = {
            "dataset": dataset.dashed_code,
            "file_name": "rows.csv",
            "size_bytes": len(CONTENT),
            **facts,
        }
        return client.post("/api/v1/uploads", body, content_type="application/json")

    def part(self, client: Client, number: int, offset: int, block: bytes, **headers: str) -> Any:
        digest = base64.b64encode(hashlib.sha256(block).digest()).decode()
        return client.patch(
            f"/api/v1/uploads/{number}",
            block,
            content_type="application/octet-stream",
            headers={
                "Upload-Offset": str(offset),
                "Content-Digest": f"sha-256=:{digest}:",
                **headers,
            },
        )

    def test_a_system_sends_it_in_parts_over_a_break(
        self, client: Client, dataset: Dataset
    ) -> None:
        answer = self.begin(client, dataset, fingerprint="f", idempotency_key="k-1")
        assert answer.status_code == 201, answer.content
        number = answer.json()["id"]
        assert answer["Location"] == f"/api/v1/uploads/{number}"
        assert self.part(client, number, 0, CONTENT[:60]).json()["received_bytes"] == 60
        again = self.begin(client, dataset, fingerprint="f", idempotency_key="k-1")
        assert (again.status_code, again.json()["id"]) == (200, number)
        assert again.json()["received_bytes"] == 60
        early = client.post(f"/api/v1/uploads/{number}/finish")
        assert (early.status_code, early.json()["code"]) == (409, "upload_unfinished")
        self.part(client, number, 60, CONTENT[60:])
        done = client.post(f"/api/v1/uploads/{number}/finish")
        assert done.status_code == 202, done.content
        assert done.json()["sha256"] == hashlib.sha256(CONTENT).hexdigest()
        assert done.json()["idempotency_key"] == "k-1"
        assert client.post(f"/api/v1/uploads/{number}/finish").json()["id"] == done.json()["id"]
        assert client.get("/api/v1/uploads").json()["results"][0]["status"] == "finished"

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({"Upload-Offset": "-1"}, 400, "offset_invalid"),
            ({"Upload-Offset": "7"}, 409, "offset_mismatch"),
            ({"Content-Digest": ""}, 400, "digest_invalid"),
            ({"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}, 400, "digest_mismatch"),
        ],
    )
    def test_a_part_that_is_not_as_announced_is_refused(
        self, client: Client, dataset: Dataset, headers: dict[str, str], status: int, code: str
    ) -> None:
        number = self.begin(client, dataset).json()["id"]
        answer = self.part(client, number, 0, CONTENT[:10], **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert client.get(f"/api/v1/uploads/{number}").json()["received_bytes"] == 0

    def test_a_part_cut_off_on_the_way_leaves_nothing(
        self, client: Client, dataset: Dataset
    ) -> None:
        number = self.begin(client, dataset).json()["id"]
        digest = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
        broken: dict[str, Any] = {"wsgi.input": io.BytesIO(CONTENT[:30])}
        answer = client.generic(
            "PATCH",
            f"/api/v1/uploads/{number}",
            CONTENT,
            content_type="application/octet-stream",
            headers={"Upload-Offset": "0", "Content-Digest": f"sha-256=:{digest}:"},
            **broken,
        )
        assert answer.json()["code"] == "upload_incomplete"
        assert client.get(f"/api/v1/uploads/{number}").json()["received_bytes"] == 0

    def test_it_is_given_up_by_the_sender(self, client: Client, dataset: Dataset) -> None:
        number = self.begin(client, dataset).json()["id"]
        assert client.delete(f"/api/v1/uploads/{number}").json()["status"] == "discarded"
        assert client.delete(f"/api/v1/uploads/{number}").json()["code"] == "illegal_move"

    def test_another_departments_system_finds_nothing(
        self, client: Client, dataset: Dataset, consumer_department: Any, consumer_head: Any
    ) -> None:
        number = self.begin(client, dataset).json()["id"]
        other = InformationSystemFactory(department=consumer_department)
        stranger = caller(draw_token(credential_of(other, consumer_head, timezone.now())))
        assert stranger.get(f"/api/v1/uploads/{number}").status_code == 404
        assert self.part(stranger, number, 0, CONTENT).status_code == 404
        assert stranger.post(f"/api/v1/uploads/{number}/finish").status_code == 404
        assert stranger.delete(f"/api/v1/uploads/{number}").status_code == 404
        assert self.begin(stranger, dataset).status_code == 403
        assert not Batch.objects.exists()


class TestPage:
    def page(self, person: Any) -> Client:
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        return client

    def test_it_lists_what_is_not_whole_and_gives_it_up(
        self, dataset: Dataset, provider: Any, provider_head: Any
    ) -> None:
        upload = begun(dataset, provider, file_name="婚姻登记.csv")
        table = f"/work/tables/{dataset.dashed_code}/"
        assert "婚姻登记.csv" in self.page(provider).get(table).content.decode()
        refused = self.page(provider_head).post(f"/work/uploads/{upload.pk}/discard/")
        assert refused.status_code == 403
        upload.refresh_from_db()
        assert upload.status == "open"
        answer = self.page(provider).post(f"/work/uploads/{upload.pk}/discard/", follow=True)
        assert "已放弃" in answer.content.decode()
        upload.refresh_from_db()
        assert upload.status == "discarded"

    def test_a_stranger_finds_none(self, dataset: Dataset, provider: Any, outsider: Any) -> None:
        upload = begun(dataset, provider)
        answer = self.page(outsider).post(f"/work/uploads/{upload.pk}/discard/")
        assert answer.status_code == 404
