"""Scenes of sharing; for tests that read as a consumer, and what they leave in the server."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from psycopg import sql

from apps.sharing import naming, provisioning
from apps.sharing.gateway import pool, prepared
from apps.sharing.gateway.wire import Exchange
from apps.sharing.models import Grant
from tests import stories
from tests.factories.gateway import caller, credential_of, draw_token
from tests.factories.sharing import Scene, land, make_scene

Read = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def scene(db: None) -> Scene:
    """A request's two departments and a conditional dataset that nobody landed yet."""
    return make_scene()


@pytest.fixture
def now() -> datetime:
    """The real time: row policies compare with the server's clock."""
    return timezone.now()


@pytest.fixture
def server(transactional_db: None) -> Iterator[None]:
    """Committed work, roles and schemas included; they are dropped afterwards."""
    yield
    pool.close()
    drop_derived()


@pytest.fixture
def landed_scene(server: None) -> Scene:
    """A scene whose dataset has six rows in two districts, committed."""
    scene = make_scene()
    land(scene.dataset)
    return scene


@pytest.fixture
def landed_grant(landed_scene: Scene, now: datetime) -> Grant:
    """A grant in force: identity number masked, name, district and day; rows of district 500103."""
    request = stories.delivered(
        landed_scene,
        now,
        items={
            "identity_number": "cover_identity",
            "name": "",
            "division_code": "",
            "registered_on": "",
        },
        row_condition=[{"item": "division_code", "operator": "eq", "value": "500103"}],
    )
    return request.grant


@pytest.fixture
def no_earlier_records(server: None) -> None:
    """Access records lie in tables that are not Django's, so its flush leaves them."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE ledger_accessrecord, ledger_accessclose")


@pytest.fixture
def client(landed_grant: Grant, landed_scene: Scene, now: datetime) -> Client:
    """The consumer's system, with a token of its own."""
    credential = credential_of(landed_scene.system, landed_scene.consumer_head, now)
    return caller(draw_token(credential))


@pytest.fixture
def address(landed_scene: Scene) -> str:
    return f"/api/v1/data/{landed_scene.dataset.code.replace('/', '-')}"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the data plane says to the database past Django's cursors, statement by statement."""
    heard: list[str] = []
    fetch, say, tell = prepared._fetch, Exchange.say, Exchange.tell

    def fetched(statement: str, parameters: prepared.Parameters) -> Any:
        heard.append(statement)
        return fetch(statement, parameters)

    def said(exchange: Exchange, statement: str) -> None:
        heard.append(statement)
        say(exchange, statement)

    def told(exchange: Exchange, statement: str, values: Any) -> None:
        heard.append(statement)
        tell(exchange, statement, values)

    monkeypatch.setattr(prepared, "_fetch", fetched)
    monkeypatch.setattr(Exchange, "say", said)
    monkeypatch.setattr(Exchange, "tell", told)
    return heard


@pytest.fixture
def read() -> Read:
    """Read as a consumer's system: on a connection of its own, logged in as the gateway."""

    def read_as(grant: Grant, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        role = naming.role_of_system(provisioning.database(), grant.system_id)
        with consumer_connection() as plane:
            plane.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            current = plane.execute("SELECT current_user").fetchone()
            assert current == (role,)
            cursor = plane.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    return read_as


def consumer_connection() -> psycopg.Connection[Any]:
    """Log in as the gateway, which may do nothing but take a consumer's role."""
    place = settings.GATEWAY
    return psycopg.connect(
        host=place["host"],
        port=place["port"],
        user=place["user"],
        password=place["password"],
        dbname=provisioning.database(),
        autocommit=True,
    )


def drop_derived() -> None:
    """Drop what provisioning and landing made in the server: views, tables, roles."""
    database = provisioning.database()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname ~ '^(share|pool_|base_|theme_)'"
        )
        for (schema,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        cursor.execute(
            "SELECT rolname FROM pg_roles"
            " WHERE rolname ~ ('^' || %s || '_(g|sys|v|login)_[0-9]+$')",
            [database],
        )
        for (role,) in cursor.fetchall():
            cursor.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        readers = sql.Identifier(naming.readers_role(database))
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [naming.readers_role(database)])
        if cursor.fetchone():
            mask = sql.Identifier(naming.MASK_SCHEMA)
            cursor.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(mask, readers))
            cursor.execute(
                sql.SQL("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {} FROM {}").format(mask, readers)
            )
            cursor.execute(sql.SQL("DROP ROLE {}").format(readers))
