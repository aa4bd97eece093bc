"""What the platform says about itself, to whatever watches processes and to whoever runs them."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from apps.console import diagnosis, health
from apps.console.diagnosis import Level
from apps.sharing.gateway import pool
from tests.console.test_navigation import signed_in

Say = Callable[..., str]


@pytest.fixture
def doctor(capsys: pytest.CaptureFixture[str]) -> Say:
    """Return what `manage.py doctor` prints, and with which number it ends."""

    def say(**options: Any) -> str:
        ended = 0
        try:
            call_command("doctor", **options)
        except SystemExit as error:
            ended = int(error.code or 0)
        return f"{ended}\n{capsys.readouterr().out}"

    return say


@pytest.mark.django_db(transaction=True)
def test_a_whole_installation_is_live_and_ready() -> None:
    client = Client()
    assert client.get("/health/live").json() == {"status": "ok"}
    answer = client.get("/health/ready")
    pool.close()
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "gateway": "ok"},
    }
    assert "no-store" in answer.headers["Cache-Control"]


def test_life_needs_no_database(settings: Any) -> None:
    """Without the `db` fixture a query fails the test."""
    assert Client().get("/health/live").status_code == 200


@pytest.mark.parametrize("part", ["database", "migrations", "gateway"])
def test_what_fails_is_named_and_never_why(
    db: None, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def broken() -> bool:
        raise psycopg.OperationalError("password authentication failed for user huiliu")

    for name in ("database", "migrations", "gateway"):
        monkeypatch.setattr(health, f"_{name}", broken if name == part else lambda: True)
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    told = answer.json()
    assert told["checks"].pop(part) == "failed"
    assert set(told["checks"].values()) == {"ok"}
    assert "password" not in answer.content.decode()


def test_only_reading_is_answered(db: None) -> None:
    assert Client().post("/health/live").status_code == 405
    assert Client().post("/health/ready").status_code == 405


def test_the_doctor_finds_nothing_that_blocks(db: None, doctor: Say) -> None:
    said = doctor()
    assert said.startswith("0\n"), said
    assert "阻断 0 项" in said
    assert "数据库结构是最新的" in said


def test_the_doctor_names_a_waiting_migration_and_the_remedy(db: None, doctor: Say) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id IN"
            " (SELECT max(id) FROM django_migrations WHERE app = 'clocks')"
        )
    said = doctor()
    assert said.startswith("1\n")
    assert "clocks." in said
    assert "处理：执行 python manage.py migrate" in said


def test_the_doctor_stays_calm_without_a_database(
    monkeypatch: pytest.MonkeyPatch, doctor: Say
) -> None:
    away = diagnosis.blocking("连不上数据库", "检查 DATABASE_URL")
    monkeypatch.setattr(diagnosis, "_reachable", lambda: away)
    said = doctor()
    assert said.startswith("1\n")
    assert "处理：检查 DATABASE_URL" in said


def test_a_gateway_role_with_too_much_power_blocks(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "_row", lambda *_question: (True, True, False))
    found = diagnosis._gateway()
    assert found.level is Level.BLOCKING
    assert "权限过大" in found.words
    assert "doctor --sql" in found.remedy


def test_large_objects_that_anybody_may_write_are_named(db: None) -> None:
    found = diagnosis._large_objects()
    assert found.level is diagnosis.Level.ATTENTION  # a test's database is made of the template
    assert "lo_from_bytea" in found.words
    assert "doctor --sql" in found.remedy


def test_the_script_for_a_server_of_ones_own_shows_no_password_in_use(
    db: None, doctor: Say, settings: Any
) -> None:
    said = doctor(sql=True)
    assert "CREATE ROLE" in said
    for password in (settings.DATABASES["default"]["PASSWORD"], settings.GATEWAY["password"]):
        assert not password or password not in said


def test_the_administrators_page_says_what_the_doctor_says(cast: dict[str, Any]) -> None:
    page = signed_in(cast["system-admin"]).get("/work/health/")
    told = [finding.words for finding, _tone in page.context["found"]]
    assert told == [finding.words for finding in diagnosis.findings()]
    assert signed_in(cast["provider-head"]).get("/work/health/").status_code == 403
