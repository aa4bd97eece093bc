"""What the surroundings say, and what is refused."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

URL = "postgresql://portal:s%40cret@db.example:5433/city?sslmode=verify-full"


@pytest.fixture
def own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", URL)
    monkeypatch.delenv("GATEWAY_DATABASE_URL", raising=False)


def test_it_reads_a_database_address(own_server: None) -> None:
    settings = environment.database_settings()
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", "5433", "city")
    assert (settings["USER"], settings["PASSWORD"]) == ("portal", "s@cret")
    assert settings["OPTIONS"] == {"sslmode": "verify-full"}


def test_it_sends_the_gateway_to_the_same_server_by_its_own_login(own_server: None) -> None:
    gateway = environment.gateway_settings()
    assert (gateway["host"], gateway["port"]) == ("db.example", "5433")
    assert gateway["user"] == "huiliu_gateway"


def test_it_makes_a_secret_key_once_and_keeps_it_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUILIU_HOME", str(tmp_path))
    monkeypatch.delenv("HUILIU_SECRET_KEY", raising=False)
    made = environment.secret_key()
    assert environment.secret_key() == made
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("given", ["", "short"])
def test_it_refuses_production_without_a_good_key(
    given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings.production")
    monkeypatch.setenv("HUILIU_SECRET_KEY", given)
    with pytest.raises(ImproperlyConfigured, match="HUILIU_SECRET_KEY"):
        environment.secret_key()


def test_it_refuses_a_port_that_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(ImproperlyConfigured, match="PORT"):
        environment.port()


def test_it_locks_for_ten_minutes_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUILIU_LOCKOUT_MINUTES", raising=False)
    assert environment.lockout() == timedelta(minutes=10)
    monkeypatch.setenv("HUILIU_LOCKOUT_MINUTES", "3")
    assert environment.lockout() == timedelta(minutes=3)
