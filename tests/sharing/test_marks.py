"""What is under correction is marked wherever it is read, for whoever the grant shows it to."""

import csv
import io
import json
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.core.errors import InvalidInput, NotAllowed, NotFound
from apps.ledger.models import AccessRecord
from apps.quality import readership
from apps.quality.models import Correction
from apps.quality.operations import corrections
from apps.sharing import operations as sharing
from apps.sharing.gateway.refusals import AllowanceExceeded
from apps.sharing.models import Grant
from tests import stories
from tests.factories.accounts import InformationSystemFactory, UserFactory
from tests.factories.gateway import access_records, caller, credential_of, draw_token
from tests.factories.sharing import Scene

pytestmark = pytest.mark.usefixtures("no_earlier_records")
COLUMNS = ["_id", "identity_number", "name", "division_code", "registered_on"]


@pytest.fixture
def doubted(landed_grant: Grant, landed_scene: Scene, now: datetime) -> Correction:
    """The day of the second record is doubted by the consumer."""
    return corrections.raise_correction(
        dataset=landed_scene.dataset,
        actor=landed_scene.consumer,
        at=now,
        row_id=2,
        item="registered_on",
        claimed_value="2026-02-16",
    )


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


class TestMarks:
    def test_objects_say_it_on_the_record_alone(
        self, client: Client, address: str, doubted: Correction
    ) -> None:
        rows = client.get(address).json()["data"]
        assert [row.get("_disputed") for row in rows] == [None, ["registered_on"], None]
        lines = client.get(address, {"format": "ndjson"}).content.splitlines()
        assert [json.loads(line).get("_disputed") for line in lines] == [
            None,
            ["registered_on"],
            None,
        ]

    def test_arrays_have_a_last_column_of_marks(
        self, client: Client, address: str, doubted: Correction
    ) -> None:
        answer = client.get(address, {"shape": "arrays"}).json()
        assert answer["columns"] == [*COLUMNS, "_disputed"]
        assert [row[-1] for row in answer["data"]] == [[], ["registered_on"], []]
        lines = client.get(address, {"shape": "arrays", "format": "ndjson"}).content
        assert [json.loads(line)[-1] for line in lines.splitlines()] == [[], ["registered_on"], []]

    def test_csv_and_the_export_have_it_too(
        self, client: Client, address: str, doubted: Correction
    ) -> None:
        expected = [[*COLUMNS, "_disputed"][-1], "", "registered_on", ""]
        page = client.get(address, {"format": "csv"}).content.decode()
        assert [row[-1] for row in rows_of(page)] == expected
        export = b"".join(client.get(f"{address}/export.csv").streaming_content)  # type: ignore[attr-defined]
        assert [row[-1] for row in rows_of(export.decode())] == expected
        assert len(rows_of(export.decode())[2]) == len(COLUMNS) + 1

    def test_only_what_is_read_is_marked(
        self, client: Client, address: str, doubted: Correction, landed_scene: Scene, now: datetime
    ) -> None:
        rows = client.get(address, {"fields": "name"}).json()["data"]
        assert not [row for row in rows if "_disputed" in row]
        corrections.raise_correction(
            dataset=landed_scene.dataset,
            actor=landed_scene.consumer,
            at=now,
            row_id=3,
            description="此人不存在",
        )
        rows = client.get(address, {"fields": "name,division_code"}).json()["data"]
        assert [row.get("_disputed") for row in rows] == [None, None, ["name", "division_code"]]

    def test_another_grant_marks_what_it_shows(
        self,
        client: Client,
        address: str,
        doubted: Correction,
        landed_scene: Scene,
        now: datetime,
    ) -> None:
        other = InformationSystemFactory(department=landed_scene.consumer.department)
        scene = Scene(**{**vars(landed_scene), "system": other})
        stories.delivered(scene, now, items={"name": "", "division_code": ""})
        credential = credential_of(other, landed_scene.consumer_head, now)
        rows = caller(draw_token(credential)).get(address).json()["data"]
        assert len(rows) == 6
        assert not [row for row in rows if "_disputed" in row]

    def test_they_go_when_it_is_over(
        self, client: Client, address: str, doubted: Correction, landed_scene: Scene, now: datetime
    ) -> None:
        corrections.withdraw(
            correction=doubted, actor=landed_scene.consumer, at=now, reason="看错了"
        )
        answer = client.get(address, {"shape": "arrays"}).json()
        assert answer["columns"] == COLUMNS

    def test_a_dataset_without_doubts_costs_no_statement_more(
        self, client: Client, address: str, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        client.get(address)
        with CaptureQueriesContext(connection) as before:
            client.get(address)
        assert not before  # token, grant and marks are asked beside Django's cursors, in one
        corrections.raise_correction(
            dataset=landed_scene.dataset, actor=landed_scene.consumer, at=now, description="缺三月"
        )
        with CaptureQueriesContext(connection) as of_the_whole:
            client.get(address)
        assert not of_the_whole
        corrections.raise_correction(
            dataset=landed_scene.dataset,
            actor=landed_scene.consumer,
            at=now,
            row_id=1,
            item="registered_on",
            claimed_value="2026-01-06",
        )
        with CaptureQueriesContext(connection) as after:
            client.get(address)
        assert len(after) == 1

    def test_the_approvers_preview_shows_them(
        self, doubted: Correction, landed_scene: Scene, now: datetime
    ) -> None:
        other = InformationSystemFactory(department=landed_scene.consumer.department)
        scene = Scene(**{**vars(landed_scene), "system": other})
        request = stories.reviewing(scene, now, items={"name": "", "registered_on": ""})
        shown = sharing.preview(request=request, actor=scene.provider, at=now)
        assert [[is_marked for _value, is_marked in line] for line in shown.lines][:3] == [
            [False, False],
            [False, True],
            [False, False],
        ]


class TestReader:
    def test_the_record_is_read_through_the_grant_and_recorded(
        self, doubted: Correction, landed_grant: Grant
    ) -> None:
        assert doubted.seen_value == "2026-02-06"
        assert doubted.grant_number == landed_grant.pk
        assert doubted.row_key == {"identity_number": "440524188001010014"}
        assert not doubted.is_key_known  # the grant masks it
        record = access_records()[-1]
        assert (record["grant_id"], record["rows"], record["first_id"], record["last_id"]) == (
            landed_grant.pk,
            1,
            2,
            2,
        )
        assert "_id" in str(record["query"])

    @pytest.mark.parametrize(
        ("given", "error", "code"),
        [
            ({"row_id": 4}, NotFound, "row_not_found"),  # another district
            ({"row_id": 99}, NotFound, "row_not_found"),
            ({"key": {"identity_number": "11010519491231002X"}}, InvalidInput, "key_not_readable"),
            ({"key": {"name": "张小三"}}, InvalidInput, "key_incomplete"),
            ({"row_id": 1, "item": "amount"}, InvalidInput, "unknown_item"),
            ({"row_id": 1, "item": "identity_number"}, InvalidInput, "item_masked"),
        ],
    )
    def test_nothing_is_doubted_that_the_grant_does_not_show(
        self,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
        given: dict[str, Any],
        error: type[Exception],
        code: str,
    ) -> None:
        with pytest.raises(error) as caught:
            corrections.raise_correction(
                dataset=landed_scene.dataset,
                actor=landed_scene.consumer,
                at=now,
                description="有误",
                **given,
            )
        assert getattr(caught.value, "code", "") == code
        assert not Correction.objects.exists()

    def test_a_suspended_grant_shows_nothing(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        with pytest.raises(NotAllowed):
            corrections.raise_correction(
                dataset=landed_scene.dataset,
                actor=landed_scene.consumer,
                at=now,
                row_id=1,
                description="有误",
            )
        assert AccessRecord.objects.count() == 0

    def test_a_system_reads_within_its_quota(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=2)
        read = partial(readership.reader().read_row, dataset=landed_scene.dataset, at=now)
        system = landed_grant.system.service_user
        assert read(actor=system, row_id=4) is None  # not within the grant, and not counted
        for row_id in (1, 2):
            found = read(actor=system, row_id=row_id)
            assert found is not None
            assert found.row_id == row_id
        with pytest.raises(AllowanceExceeded) as refusal:
            read(actor=system, row_id=3)
        assert refusal.value.code == "daily_rows_exceeded"
        assert read(actor=landed_scene.consumer, row_id=3) is not None

    def test_a_system_reads_nothing_where_the_grant_names_its_networks(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(allowed_addresses=["192.0.2.0/24"])
        reader = readership.reader()
        system, dataset = landed_grant.system.service_user, landed_scene.dataset
        assert list(reader.datasets_read_by(system, now)) == []
        assert reader.read_row(actor=system, dataset=dataset, at=now, row_id=1) is None
        person = landed_scene.consumer
        assert reader.read_row(actor=person, dataset=dataset, at=now, row_id=1) is not None

    def test_it_knows_which_departments_read_a_record(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        reader = readership.reader()
        consumer = landed_scene.consumer_department.pk
        asked: dict[str, Any] = {"dataset": landed_scene.dataset, "at": now}
        assert reader.departments_reading(item="name", row_id=1, **asked) == [consumer]
        assert reader.departments_reading(item="", row_id=None, **asked) == [consumer]
        assert reader.departments_reading(item="amount", row_id=1, **asked) == []
        assert reader.departments_reading(item="name", row_id=4, **asked) == []
        stranger = UserFactory(roles=["department_editor"])
        assert list(reader.datasets_read_by(stranger, now)) == []
