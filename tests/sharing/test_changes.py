"""The change feed: whoever applies it holds what the grant shows, whatever lands meanwhile."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import InformationSystem
from apps.quality.operations import corrections
from apps.sharing import naming
from apps.sharing import operations as sharing
from apps.sharing.gateway import calls, changes, statements
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Grant
from apps.warehouse.models import DataTable
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import access_records, caller, credential_of, draw_token, problem
from tests.factories.sharing import Scene, make_scene
from tests.factories.warehouse import IDENTITIES, landed

pytestmark = pytest.mark.usefixtures("no_earlier_records")
HEADING = "identity_number,name,division_code,registered_on,amount\n"
CONDITION = [{"item": "division_code", "operator": "eq", "value": "500103"}]
ITEMS = {"identity_number": "cover_identity", "name": "", "division_code": ""}
Land = Callable[..., Any]


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.HUILIU_HOME = tmp_path / "home"


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """A scene whose dataset has three rows, landed by a batch; the third in another district."""
    scene = make_scene()
    put(scene, [(0, "甲", "500103"), (1, "乙", "500103"), (2, "丙", "500112")])
    return scene


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    return stories.delivered(landed_scene, now, items=ITEMS, row_condition=CONDITION).grant


@pytest.fixture
def feed(address: str) -> str:
    return f"{address}/changes"


def put(scene: Scene, rows: list[tuple[int, str, str]], mode: str = "upsert") -> Any:
    """Land a batch of (number of a person, name, district)."""
    lines = [
        f"{IDENTITIES[who]},{name},{district},2026-01-05,1.00\n" for who, name, district in rows
    ]
    return landed(scene.dataset, HEADING + "".join(lines), actor=scene.provider, mode=mode)


def shown(client: Client, address: str) -> dict[int, dict[str, Any]]:
    """What the pages show at this moment, by `_id`."""
    rows = client.get(address, {"limit": "10000"}).json()["data"]
    return {row["_id"]: row for row in rows}


@dataclass
class Consumer:
    """Applies the feed; `seen` are the operations of the sweep that is being read."""

    client: Client
    feed: str
    cursor: str = ""
    held: dict[int, dict[str, Any]] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def turn(self, limit: int = 100) -> dict[str, Any]:
        """Read and apply one page."""
        answer = self.client.get(self.feed, {"limit": str(limit), "cursor": self.cursor}).json()
        for event in answer["data"]:
            operation, row_id = event.pop("_op"), event["_id"]
            self.counted[operation] = self.counted.get(operation, 0) + 1
            self.seen.append(row_id)
            if operation == "upsert":
                self.held[row_id] = event
            else:
                self.held.pop(row_id, None)
        assert len(self.seen) == len(set(self.seen)), "a record came twice in one sweep"
        if answer["is_complete"]:
            self.seen.clear()
        self.cursor = answer["next"]
        return dict(answer)


@pytest.fixture
def consumer(client: Client, feed: str) -> Consumer:
    return Consumer(client, feed)


class TestWhatComes:
    def test_it_begins_with_all_that_the_grant_shows(
        self, consumer: Consumer, client: Client, address: str, landed_grant: Grant
    ) -> None:
        answer = consumer.turn()
        assert (answer["is_complete"], answer["horizon"], answer["count"]) == (True, 1, 2)
        assert answer["grant"]["id"] == landed_grant.pk
        assert consumer.held == shown(client, address)
        assert {row["identity_number"][6:14] for row in consumer.held.values()} == {"*" * 8}

    def test_nothing_new_is_an_empty_page_with_a_cursor(self, consumer: Consumer) -> None:
        consumer.turn()
        answer = consumer.turn()
        assert (answer["data"], answer["is_complete"], answer["horizon"]) == ([], True, 1)
        assert consumer.turn()["data"] == []

    def test_each_change_comes_once_as_it_last_was(
        self, consumer: Consumer, landed_scene: Scene, feed: str, client: Client
    ) -> None:
        consumer.turn()
        put(landed_scene, [(0, "甲甲", "500103")])  # stays inside
        put(landed_scene, [(0, "甲甲甲", "500103"), (1, "乙", "500112")])  # again; leaves
        put(landed_scene, [(2, "丙", "500103"), (3, "丁", "500112")])  # comes in; never was
        events = client.get(feed, {"cursor": consumer.cursor}).json()["data"]
        assert [(e["_op"], e["_id"], e.get("name")) for e in events] == [
            ("upsert", 1, "甲甲甲"),
            ("delete", 2, None),
            ("upsert", 3, "丙"),
        ]
        assert set(events[1]) == {"_op", "_id"}

    def test_a_deleted_record_comes_as_a_delete(
        self, consumer: Consumer, landed_scene: Scene, client: Client, address: str
    ) -> None:
        consumer.turn()
        put(landed_scene, [(0, "甲", "500103"), (2, "丙", "500112")], mode="delete")
        answer = consumer.turn()
        assert answer["data"] == [{"_id": 1}]  # of the other district nothing is said
        assert consumer.held == shown(client, address)
        put(landed_scene, [(0, "甲", "500103")])  # comes again, as another record
        consumer.turn()
        assert consumer.held == shown(client, address)

    def test_from_now_it_tells_what_comes_later(
        self, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        answer = client.get(feed, {"cursor": "now"}).json()
        assert (answer["data"], answer["is_complete"], answer["horizon"]) == ([], True, 1)
        put(landed_scene, [(0, "甲甲", "500103")])
        answer = client.get(feed, {"cursor": answer["next"]}).json()
        assert [event["name"] for event in answer["data"]] == ["甲甲"]

    def test_a_record_that_came_and_went_is_taken_from_who_read_it_in_a_page(
        self, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        cursor = client.get(feed, {"cursor": "now"}).json()["next"]
        put(landed_scene, [(4, "戊", "500103")])
        put(landed_scene, [(4, "戊", "500103")], mode="delete")
        events = client.get(feed, {"cursor": cursor}).json()["data"]
        assert [event["_op"] for event in events] == ["delete"]

    def test_it_is_written_in_lines_too(self, client: Client, feed: str) -> None:
        response = client.get(feed, {"limit": "1"}, headers={"Accept": "application/x-ndjson"})
        [event] = map(json.loads, response.content.splitlines())
        assert (event["_op"], event["_id"], event["name"]) == ("upsert", 1, "甲")
        assert response["Huiliu-Is-Complete"] == "false"
        assert response["Huiliu-Horizon"] == "1"
        following = client.get(feed, {"cursor": response["Huiliu-Next-Cursor"]}).json()
        assert [event["_id"] for event in following["data"]] == [2]

    def test_marks_come_and_go_without_a_batch(
        self, consumer: Consumer, landed_scene: Scene, client: Client, feed: str, now: datetime
    ) -> None:
        consumer.turn()
        doubt = corrections.raise_correction(
            dataset=landed_scene.dataset,
            actor=landed_scene.consumer,
            at=now,
            row_id=1,
            item="name",
            claimed_value="甲乙",
        )
        first = client.get(feed, {"cursor": consumer.cursor}).json()
        assert first["data"] == [{"_op": "mark", "_id": 1, "_disputed": ["name"]}]
        [upsert] = client.get(feed, {"limit": "1"}).json()["data"]
        assert upsert["_disputed"] == ["name"]
        corrections.withdraw(correction=doubt, actor=landed_scene.consumer, at=now, reason="看错了")
        second = client.get(feed, {"cursor": first["next"]}).json()
        assert second["data"] == [{"_op": "mark", "_id": 1, "_disputed": []}]


class TestWhateverLands:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_at_every_complete_cursor_he_holds_what_the_pages_showed(
        self, consumer: Consumer, client: Client, address: str, landed_scene: Scene, seed: int
    ) -> None:
        """Batches of every mode land between pages of every size; rows move between districts."""
        dice = random.Random(seed)
        after = {1: shown(client, address)}
        completed = 0
        for turn in range(40):
            if turn < 30 and dice.random() < 0.5:
                rows = [
                    (who, dice.choice("甲乙丙丁"), dice.choice(["500103", "500103", "500112"]))
                    for who in dice.sample(range(len(IDENTITIES)), dice.randint(1, 4))
                ]
                put(landed_scene, rows, dice.choice(["append", "upsert", "snapshot", "delete"]))
                counter = DataTable.objects.get(dataset=landed_scene.dataset).batch_counter
                after[counter] = shown(client, address)
            answer = consumer.turn(dice.randint(1, 3))
            if answer["is_complete"]:
                completed += 1
                assert consumer.held == after[answer["horizon"]]
        assert answer["is_complete"]
        assert consumer.held == shown(client, address)
        assert completed > 5
        assert len(after) > 5
        assert min(consumer.counted["upsert"], consumer.counted["delete"]) > 2


class TestEvidence:
    def test_every_page_is_recorded_with_its_horizon(
        self, client: Client, feed: str, landed_grant: Grant, landed_scene: Scene
    ) -> None:
        first = client.get(feed, {"limit": "1"})
        put(landed_scene, [(4, "戊", "500103")])
        client.get(feed, {"cursor": first.json()["next"]})
        one, two = access_records()
        assert {one["kind"], two["kind"]} == {"feed"}
        assert one["grant_id"] == landed_grant.pk
        assert (one["horizon"], one["rows"], one["first_id"], one["last_id"]) == (1, 1, 1, 1)
        assert one["bytes"] == len(first.content)
        assert (two["horizon"], two["rows"], two["first_id"]) == (1, 1, 2)
        assert json.loads(two["query"])["since"] == -1

    def test_a_page_costs_no_statement_of_django(
        self, client: Client, feed: str, landed_scene: Scene, now: datetime
    ) -> None:
        cursor = client.get(feed).json()["next"]
        with CaptureQueriesContext(connection) as counted:
            client.get(feed, {"cursor": cursor})
        assert not counted  # who calls is asked in one that Django does not plan


class TestRefusal:
    def test_wrong_parameters_are_named(self, client: Client, feed: str, address: str) -> None:
        page_cursor = client.get(address, {"limit": "1"}).json()["next"]
        before = len(access_records())
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"name": "甲"}, "unknown_parameter"),
            ({"amount": "1"}, "unknown_parameter"),
            ({"fields": "name"}, "unknown_parameter"),
            ({"limit": "0"}, "invalid_limit"),
            ({"limit": "1000000000"}, "invalid_limit"),
            ({"format": "csv"}, "unknown_format"),
            ({"cursor": ["a", "b"]}, "doubled_parameter"),
            ({"cursor": "nonsense"}, "cursor_invalid"),
            ({"cursor": page_cursor}, "cursor_invalid"),
        ]
        for parameters, code in wrong:
            assert problem(client.get(feed, parameters), 400)["code"] == code, parameters
        assert len(access_records()) == before

    def test_a_tampered_cursor_is_refused(self, client: Client, feed: str, address: str) -> None:
        cursor = client.get(feed, {"limit": "1"}).json()["next"]
        for position in range(0, len(cursor) - 1, 7):
            other = "A" if cursor[position] != "A" else "B"
            tampered = cursor[:position] + other + cursor[position + 1 :]
            assert problem(client.get(feed, {"cursor": tampered}), 400)["code"] == "cursor_invalid"
        assert problem(client.get(address, {"cursor": cursor}), 400)["code"] == "cursor_invalid"

    def test_nobody_reads_without_a_token(self, feed: str, landed_grant: Grant) -> None:
        assert problem(Client().get(feed), 401)["code"] == "not_authenticated"
        assert access_records() == []

    def test_another_system_reads_nothing_and_under_its_own_grant_its_own(
        self, client: Client, feed: str, landed_scene: Scene, now: datetime
    ) -> None:
        system = InformationSystemFactory(department=landed_scene.consumer_department)
        other = caller(draw_token(credential_of(system, landed_scene.consumer_head, now)))
        assert problem(other.get(feed), 403)["code"] == "no_grant"
        cursor = client.get(feed, {"limit": "1"}).json()["next"]
        stories.delivered(
            replace(landed_scene, system=system),
            now,
            items={"amount": "", "division_code": ""},
            row_condition=[{"item": "division_code", "operator": "eq", "value": "500112"}],
        )
        put(landed_scene, [(0, "甲", "500103"), (2, "丙", "500103")])  # leaves the other's rows
        put(landed_scene, [(1, "乙", "500112")])
        assert problem(other.get(feed, {"cursor": cursor}), 409)["code"] == "resync_required"
        [row] = other.get(feed).json()["data"]
        assert set(row) == {"_op", "_id", "amount", "division_code"}
        assert row["division_code"] == "500112"

    @pytest.mark.parametrize("status", ["suspended", "ended", "retired", "expired"])
    def test_what_was_taken_back_between_two_pages_is_not_read(
        self,
        client: Client,
        feed: str,
        landed_scene: Scene,
        landed_grant: Grant,
        now: datetime,
        status: str,
    ) -> None:
        cursor = client.get(feed, {"limit": "1"}).json()["next"]
        head = landed_scene.provider_head
        if status == "suspended":
            sharing.suspend(grant=landed_grant, actor=head, at=now, reason="超范围使用")
        elif status == "ended":
            sharing.end(grant=landed_grant, actor=head, at=now, reason="拒不整改")
        elif status == "retired":
            InformationSystem.objects.filter(pk=landed_scene.system.pk).update(status="retired")
        else:
            Grant.objects.filter(pk=landed_grant.pk).update(
                starts_at=now - timedelta(days=2), expires_at=now
            )
        code = "system_disabled" if status == "retired" else f"grant_{status}"
        assert problem(client.get(feed, {"cursor": cursor}), 403)["code"] == code
        assert problem(client.get(feed), 403)["code"] == code
        assert len(access_records()) == 1

    def test_a_grant_that_expires_between_admission_and_reading(
        self, landed_scene: Scene, landed_grant: Grant, now: datetime
    ) -> None:
        token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
        call = calls.admit(token, landed_scene.dataset.code, at=now)
        query = changes.read_feed_query({}, shape_of(call), accept="")
        Grant.objects.filter(pk=landed_grant.pk).update(
            starts_at=now - timedelta(days=2), expires_at=now
        )
        with pytest.raises(Exception, match="到期"):
            changes.read_changes(replace(call, expires_at=now), query)
        assert access_records() == []

    def test_narrower_terms_or_a_table_set_back_ask_to_begin_anew(
        self, client: Client, feed: str, landed_grant: Grant
    ) -> None:
        first = client.get(feed, {"limit": "1"}).json()["next"]
        last = client.get(feed).json()["next"]
        DataTable.objects.update(batch_counter=0)
        assert problem(client.get(feed, {"cursor": last}), 409)["code"] == "resync_required"
        DataTable.objects.update(batch_counter=1)
        assert client.get(feed, {"cursor": last}).status_code == 200
        Grant.objects.filter(pk=landed_grant.pk).update(version=2)
        for cursor in (first, last):
            assert problem(client.get(feed, {"cursor": cursor}), 409)["code"] == "resync_required"


def test_it_costs_in_proportion_to_the_change(
    landed_scene: Scene, landed_grant: Grant, now: datetime, read: Any
) -> None:
    """A hundred changes in twenty thousand rows: the plan reads indexes, and few blocks."""
    name = f"{landed_grant.table_schema}.{landed_grant.table_name}"
    with connection.cursor() as cursor:
        columns = "identity_number, name, division_code"
        cursor.execute(
            f"INSERT INTO {name} ({columns}, _batch, _hash)"
            " SELECT 'x' || n, '人', '500103', 2, 0 FROM generate_series(1, 20000) n"
        )
        cursor.execute(
            f"INSERT INTO {name}__past ({columns}, _id, _batch, _hash, _until_batch)"
            f" SELECT {columns}, _id, 1, 0, 2 FROM {name} WHERE _batch = 2"
        )
        cursor.execute(
            f"INSERT INTO {name}__past ({columns}, _id, _batch, _hash, _until_batch)"
            f" SELECT {columns}, _id, 2, 0, 3 FROM {name} WHERE name = '人' LIMIT 100"
        )
        cursor.execute(
            f"DELETE FROM {name} WHERE _id IN (SELECT _id FROM {name}__past"
            " WHERE _until_batch = 3 ORDER BY _id LIMIT 50)"
        )
        cursor.execute(
            f"UPDATE {name} SET _batch = 3 WHERE _id IN (SELECT _id FROM {name}__past"
            " WHERE _until_batch = 3)"
        )
        cursor.execute(f"ANALYZE {name}")
        cursor.execute(f"ANALYZE {name}__past")
    token = draw_token(credential_of(landed_scene.system, landed_scene.consumer_head, now))
    call = calls.admit(token, landed_scene.dataset.code, at=now)
    query = changes.read_feed_query({}, shape_of(call), accept="")
    text = statements.changes(
        naming.relation_of_grant(landed_grant.pk),
        naming.past_relation_of_grant(landed_grant.pk),
        query,
    )
    bound = {"since": 2, "horizon": 3, "batch": 2, "after": changes.LAST_OF_A_BATCH, "limit": 1001}
    for key, value in bound.items():
        text = text.replace(f"%({key})s", str(value))
    assert len(read(landed_grant, text)) == 100
    [(plan,)] = read(landed_grant, f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}")
    found = list(_nodes(plan[0]["Plan"]))
    assert not [node for node in found if node["Node Type"] == "Seq Scan"]
    blocks = plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
    assert blocks < 2000  # a few for each of 150 changes; the two tables have 40,000 rows


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)
