"""Cast × status × mode: all that can be read of a dataset, through any door, is what was granted.

Asked as PostgreSQL answers: each role takes every relation that the catalogues list, column by
column, and what it can fetch is compared with the terms. Asked over HTTP: everybody of the cast and
every system goes to every address of the data plane.

Source: house rule (design §4)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from apps.accounts.models import InformationSystem, User
from apps.sharing import naming, provisioning
from apps.sharing import operations as sharing
from apps.sharing.models import Grant
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.gateway import caller, credential_of, draw_token, streamed
from tests.factories.sharing import ROWS, Scene, land, make_scene
from tests.sharing.conftest import consumer_connection
from tests.sharing.test_views_forms import signed_in

pytestmark = pytest.mark.usefixtures("no_earlier_records")

Rows = set[tuple[str, ...]]
MODES: Final = ("interface", "batch", "file", "database", "verify")
ITEMS: Final = {"identity_number": "cover_identity", "name": "", "registered_on": ""}
CONDITION: Final = [{"item": "division_code", "operator": "eq", "value": "500103"}]
NARROWER: Final = [*CONDITION, {"item": "name", "operator": "prefix", "value": "张"}]
GRANTED: Final[Rows] = {
    ("110105********002X", "张小三", "2026-01-05"),
    ("440524********0014", "李四", "2026-02-06"),
    ("500103********0111", "王五", "2026-03-07"),
}
# Every value of the rows that nobody was granted, in any form, and what the masks cover.
SECRETS: Final = (
    {row[0] for row in ROWS}
    | {row[1] for row in ROWS if row[2] != "500103"}
    | {row[4] for row in ROWS if row[4]}
)


@dataclass(frozen=True)
class World:
    """A grant in some status, and other systems that have nothing to do with it."""

    scene: Scene
    grant: Grant
    of_the_same_department: InformationSystem
    of_another: Grant


def _narrowed(scene: Scene, at: datetime, **more: Any) -> Grant:
    grant = stories.grant_in("in_force", scene, at, **more)
    return sharing.narrow(
        grant=grant,
        actor=scene.provider_head,
        at=at,
        items=["identity_number", "name"],
        row_condition=NARROWER,
        reason="超出需要",
    )


def _overdue(scene: Scene, at: datetime, **more: Any) -> Grant:
    """Its last day is over and no task has run since."""
    grant = stories.grant_in("in_force", scene, at, **more)
    Grant.objects.filter(pk=grant.pk).update(
        starts_at=at - timedelta(days=2), expires_at=at - timedelta(days=1)
    )
    grant.refresh_from_db()
    provisioning.persistently(lambda: provisioning.provision(grant))
    return grant


def _resumed(scene: Scene, at: datetime, **more: Any) -> Grant:
    grant = stories.grant_in("suspended", scene, at, **more)
    return sharing.resume(grant=grant, actor=scene.provider_head, at=at, reason="已整改")


def _torn_down(scene: Scene, at: datetime, **more: Any) -> Grant:
    grant = stories.grant_in("ended", scene, at, **more)
    sharing.tear_down(grant=grant, at=at)
    return grant


STATUSES: Final[dict[str, Callable[..., Grant]]] = {
    **{
        status: lambda scene, at, status=status, **more: stories.grant_in(status, scene, at, **more)
        for status in ("delivering", "in_force", "suspended", "ended", "expired")
    },
    "resumed": _resumed,
    "narrowed": _narrowed,
    "overdue": _overdue,
    "torn_down": _torn_down,
}
READABLE: Final[dict[str, Rows]] = {
    "in_force": GRANTED,
    "resumed": GRANTED,
    "narrowed": {("110105********002X", "张小三")},
}


@pytest.fixture(params=STATUSES)
def status(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(server: None, cast: dict[str, Any], now: datetime, status: str, mode: str) -> World:
    scene = make_scene()
    land(scene.dataset)
    other = make_scene()
    land(other.dataset, rows=(("110105200001010000", "外人", "500103", None, None),))
    items = dict.fromkeys(ITEMS, "") if mode == "verify" else ITEMS  # what is compared is no mask
    terms = {"items": items, "row_condition": CONDITION, "mode": mode}
    return World(
        scene=scene,
        of_the_same_department=InformationSystemFactory(department=scene.consumer_department),
        of_another=stories.delivered(other, now, items={"name": ""}).grant,
        grant=STATUSES[status](scene, now, **terms),
    )


def _readable(status: str, mode: str) -> set[tuple[str, ...]]:
    return set() if mode == "verify" else READABLE.get(status, set())


def test_all_that_can_be_read_through_any_door_is_what_was_granted(
    world: World, status: str, mode: str, cast: dict[str, Any], now: datetime
) -> None:
    expected = set() if mode == "verify" else READABLE.get(status, set())
    _check_what_the_database_gives(world, expected)
    _check_what_the_data_plane_serves(world, expected, now)
    _check_what_people_are_served(world, cast)


def _check_what_the_database_gives(world: World, expected: Rows) -> None:
    own = _all_that_is_fetched_by(world.grant.system)
    view = f"share.g_{world.grant.pk}"
    assert set(own) <= {view}
    # _id and _batch come first
    assert {tuple(map(str, row[2:])) for row in own.get(view, [])} == expected
    assert _all_that_is_fetched_by(world.of_the_same_department) == {}
    others = _all_that_is_fetched_by(world.of_another.system)
    assert others == {f"share.g_{world.of_another.pk}": [(1, 1, "外人")]}
    with consumer_connection() as gateway_without_a_role:
        assert _fetched(gateway_without_a_role) == {}


def _check_what_the_data_plane_serves(world: World, expected: Rows, at: datetime) -> None:
    heard = _all_that_is_served_to(world, world.grant.system, at)
    told = {value for row in GRANTED for value in row if value in heard}
    assert told == {value for row in expected for value in row}
    assert not {secret for secret in SECRETS if secret in heard}
    for system in (world.of_the_same_department, world.of_another.system):
        heard = _all_that_is_served_to(world, system, at)
        assert not {row[1] for row in ROWS if row[1] in heard}


def _check_what_people_are_served(world: World, cast: dict[str, Any]) -> None:
    """A session is no token: nobody reads rows at the data plane's addresses."""
    scene = world.scene
    for person in [*cast.values(), scene.provider_head, scene.consumer_head, scene.authority]:
        client = signed_in(person)
        for path in ("", "/changes", "/export.csv"):
            assert client.get(_address(world) + path).status_code in (401, 403, 404), (person, path)


def _all_that_is_fetched_by(system: InformationSystem) -> dict[str, list[tuple[Any, ...]]]:
    role = naming.role_of_system(provisioning.database(), system.pk)
    with consumer_connection() as plane:
        if not plane.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            return {}
        plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        assert plane.execute("SELECT current_user").fetchone() == (role,)
        return _fetched(plane)


def _fetched(plane: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Take every relation whole, else every column by itself; return what came, by relation."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for schema, table, columns in _relations():
        relation = sql.Identifier(schema, table)
        for what in [sql.SQL("*"), *map(sql.Identifier, columns)]:
            try:
                rows = plane.execute(sql.SQL("SELECT {} FROM {}").format(what, relation)).fetchall()
            except psycopg.errors.InsufficientPrivilege:
                continue
            if rows:
                found[f"{schema}.{table}"] = rows
            break
    return found


def _relations() -> list[tuple[str, str, list[str]]]:
    """List, as the owner, where rows lie; of the portal's own tables test_isolation asks all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum)::text[]"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            " AND n.nspname ~ '^(share|pool_|base_|theme_)'"
            " GROUP BY 1, 2"
        )
        return [(schema, table, list(columns)) for schema, table, columns in cursor.fetchall()]


def _address(world: World) -> str:
    return f"/api/v1/data/{world.scene.dataset.code.replace('/', '-')}"


def _addresses(world: World) -> list[str]:
    address = _address(world)
    return [
        address,
        f"{address}?shape=arrays",
        f"{address}?format=csv",
        f"{address}?format=ndjson",
        f"{address}?name=赵六",
        f"{address}?division_code=500112",
        f"{address}?fields=amount",
        f"{address}/changes",
        f"{address}/export.csv",
        f"{address}/changes/proof",
        f"{address}/changes/rows",
        f"{address}/columns",
        f"{address}/exports",
        *(f"{address}/{key}" for key, *_rest in ROWS),
    ]


def _all_that_is_served_to(world: World, system: InformationSystem, at: datetime) -> str:
    """Ask at every address as the system; return all bodies in one."""
    heads = User.objects.filter(role_assignments__role__code="department_approver")
    [head] = heads.filter(department=system.department_id)
    client = caller(draw_token(credential_of(system, head, at)))
    heard = []
    for path in _addresses(world):
        answer = client.get(path)
        if getattr(answer, "streaming", False):
            heard.append(b"".join(streamed(answer)).decode())
        else:
            heard.append(answer.content.decode())
    return "\n".join(heard)
