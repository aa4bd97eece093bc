"""A consumer's own copy: by the feed, killed anywhere, proved, mended, and given up."""

import ast
import csv
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from django.db import connection
from django.test import Client

from apps.sharing import operations as sharing
from apps.sharing.models import Grant
from apps.warehouse.sync import following
from apps.warehouse.sync.following.checking import check
from apps.warehouse.sync.following.configuring import configured_copies
from apps.warehouse.sync.following.copy import Overtaken
from apps.warehouse.sync.following.follower import Follower
from apps.warehouse.sync.portal import PortalRefused
from tests import stories
from tests.factories.copies import (
    CONDITION,
    ITEMS,
    NARROWER,
    NARROWER_ROWS,
    Killed,
    dying,
    held,
    make_copied_scene,
    put,
    record,
    shown,
)
from tests.factories.gateway import access_records, credential_of
from tests.factories.sharing import Scene

pytestmark = pytest.mark.timeout(600)  # processes of its own, on a machine that may be busy
ROOT = Path(following.__file__).resolve().parents[4]


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
def consumers_database(server: None) -> Iterator[sqlalchemy.URL]:
    """A database of the consumer's own, on the server that the tests have."""
    place = connection.settings_dict
    name = f"{place['NAME']}_consumer"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=place["USER"],
        password=place["PASSWORD"],
        database=name,
        query={"host": str(place["HOST"]), "port": str(place["PORT"])},
    )
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def config(
    live_server: Any,
    landed_scene: Scene,
    landed_grant: Grant,
    consumers_database: sqlalchemy.URL,
    tmp_path: Path,
    now: datetime,
) -> Path:
    """A consumer's configuration: one copy in its PostgreSQL, one as CSV, one as NDJSON."""
    credential = credential_of(landed_scene.system, landed_scene.consumer_head, now)
    (tmp_path / "secret").write_text(credential.client_secret)
    (tmp_path / "password").write_text(str(consumers_database.password))
    dataset = landed_scene.dataset.code.replace("/", "-")
    url = consumers_database.set(password=None).render_as_string()
    path = tmp_path / "sync.toml"
    path.write_text(
        f"""
[portal]
url = "{live_server.url}"
client_id = "{credential.client_id}"
client_secret_file = "secret"

[node]
follow_every_seconds = 0.05

[[follow]]
dataset = "{dataset}"
url = "{url}"
password_file = "password"
table = "relief"
limit = 7

[[follow]]
dataset = "{dataset}"
folder = "files"
table = "relief"
format = "csv"
limit = 11

[[follow]]
dataset = "{dataset}"
folder = "lines"
table = "relief"
format = "ndjson"
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def followers(config: Path) -> list[Follower]:
    return configured_copies(config, wait=lambda _seconds: None)[0]


def command(*arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "apps.warehouse.sync", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_of_it_knows_django() -> None:
    for path in (ROOT / "apps" / "warehouse" / "sync").rglob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.ImportFrom | ast.Import):
                names = [found.module or ""] if isinstance(found, ast.ImportFrom) else []
                names += [alias.name for alias in found.names]
                assert not any("django" in name for name in names), path


def test_it_copies_follows_and_proves(
    followers: list[Follower], client: Client, address: str, landed_scene: Scene, tmp_path: Path
) -> None:
    for follower in followers:
        follower.turn()
        assert held(follower) == shown(client, address)
        assert check(follower).is_exact
    kept = followers[0].copy
    types = {
        column["name"]: str(column["type"])
        for column in sqlalchemy.inspect(kept.engine).get_columns("relief")
    }
    assert types == {
        "_id": "BIGINT",
        "code": "TEXT",
        "name": "TEXT",
        "area": "TEXT",
        "amount": "NUMERIC(12, 2)",
        "rate": "DOUBLE PRECISION",
        "size": "BIGINT",
        "born_on": "DATE",
        "seen_at": "TIMESTAMP",
        "is_open": "BOOLEAN",
        "_disputed": "TEXT",
    }
    dice = random.Random(3)
    for mode in ("upsert", "delete", "snapshot"):
        put(landed_scene, [record(n, dice) for n in dice.sample(range(60), 20)], mode)
    for follower in followers:
        before = follower.copy.standing()
        standing = follower.turn()
        assert (standing.horizon, standing.is_complete) == (4, True)
        assert standing.revision > before.revision
        assert held(follower) == shown(client, address)
        assert check(follower).is_exact
        again = follower.turn()
        assert again.revision == standing.revision
    published(tmp_path, shown(client, address))


def published(folder: Path, right: list[dict[str, Any]]) -> None:
    """The files hold the same, whole, as their manifests say; codes keep their zeros."""
    manifest = json.loads((folder / "files" / "relief.manifest.json").read_text())
    assert manifest["rows"] == len(right)
    with (folder / "files" / manifest["file"]).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["code"] for line in lines] == [row["code"] for row in right]
    assert [line["name"] or None for line in lines] == [row["name"] for row in right]
    manifest = json.loads((folder / "lines" / "relief.manifest.json").read_text())
    text = (folder / "lines" / manifest["file"]).read_text(encoding="utf-8")
    assert [json.loads(line) for line in text.splitlines()] == right


def test_killed_at_any_step_it_goes_on(
    followers: list[Follower], client: Client, address: str, landed_scene: Scene
) -> None:
    dice = random.Random(11)
    died: set[str] = set()
    for turn in range(2):
        for follower in followers[:2]:
            owners: list[tuple[Any, str]] = [
                (follower.copy, "begin_anew"),
                (follower.copy, "_keep"),
                (follower.copy, "put"),
                (follower.copy, "apply"),
                (follower.portal, "get"),
                (follower, "_publish"),
            ]
            for owner, step in owners:
                for when, calls in (("before", 1), ("after", 1), ("after", 2)):
                    revive = dying(owner, step, when, calls)
                    try:
                        follower.turn()
                    except Killed:
                        died.add(step)
                    finally:
                        revive()
        if turn == 0:
            put(landed_scene, [record(n, dice) for n in dice.sample(range(60), 25)], "snapshot")
    assert died == {step for _owner, step in owners}
    for follower in followers[:2]:
        follower.turn()
        assert held(follower) == shown(client, address)
        assert check(follower).is_exact


def test_what_was_done_to_the_copy_is_found_and_mended(
    followers: list[Follower], client: Client, address: str, config: Path, tmp_path: Path
) -> None:
    for follower in followers[:2]:
        follower.turn()
        right = held(follower)
        altered, lacking = right[3]["_id"], right[8]["_id"]
        surplus = right[-1]["_id"] + 5000
        with follower.copy.engine.begin() as plane:
            plane.exec_driver_sql(f"UPDATE relief SET size = 123456 WHERE _id = {altered}")
            plane.exec_driver_sql(f"DELETE FROM relief WHERE _id = {lacking}")
            plane.exec_driver_sql(f"INSERT INTO relief (_id, code) VALUES ({surplus}, 'x')")
        verdict = check(follower)
        assert (verdict.is_exact, verdict.mended, verdict.rows) == (False, False, len(right))
        [found] = verdict.differences
        assert (found.lacking, found.surplus, found.altered) == ([lacking], [surplus], [altered])
        assert held(follower) != right
        assert check(follower, mend=True).mended
        assert held(follower) == right == shown(client, address)
        assert check(follower).is_exact
    manifest = json.loads((tmp_path / "files" / "relief.manifest.json").read_text())
    file = tmp_path / "files" / manifest["file"]
    file.write_text(file.read_text(encoding="utf-8") + "x", encoding="utf-8")
    checked = command("check", config, "--table", "relief")
    assert checked.returncode == 1
    told = [json.loads(line) for line in checked.stdout.splitlines()]
    assert [each["files_are_whole"] for each in told] == [True, False]  # NDJSON never followed
    assert check(followers[1], mend=True).is_exact
    assert check(followers[1]).files_are_whole
    assert command("check", config, "--table", "none").returncode == 2
    told = json.loads(command("status", config).stdout)
    assert [each["is_complete"] for each in told] == [True, True, False]


def test_a_table_that_somebody_removed_is_made_again(
    followers: list[Follower], client: Client, address: str
) -> None:
    follower = followers[0]
    follower.turn()
    with follower.copy.engine.begin() as plane:
        plane.exec_driver_sql("DROP TABLE relief")
    follower.turn()
    assert held(follower) == shown(client, address)
    assert check(follower).is_exact


def test_two_at_once_do_not_tread_on_each_other(
    followers: list[Follower], config: Path, client: Client, address: str, landed_scene: Scene
) -> None:
    one = followers[0]
    [two, *_others] = configured_copies(config)[0]
    one.turn()
    before = two.copy.standing()
    put(landed_scene, [record(n, random.Random(n + 77)) for n in range(30)])
    one.turn()
    with pytest.raises(Overtaken):
        two.copy.apply(before, following.follower.page_of([]), before)
    two.turn()
    assert held(one) == held(two) == shown(client, address)


def test_what_is_granted_no_longer_is_not_kept(
    followers: list[Follower],
    client: Client,
    address: str,
    landed_scene: Scene,
    now: datetime,
    tmp_path: Path,
) -> None:
    for follower in followers:
        follower.turn()
    narrow(landed_scene, now)
    for follower in followers:
        follower.turn()
        assert held(follower) == shown(client, address)
        assert {row["is_open"] for row in held(follower)} == {True}
        assert "rate" not in follower.copy.standing().names
        assert check(follower).is_exact
    columns = sqlalchemy.inspect(followers[0].copy.engine).get_columns("relief")
    assert "rate" not in {column["name"] for column in columns}
    assert len(list((tmp_path / "files").glob("relief-*"))) == 1
    grant = Grant.objects.get(status="in_force")
    sharing.end(grant=grant, actor=landed_scene.provider_head, at=now, reason="用途终止")
    followers[1].empties = True
    for follower in followers[:2]:
        with pytest.raises(PortalRefused) as refused:
            follower.turn()
        assert refused.value.code == "grant_ended"
    assert held(followers[0])
    assert held(followers[1]) == []
    assert not list((tmp_path / "files").glob("relief*"))


def wait_until_it_reads() -> None:
    """Until the process asks for something: killed before that, it would have been no test."""
    before = len(access_records())
    for _attempt in range(600):
        if len(access_records()) > before:
            return
        time.sleep(0.1)
    raise AssertionError("the process reads nothing")


def narrow(scene: Scene, at: datetime) -> None:
    """Fewer items and fewer rows, by a renewal of the grant."""
    stories.delivered(scene, at, items=NARROWER, row_condition=NARROWER_ROWS)


def test_after_a_day_of_batches_kills_and_narrower_terms_it_holds_exactly_what_is_granted(
    config: Path,
    followers: list[Follower],
    client: Client,
    address: str,
    landed_scene: Scene,
    now: datetime,
) -> None:
    """The client is a process of its own, ended by SIGKILL at random moments."""
    dice = random.Random(20261128)
    killed = 0
    for hour in range(10):
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.warehouse.sync", "follow", str(config)],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_it_reads()
            for _batch in range(dice.randint(1, 3)):
                rows = dice.sample(range(80), dice.randint(1, 40))
                mode = dice.choice(["upsert", "upsert", "snapshot", "delete"])
                put(landed_scene, [record(n, dice) for n in rows], mode)
                if hour == 6 and _batch == 0:
                    narrow(landed_scene, now)
            time.sleep(dice.random() * 1.5)
        finally:
            killed += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert killed == 10
    last = command("follow", config, "--once")
    assert last.returncode == 0, last.stderr
    checked = command("check", config)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    right = shown(client, address)
    assert len(right) > 5
    for follower in followers:
        assert held(follower) == right
    table = landed_scene.dataset.data_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT _id, code, amount::text FROM {table.schema}.{table.name}"
            " WHERE area = '500103' AND is_open ORDER BY _id"
        )
        assert [(row["_id"], row["code"], row["amount"]) for row in right] == cursor.fetchall()
