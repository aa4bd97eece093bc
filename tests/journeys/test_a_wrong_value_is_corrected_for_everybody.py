"""A consumer's system doubts one value: marked, decided, corrected by a batch, unmarked, told."""

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from apps.ledger.models import Event, Notice
from apps.quality.models import Correction
from apps.quality.tasks import settle_corrections
from apps.sharing.models import Grant
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch
from tests import stories
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.sharing import Scene, make_scene
from tests.factories.warehouse import IDENTITIES

pytestmark = pytest.mark.usefixtures("server")
ROWS = (
    (IDENTITIES[0], "张小三", "500103", "2026-01-05", "1200.50"),
    (IDENTITIES[1], "李四", "500103", "2026-02-06", "800.00"),
    (IDENTITIES[2], "王五", "500103", "2026-03-07", ""),
)
NAMES = ("identity_number", "name", "division_code", "registered_on", "amount")


def landed_scene(at: datetime) -> Scene:
    """A scene whose rows came in by a batch of the provider's."""
    scene = make_scene()
    lines = io.StringIO()
    csv.writer(lines).writerows([NAMES, *ROWS])
    batch = warehouse.receive(
        dataset=scene.dataset,
        file=io.BytesIO(lines.getvalue().encode()),
        file_name="登记.csv",
        mode="upsert",
        actor=scene.provider,
        at=at,
    )
    assert warehouse.land(batch_id=batch.pk, at=at).status == "landed", batch.message
    return scene


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[1])
    return client


def another_department(scene: Scene, at: datetime) -> tuple[Grant, Any, Client]:
    """A second department that reads the same record."""
    department = DepartmentFactory(name="市体育局")
    editor = UserFactory(department=department, roles=["department_editor"])
    head = UserFactory(department=department, roles=["department_approver"])
    system = InformationSystemFactory(department=department)
    other = Scene(**{**vars(scene), "consumer": editor, "consumer_head": head, "system": system})
    request = stories.delivered(other, at, items={"registered_on": ""})
    return request.grant, editor, caller(draw_token(credential_of(system, head, at)))


def test_a_wrong_value_is_corrected_for_everybody() -> None:
    at = timezone.now()
    scene = landed_scene(at)
    items = {"identity_number": "cover_identity", "name": "", "registered_on": ""}
    stories.delivered(scene, at, items=items)
    mine = caller(draw_token(credential_of(scene.system, scene.consumer_head, at)))
    _grant, neighbour, theirs = another_department(scene, at)
    code = scene.dataset.code.replace("/", "-")
    data = f"/api/v1/data/{code}"
    record = f"/work/corrections/on/{code}/2/"
    provider, head = signed_in(scene.provider), signed_in(scene.provider_head)

    # The consumer's system finds a wrong day in what it reads, and says so.
    row = mine.get(data).json()["data"][1]
    assert (row["name"], row["registered_on"]) == ("李四", "2026-02-06")
    doubt = {
        "dataset": code,
        "row_id": row["_id"],
        "item": "registered_on",
        "claimed_value": "2026年2月16日",
        "evidence": "登记证 500103-0216",
    }
    answer = mine.post("/api/v1/corrections", doubt, content_type="application/json")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["status"], made["claimed_value"]) == ("raised", "2026-02-16")
    assert made["row"] == {"_id": 2, "key": None}
    correction = Correction.objects.get(pk=made["id"])

    # It is marked for everybody: in both systems' data, on the provider's and the consumer's pages.
    for system in (mine, theirs):
        marks = [each.get("_disputed") for each in system.get(data).json()["data"]]
        assert marks == [None, ["registered_on"], None]
    for person in (scene.provider, scene.consumer, neighbour):
        assert signed_in(person).get(record).content.decode().count("校核中") >= 1

    # The provider takes it up, verifies, and its head finds it wrong.
    for client, name, words in (
        (provider, "accept", {}),
        (provider, "verify", {}),
        (head, "uphold", {"finding": "stated", "value": "2026-02-16", "reason": "档案为 16 日"}),
        (provider, "hand_in", {}),
    ):
        correction.refresh_from_db()
        posted = {"revision": correction.revision, "reason": "", **words}
        page = client.post(f"/work/corrections/{correction.pk}/move/{name}/", posted)
        assert page.status_code == 302, page.content.decode()
    settle_corrections()
    assert mine.get(data).json()["data"][1]["_disputed"] == ["registered_on"]  # not landed yet

    # The batch lands; the platform sees it, feeds back, and unmarks.
    warehouse.land_due(at=timezone.now())
    settle_corrections()
    for system in (mine, theirs):
        rows = system.get(data).json()["data"]
        assert rows[1]["registered_on"] == "2026-02-16"
        assert not [each for each in rows if "_disputed" in each]
    for person in (scene.provider, scene.consumer, neighbour):
        assert (
            '<span class="tag tag--attention">校核中'
            not in signed_in(person).get(record).content.decode()
        )

    # Who raised it reads the result and closes; the other reader was told, without the value.
    answer = mine.get(f"/api/v1/corrections/{correction.pk}").json()
    assert (answer["status"], answer["outcome"], answer["final_value"]) == (
        "feedback",
        "wrong",
        "2026-02-16",
    )
    assert answer["explanation"] == "档案为 16 日"
    closed = mine.post(f"/api/v1/corrections/{correction.pk}/close", {}, "application/json")
    assert closed.json()["status"] == "closed"
    assert Notice.objects.filter(recipient=scene.consumer, title__contains="校核结果").exists()
    notice = Notice.objects.get(recipient=neighbour, title__contains="数据已更正")
    assert "2026-02-16" not in notice.title + notice.body

    # Everything is written down: who did what, in order, and the batch that corrected it.
    correction.refresh_from_db()
    assert correction.batch == Batch.objects.latest("pk")
    trail = Event.objects.filter(verb__startswith="quality.", subject_id=str(correction.pk))
    verbs = [verb.partition(".")[2] for verb in trail.values_list("verb", flat=True)]
    assert sorted(verbs) == sorted(
        [
            *("raise_correction", "accept", "verify", "uphold", "hand_in_correction"),
            *("correct", "feed_back", "close"),
        ]
    )
    assert correction.history.count() == 8
    assert not Event.objects.filter(verb__startswith="quality.", outcome="refused").exists()
