"""`/api/v1/batches` as a department's system meets it: pushed once, answered with the balance."""

import base64
import csv
import hashlib
import io
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.core import files
from apps.ledger.models import Event
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch, StoredFile
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.warehouse import IDENTITIES, landed, received

pytestmark = pytest.mark.django_db

HEADER = "身份证号,姓名,出生日期,手机号,金额,等级\n"
GOOD = f"{IDENTITIES[0]},张三,1990-01-01,13800000000,1.50,甲\n"
BAD = "500103199001011233,李四,1990-13-01,13800000000,-3,丁\n"


@pytest.fixture
def system(provider_department: Any) -> InformationSystem:
    found: InformationSystem = InformationSystemFactory(department=provider_department)
    return found


@pytest.fixture
def client(system: InformationSystem, provider_head: Any) -> Client:
    """A system of the providing department, with a token of its own."""
    return caller(draw_token(credential_of(system, provider_head, timezone.now())))


def address(dataset: Dataset) -> str:
    return f"/api/v1/batches/{dataset.code.replace('/', '-')}"


def push(
    client: Client,
    dataset: Dataset,
    content: str | bytes = HEADER + GOOD,
    query: str = "",
    **h: str,
) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return client.post(address(dataset) + query, raw, content_type="text/csv", headers=h)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"]
    return body


def cut_off(content: bytes) -> dict[str, Any]:
    """What the server gets when the connection breaks after these bytes."""
    return {"wsgi.input": io.BytesIO(content)}


def nothing_kept() -> bool:
    return not Batch.objects.exists() and not StoredFile.objects.exists()


class TestPush:
    def test_it_queues_the_file_and_later_tells_the_balance(
        self, client: Client, dataset: Dataset, system: InformationSystem
    ) -> None:
        answer = push(client, dataset, HEADER + GOOD + BAD, "?mode=snapshot&declared=2")
        assert answer.status_code == 202, answer.content
        body = answer.json()
        assert (body["status"], body["is_finished"], body["mode"]) == (
            "received",
            False,
            "snapshot",
        )
        assert body["source"] == system.service_user.username
        assert body["sha256"] == hashlib.sha256((HEADER + GOOD + BAD).encode()).hexdigest()
        assert answer["Location"] == f"/api/v1/batches/{body['id']}"

        warehouse.land_due(at=timezone.now())

        body = client.get(answer["Location"]).json()
        assert (body["status"], body["is_finished"], body["horizon"]) == ("landed", True, 1)
        assert body["balance"] == {
            "declared": 2,
            "landed": 1,
            "changed": 0,
            "unchanged": 0,
            "duplicate": 0,
            "rejected": 1,
            "deleted": 0,
        }
        assert body["rejections"] == f"{answer['Location']}/rejections"

    def test_a_form_says_the_same_as_a_body(self, client: Client, dataset: Dataset) -> None:
        file = SimpleUploadedFile("困难群众.csv", (HEADER + GOOD).encode())
        answer = client.post(address(dataset), {"mode": "append", "declared": "1", "file": file})
        assert answer.status_code == 202, answer.content
        body = answer.json()
        assert (body["mode"], body["file_name"], body["declared_by_source"]) == (
            "append",
            "困难群众.csv",
            1,
        )

    def test_curls_usual_content_type_is_a_body_too(self, client: Client, dataset: Dataset) -> None:
        answer = client.post(
            address(dataset),
            (HEADER + GOOD).encode(),
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 202, answer.content
        assert answer.json()["size_bytes"] == len((HEADER + GOOD).encode())

    def test_an_editor_pushes_with_his_session_and_its_token(
        self, dataset: Dataset, provider: Any
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(provider, backend=settings.AUTHENTICATION_BACKENDS[1])
        problem(push(client, dataset), 403, "not_allowed")
        assert nothing_kept()

    def test_a_refused_batch_says_why(self, client: Client, dataset: Dataset) -> None:
        where = push(client, dataset, "身份证号,来历不明\n1,2\n")["Location"]
        warehouse.land_due(at=timezone.now())
        body = client.get(where).json()
        assert (body["status"], body["code"]) == ("refused", "columns_unknown")
        assert body["details"]["columns"] == ["来历不明"]
        assert body["rejections"] is None


class TestTwice:
    def test_the_same_key_gives_the_first_batch_back(
        self, client: Client, dataset: Dataset
    ) -> None:
        first = push(client, dataset, **{"Idempotency-Key": '"每日-1"'})
        again = push(client, dataset, **{"Idempotency-Key": "每日-1"})
        assert (first.status_code, again.status_code) == (202, 202)
        assert first.json()["id"] == again.json()["id"]
        warehouse.land_due(at=timezone.now())
        late = push(client, dataset, **{"Idempotency-Key": "每日-1"})
        assert late.status_code == 200
        assert late.json()["balance"]["landed"] == 1
        assert Batch.objects.count() == 1

    def test_the_same_key_for_another_file_or_mode_conflicts(
        self, client: Client, dataset: Dataset
    ) -> None:
        first = push(client, dataset, **{"Idempotency-Key": "k1"}).json()["id"]
        body = problem(
            push(client, dataset, HEADER + BAD, **{"Idempotency-Key": "k1"}),
            409,
            "idempotency_conflict",
        )
        assert body["batch"] == first
        problem(
            push(client, dataset, query="?mode=append", **{"Idempotency-Key": "k1"}),
            409,
            "idempotency_conflict",
        )
        assert Batch.objects.count() == 1

    def test_the_same_file_without_a_key_ends_as_unchanged(
        self, client: Client, dataset: Dataset
    ) -> None:
        push(client, dataset)
        where = push(client, dataset)["Location"]
        warehouse.land_due(at=timezone.now())
        assert client.get(where).json()["status"] == "unchanged"


class TestRefused:
    """Each with a stable code, and nothing kept."""

    def test_without_a_token(self, dataset: Dataset) -> None:
        problem(push(Client(), dataset), 401, "not_authenticated")
        wrong = Client(headers={"Authorization": "Bearer nonsense"})
        problem(push(wrong, dataset), 401, "not_authenticated")
        assert nothing_kept()

    def test_another_departments_system(
        self, dataset: Dataset, consumer_department: Any, consumer_head: Any
    ) -> None:
        other = InformationSystemFactory(department=consumer_department)
        credential = credential_of(other, consumer_head, timezone.now())
        client = caller(draw_token(credential))
        begun = timezone.now()
        problem(push(client, dataset), 403, "not_allowed")
        assert nothing_kept()
        refusal = Event.objects.get(verb="warehouse.receive", at__gte=begun)
        assert (refusal.outcome, refusal.details["code"]) == ("refused", "not_allowed")

    def test_a_retired_system_at_once(
        self, client: Client, dataset: Dataset, system: InformationSystem
    ) -> None:
        assert push(client, dataset).status_code == 202
        InformationSystem.objects.filter(pk=system.pk).update(status="retired")
        problem(push(client, dataset), 401, "not_authenticated")
        assert Batch.objects.count() == 1

    def test_a_dataset_that_is_not_there(self, client: Client) -> None:
        answer = client.post("/api/v1/batches/307001-999999", b"a\n", content_type="text/csv")
        problem(answer, 404, "not_found")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("?mode=replace", "mode_unknown"),
            ("?mod=append", "unknown_parameter"),
            ("?declared=many", "declared_invalid"),
            ("?declared=-1", "declared_invalid"),
        ],
    )
    def test_a_wrong_parameter(
        self, client: Client, dataset: Dataset, query: str, code: str
    ) -> None:
        problem(push(client, dataset, query=query), 400, code)
        assert nothing_kept()

    def test_content_that_is_not_what_was_announced(self, client: Client, dataset: Dataset) -> None:
        def digest(content: str) -> str:
            return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

        right = {"Content-Digest": f"sha-512=:xx:, sha-256=:{digest(HEADER + GOOD)}:"}
        wrong = {"Content-Digest": f"sha-256=:{digest(HEADER)}:"}
        problem(push(client, dataset, **wrong), 400, "digest_mismatch")
        problem(
            push(client, dataset, **{"Content-Digest": "sha-256=nonsense"}), 400, "digest_invalid"
        )
        assert nothing_kept()
        assert not list(files.path_of("x").parent.glob("incoming/*")), "no half file is left"
        assert push(client, dataset, **right).status_code == 202

    def test_a_body_that_broke_off(self, client: Client, dataset: Dataset) -> None:
        whole = (HEADER + GOOD).encode()
        answer = client.post(
            address(dataset), whole, content_type="text/csv", **cut_off(whole[:-10])
        )
        problem(answer, 400, "upload_incomplete")
        assert nothing_kept()

    def test_a_form_that_broke_off(self, client: Client, dataset: Dataset) -> None:
        body = (
            '--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            + HEADER
            + GOOD
        ).encode()
        answer = client.post(
            address(dataset),
            body + b"\r\n--x--\r\n",
            content_type="multipart/form-data; boundary=x",
            **cut_off(body),
        )
        problem(answer, 400, "upload_incomplete")
        assert nothing_kept()

    def test_a_body_of_unknown_or_excessive_length(self, client: Client, dataset: Dataset) -> None:
        unknown = client.post(address(dataset), b"a", content_type="text/csv", CONTENT_LENGTH="")
        problem(unknown, 411, "length_required")
        huge = client.post(
            address(dataset), b"a", content_type="text/csv", CONTENT_LENGTH=str(1 << 40)
        )
        problem(huge, 413, "file_too_large")
        assert nothing_kept()

    def test_a_form_without_just_one_file(self, client: Client, dataset: Dataset) -> None:
        problem(client.post(address(dataset), {"mode": "append"}), 400, "one_file_expected")
        two = {"a": SimpleUploadedFile("a.csv", b"a"), "b": SimpleUploadedFile("b.csv", b"b")}
        problem(client.post(address(dataset), two), 400, "one_file_expected")
        assert nothing_kept()

    def test_a_full_disk(
        self, client: Client, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("apps.core.files.os.fsync", full)
        problem(push(client, dataset), 507, "storage_full")
        assert nothing_kept()
        assert not list(files.path_of("x").parent.glob("incoming/*"))

    def test_an_unpublished_entry(self, client: Client, dataset: Dataset, at: datetime) -> None:
        Dataset.objects.filter(pk=dataset.pk).update(status="withdrawn", withdrawn_at=at)
        problem(push(client, dataset), 400, "dataset_not_published")
        assert nothing_kept()


class TestReading:
    def test_batches_and_rejections_are_their_departments(
        self, cast: dict[str, Any], dataset: Dataset, provider: Any
    ) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD, actor=provider)
        sees = {"provider", "provider_head", "authority", "authority_leader", "auditor"}
        reads = {"provider", "provider_head"}
        for name, person in cast.items():
            if name == "inactive":
                continue
            client = Client()
            client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[1])
            one = client.get(f"/api/v1/batches/{batch.pk}")
            assert one.status_code == (200 if name in sees else 404), name
            listed = client.get("/api/v1/batches").json()["results"]
            assert [row["id"] for row in listed] == ([batch.pk] if name in sees else []), name
            rows = client.get(f"/api/v1/batches/{batch.pk}/rejections")
            expected = 200 if name in reads else 403 if name in sees else 404
            assert rows.status_code == expected, name

    def test_rejections_page_in_the_order_of_the_file(
        self, client: Client, dataset: Dataset, provider: Any
    ) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD * 5, actor=provider)
        where = f"/api/v1/batches/{batch.pk}/rejections?limit=2"
        lines, cursor = [], ""
        while True:
            page = client.get(f"{where}&cursor={cursor}").json()
            lines += [row["line"] for row in page["results"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert lines == [3, 4, 5, 6, 7]
        [first] = client.get(f"/api/v1/batches/{batch.pk}/rejections?limit=1").json()["results"]
        assert first["raw"] == BAD.strip()
        assert {reason["code"] for reason in first["reasons"]} >= {"not_a_date", "not_in_codes"}
        tampered = client.get(f"{where}&cursor={cursor[:-2]}AA")
        problem(tampered, 400, "cursor_invalid")
        problem(client.get(f"{where}&limit=0"), 400, "invalid_limit")

    @pytest.mark.parametrize("how", ["query", "accept"])
    def test_rejections_as_a_file_are_as_they_were_sent(
        self, client: Client, dataset: Dataset, provider: Any, how: str
    ) -> None:
        batch = landed(dataset, HEADER + GOOD + BAD.replace("李四", "=1+1"), actor=provider)
        where = f"/api/v1/batches/{batch.pk}/rejections"
        answer = (
            client.get(f"{where}?format=csv")
            if how == "query"
            else client.get(where, headers={"Accept": "text/csv"})
        )
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
        head, row = csv.reader(io.StringIO(text))
        assert head[:6] == HEADER.strip().split(",")
        assert row[1] == "=1+1"

    def test_the_list_is_filtered(self, client: Client, dataset: Dataset, provider: Any) -> None:
        landed(dataset, HEADER + GOOD, actor=provider)
        waiting = received(dataset, HEADER + BAD, actor=provider)
        found = client.get("/api/v1/batches?status=received").json()["results"]
        assert [row["id"] for row in found] == [waiting.pk]
        assert client.get("/api/v1/batches?dataset=1-1").json()["results"] == []
        problem(client.get("/api/v1/batches?status=lost"), 400, "unknown_status")
        problem(client.get("/api/v1/batches?state=lost"), 400, "unknown_parameter")
