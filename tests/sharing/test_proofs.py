"""The proof of a copy: both sides reckon the same, and what differs is found and mended."""

import random
import re
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.ledger.models import Event
from apps.sharing import operations as sharing
from apps.sharing.gateway import proofs
from apps.sharing.models import Grant
from apps.warehouse.models import Batch, DataTable
from apps.warehouse.sync import canonical
from tests import stories
from tests.factories.catalog import LONG_AGO
from tests.factories.copies import COLUMNS, CONDITION, ITEMS, make_copied_scene, put, record
from tests.factories.gateway import access_records, problem
from tests.factories.sharing import Scene
from tests.factories.warehouse import column, publish_contract

pytestmark = pytest.mark.usefixtures("no_earlier_records")


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.HUILIU_HOME = tmp_path / "home"


@pytest.fixture
def landed_scene(server: None) -> Scene:
    return make_copied_scene()


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    return stories.delivered(landed_scene, now, items=ITEMS, row_condition=CONDITION).grant


@pytest.fixture
def feed(address: str) -> str:
    return f"{address}/changes"


class Copy:
    """Follows the feed to its end, and reckons by `_id`."""

    def __init__(self, client: Client, feed: str) -> None:
        self.client, self.feed, self.cursor = client, feed, ""
        self.held: dict[int, dict[str, Any]] = {}
        described = client.get(feed.replace("/changes", "/columns")).json()["columns"]
        self.names = [each["name"] for each in described]
        self.kinds = [each["type"] for each in described]

    def follow(self, limit: int = 1000) -> None:
        while True:
            query = {"cursor": self.cursor, "limit": str(limit)}
            answer = self.client.get(self.feed, query).json()
            for event in answer["data"]:
                self.held.pop(event["_id"], None)
                if event["_op"] == "upsert":
                    self.held[event["_id"]] = event
            self.cursor = answer["next"]
            if answer["is_complete"]:
                return

    def reckoned(self, first: int = 0, last: int | None = None) -> tuple[int, str]:
        rows = [
            (row_id, [self.held[row_id][name] for name in self.names])
            for row_id in sorted(self.held)
            if first <= row_id and (last is None or row_id <= last)
        ]
        return canonical.counted(rows, self.kinds)

    def proof(self, **asked: Any) -> dict[str, Any]:
        answer = self.client.get(f"{self.feed}/proof", {"cursor": self.cursor, **asked})
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def differing(self, **asked: Any) -> list[dict[str, Any]]:
        return [
            each
            for each in self.proof(**asked)["ranges"]
            if (each["count"], each["sha256"]) != self.reckoned(each["from_id"], each["to_id"])
        ]


@pytest.fixture
def copy(client: Client, feed: str) -> Copy:
    made = Copy(client, feed)
    made.follow()
    return made


class TestTheProof:
    def test_it_agrees_with_what_the_feed_gave(self, copy: Copy) -> None:
        proof = copy.proof()
        assert proof["count"] == len(copy.held) > 20
        assert proof["next_from_id"] is None
        [whole] = proof["ranges"]
        assert (whole["from_id"], whole["to_id"]) == (0, None)
        assert (whole["count"], whole["sha256"]) == copy.reckoned()
        assert not copy.differing(size=7)

    def test_it_is_of_the_cursors_moment_whatever_landed_since(
        self, copy: Copy, landed_scene: Scene
    ) -> None:
        before = copy.proof(size=5)
        dice = random.Random(5)
        for mode in ("upsert", "delete", "upsert", "snapshot"):
            put(landed_scene, [record(n, dice) for n in dice.sample(range(45), 9)], mode)
            assert copy.proof(size=5) == before
        copy.follow()
        assert copy.proof(size=5)["horizon"] > before["horizon"]
        assert not copy.differing(size=5)

    @pytest.mark.parametrize("seed", [1, 2])
    def test_at_every_complete_cursor_it_holds(
        self, copy: Copy, landed_scene: Scene, seed: int
    ) -> None:
        dice = random.Random(seed)
        for _turn in range(12):
            mode = dice.choice(["upsert", "upsert", "snapshot", "delete"])
            rows = dice.sample(range(50), dice.randint(1, 25))
            put(landed_scene, [record(n, dice) for n in rows], mode)
            if dice.random() < 0.6:
                copy.follow(dice.randint(1, 9))
            assert not copy.differing(size=dice.randint(1, 20))

    def test_each_kind_of_fault_is_found_and_its_rows_mend_it(self, copy: Copy) -> None:
        ids = sorted(copy.held)
        copy.held[ids[2]] = {**copy.held[ids[2]], "size": 8}
        del copy.held[ids[9]]
        copy.held[ids[-1] + 1000] = {**copy.held[ids[0]], "_id": ids[-1] + 1000}
        wrong = copy.differing(size=1)
        assert [(each["from_id"], each["to_id"]) for each in wrong] == [
            (ids[1] + 1, ids[2]),
            (ids[8] + 1, ids[9]),
            (ids[-2] + 1, None),
        ]
        for each in wrong:
            asked = {"from_id": each["from_id"]}
            if each["to_id"] is not None:
                asked["to_id"] = each["to_id"]
            query = {"cursor": copy.cursor, "limit": 10, **asked}
            answer = copy.client.get(f"{copy.feed}/rows", query).json()
            for row_id in [i for i in copy.held if i >= each["from_id"]]:
                if each["to_id"] is None or row_id <= each["to_id"]:
                    del copy.held[row_id]
            copy.held |= {row["_id"]: row for row in answer["data"]}
        assert not copy.differing()

    def test_it_is_reckoned_as_the_documentation_says(self, copy: Copy) -> None:
        written = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
        blocks = re.findall(r"```python\n(.*?)```", written, re.DOTALL)
        [code] = [block for block in blocks if "def proof" in block]
        names: dict[str, Any] = {}
        exec(code, names)
        columns = copy.client.get(copy.feed.replace("/changes", "/columns")).json()["columns"]
        for each in copy.proof(size=8)["ranges"]:
            last = each["to_id"] or 1 << 60
            rows = [copy.held[i] for i in sorted(copy.held) if each["from_id"] <= i <= last]
            assert names["proof"](rows, columns) == each["sha256"]

    def test_long_tables_come_in_several_answers(
        self, copy: Copy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(proofs, "ROWS_A_CALL", 8)
        ranges: list[dict[str, Any]] = []
        following: int | None = 0
        calls = 0
        while following is not None:
            answer = copy.proof(size=4, from_id=following)
            ranges, following, calls = ranges + answer["ranges"], answer["next_from_id"], calls + 1
        assert calls > 2
        assert sum(each["count"] for each in ranges) == len(copy.held)
        ends = [each["to_id"] for each in ranges]
        assert [each["from_id"] for each in ranges] == [0, *(end + 1 for end in ends[:-1])]
        assert ends[-1] is None

    def test_of_nothing_it_says_nothing(self, copy: Copy, landed_scene: Scene) -> None:
        put(landed_scene, [record(n) for n in range(40)], "delete")
        copy.follow()
        assert copy.proof()["ranges"] == [
            {"from_id": 0, "to_id": None, "count": 0, "sha256": canonical.counted([], [])[1]}
        ]

    def test_rows_are_of_the_days_quota_and_a_proof_is_a_call(
        self, copy: Copy, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(rows_a_day=3, calls_a_day=2)
        rows = copy.client.get(f"{copy.feed}/rows", {"cursor": copy.cursor}).json()
        assert (rows["count"], rows["next_from_id"]) == (3, rows["data"][-1]["_id"] + 1)
        assert copy.proof()["ranges"]
        refused = copy.client.get(f"{copy.feed}/proof", {"cursor": copy.cursor})
        assert (refused.status_code, refused.json()["code"]) == (429, "daily_calls_exceeded")

    def test_it_is_recorded_with_its_horizon(self, copy: Copy, landed_grant: Grant) -> None:
        copy.proof(size=5)
        copy.client.get(f"{copy.feed}/rows", {"cursor": copy.cursor, "limit": "3"})
        *_feed, proof, rows = access_records()
        assert (proof["kind"], proof["grant_id"], proof["rows"]) == ("feed", landed_grant.pk, 0)
        assert (rows["rows"], rows["horizon"]) == (3, 1)
        assert rows["last_id"] is not None


class TestRefusal:
    def test_wrong_parameters_are_named(self, copy: Copy, client: Client, feed: str) -> None:
        half = client.get(feed, {"limit": "1"}).json()["next"]
        before = len(access_records())
        for place in ("proof", "rows"):
            size = "size" if place == "proof" else "limit"
            wrong: list[tuple[dict[str, Any], str]] = [
                ({}, "cursor_invalid"),
                ({"cursor": "nonsense"}, "cursor_invalid"),
                ({"cursor": "now"}, "cursor_invalid"),
                ({"cursor": half}, "cursor_not_complete"),
                ({"cursor": copy.cursor, size: "0"}, "invalid_limit"),
                ({"cursor": copy.cursor, size: "1000000000"}, "invalid_limit"),
                ({"cursor": copy.cursor, "from_id": "-1"}, "invalid_range"),
                ({"cursor": copy.cursor, "from_id": "9" * 30}, "invalid_range"),
                ({"cursor": copy.cursor, "from_id": "5", "to_id": "4"}, "invalid_range"),
                ({"cursor": [copy.cursor] * 2}, "doubled_parameter"),
                ({"cursor": copy.cursor, "name": "甲"}, "unknown_parameter"),
                ({"cursor": copy.cursor, "secret": "甲"}, "unknown_parameter"),
            ]
            for parameters, code in wrong:
                answer = client.get(f"{feed}/{place}", parameters)
                assert problem(answer, 400)["code"] == code, (place, parameters)
        columns = client.get(feed.replace("/changes", "/columns"), {"limit": "1"})
        assert problem(columns, 400)["code"] == "unknown_parameter"
        assert len(access_records()) == before

    @pytest.mark.parametrize("place", ["changes/proof", "changes/rows", "columns"])
    def test_it_is_read_under_a_grant_in_force_only(
        self,
        copy: Copy,
        client: Client,
        address: str,
        landed_grant: Grant,
        landed_scene: Scene,
        now: datetime,
        place: str,
    ) -> None:
        query = {} if place == "columns" else {"cursor": copy.cursor}
        assert problem(Client().get(f"{address}/{place}", query), 401)
        assert client.get(f"{address}/{place}", query).status_code == 200
        before = len(access_records())
        sharing.suspend(
            grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
        )
        answer = problem(client.get(f"{address}/{place}", query), 403)
        assert answer["code"] == "grant_suspended"
        assert len(access_records()) == before

    def test_a_cursor_of_other_terms_proves_nothing(
        self, copy: Copy, client: Client, feed: str, landed_grant: Grant
    ) -> None:
        Grant.objects.filter(pk=landed_grant.pk).update(version=2)
        for place in ("proof", "rows"):
            answer = client.get(f"{feed}/{place}", {"cursor": copy.cursor})
            assert problem(answer, 409)["code"] == "resync_required"


class TestAge:
    """A cursor from before what the table remembers leads nowhere."""

    def status(self, client: Client, feed: str, cursor: str) -> tuple[int, str]:
        answer = client.get(feed, {"cursor": cursor})
        return answer.status_code, answer.json().get("code", "")

    def test_an_older_one_begins_anew(
        self, copy: Copy, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        at_one = copy.cursor
        put(landed_scene, [record(1, random.Random(7))])
        half = client.get(feed, {"limit": "1"}).json()["next"]  # nothing yet, horizon 2
        copy.follow()
        at_two = copy.cursor
        put(landed_scene, [record(2, random.Random(8))])
        DataTable.objects.update(forgotten_batch=2)
        assert self.status(client, feed, at_one) == (409, "resync_required")
        assert self.status(client, f"{feed}/proof", at_one) == (409, "resync_required")
        assert self.status(client, feed, at_two) == (200, "")
        assert self.status(client, feed, half) == (200, "")
        DataTable.objects.update(forgotten_batch=3)
        assert self.status(client, feed, at_two) == (409, "resync_required")
        assert self.status(client, feed, half) == (409, "resync_required")
        assert client.get(feed).status_code == 200

    def test_the_past_is_let_go_by_command_only_as_far_as_it_says(
        self, copy: Copy, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        at_one = copy.cursor
        put(landed_scene, [record(1, random.Random(7))], "delete")
        copy.follow()
        put(landed_scene, [record(n, random.Random(n + 8)) for n in range(2, 9)])
        table = DataTable.objects.get(dataset=landed_scene.dataset)
        before = copy.proof(size=5)
        call_command("forget_past", days=1, wait=0, stdout=StringIO())
        assert self.status(client, feed, at_one) == (200, "")
        Batch.objects.filter(table=table, horizon__lte=2).update(finished_at=LONG_AGO)
        out = StringIO()
        call_command("forget_past", days=1, wait=0, dataset=table.dataset.code, stdout=out)
        assert "1" in out.getvalue()
        table.refresh_from_db()
        assert table.forgotten_batch == 2
        assert self.status(client, feed, at_one) == (409, "resync_required")
        assert copy.proof(size=5) == before  # batch 3's past is all there
        copy.follow()
        assert not copy.differing(size=5)
        call_command("forget_past", days=1, wait=0, stdout=StringIO())
        assert Event.objects.filter(verb="warehouse.forget_past").count() == 1

    @pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 1, "dataset": "没有这个"}], ids=str)
    def test_a_command_that_says_nothing_sensible_lets_go_of_nothing(
        self, copy: Copy, client: Client, feed: str, landed_scene: Scene, wrong: dict[str, Any]
    ) -> None:
        at_one = copy.cursor
        put(landed_scene, [record(1, random.Random(7))], "delete")
        Batch.objects.update(finished_at=LONG_AGO)
        with pytest.raises(CommandError):
            call_command("forget_past", wait=0, **wrong)
        assert self.status(client, feed, at_one) == (200, "")

    def test_values_that_come_to_be_written_otherwise_begin_anew(
        self, copy: Copy, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        """A day becomes a moment: no row has changed, and yet every value is written anew."""
        wider = [
            column("born_on", "日期", "T") if each.name == "born_on" else each for each in COLUMNS
        ]
        publish_contract(landed_scene.dataset, *wider)
        assert self.status(client, feed, copy.cursor) == (200, "")  # the table is as it was
        assert not copy.differing(size=5)
        put(landed_scene, [record(99)])
        assert self.status(client, feed, copy.cursor) == (409, "resync_required")
        anew = Copy(client, feed)
        anew.follow()
        assert not anew.differing(size=5)
        assert {len(row["born_on"] or "") for row in anew.held.values()} == {0, 19}

    def test_an_item_that_nobody_was_granted_disturbs_nobody(
        self, copy: Copy, client: Client, feed: str, landed_scene: Scene
    ) -> None:
        publish_contract(landed_scene.dataset, *COLUMNS, column("later", "新增", length=9))
        put(landed_scene, [[*record(99), "新"]], later="later")
        assert self.status(client, feed, copy.cursor) == (200, "")
