"""A consumer's copy in a real MariaDB and a second PostgreSQL."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from apps.sharing.gateway import pool
from apps.warehouse.sync.following.checking import check
from apps.warehouse.sync.following.configuring import configured_copies
from apps.warehouse.sync.following.follower import Follower
from tests import stories
from tests.factories.copies import (
    CONDITION,
    ITEMS,
    Killed,
    dying,
    held,
    make_copied_scene,
    put,
    record,
    shown,
)
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.sharing import Scene
from tests.sharing.conftest import drop_derived
from tests.sources.servers import Server


@pytest.fixture
def scene(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Scene]:
    settings.HUILIU_HOME = tmp_path / "home"
    made = make_copied_scene()
    stories.delivered(made, timezone.now(), items=ITEMS, row_condition=CONDITION)
    yield made
    pool.close()
    drop_derived()


@pytest.fixture
def follower(live_server: Any, scene: Scene, running_server: Server, tmp_path: Path) -> Follower:
    credential = credential_of(scene.system, scene.consumer_head, timezone.now())
    (tmp_path / "secret").write_text(credential.client_secret)
    if running_server.kind == "mysql":
        running_server.execute("DROP DATABASE IF EXISTS copies")
        running_server.execute("CREATE DATABASE copies")
        driver, database = "mysql+pymysql", "copies"
    else:
        running_server.execute("DROP TABLE IF EXISTS relief, huiliu_checkpoint")
        driver, database = "postgresql+psycopg", "business"
    place = f"{running_server.superuser}@127.0.0.1:{running_server.port}"
    path = tmp_path / "sync.toml"
    path.write_text(
        f"""
[portal]
url = "{live_server.url}"
client_id = "{credential.client_id}"
client_secret_file = "secret"

[[follow]]
dataset = "{scene.dataset.code}"
url = "{driver}://{place}/{database}"
table = "relief"
limit = 7
""",
        encoding="utf-8",
    )
    [found], _pause = configured_copies(path, wait=lambda _seconds: None)
    return found


def test_it_holds_exactly_what_is_granted_whatever_landed_and_wherever_it_was_killed(
    follower: Follower, scene: Scene
) -> None:
    client = caller(
        draw_token(credential_of(scene.system, scene.consumer_head, timezone.now()), Client())
    )
    address = f"/api/v1/data/{scene.dataset.code.replace('/', '-')}"
    dice = random.Random(4)
    for turn in range(6):
        for step in ("_keep", "put", "begin_anew", "apply"):
            for when, calls in (("before", 1), ("after", 1), ("after", 2)):
                revive = dying(follower.copy, step, when, calls)
                try:
                    follower.turn()
                except Killed:
                    pass
                finally:
                    revive()
        follower.turn()
        assert held(follower) == shown(client, address)
        assert check(follower).is_exact
        rows = [record(number, dice) for number in dice.sample(range(80), 30)]
        put(scene, rows, ["upsert", "snapshot", "delete"][turn % 3])
    follower.turn()
    stories.delivered(
        scene, timezone.now(), items={"code": "", "amount": ""}, row_condition=CONDITION
    )
    follower.turn()
    assert held(follower) == shown(client, address)
    with follower.copy.engine.begin() as plane:
        plane.exec_driver_sql("UPDATE relief SET amount = 7 WHERE amount IS NOT NULL")
    assert check(follower, mend=True).mended
    assert held(follower) == shown(client, address)
