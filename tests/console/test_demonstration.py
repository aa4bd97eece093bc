"""The demonstration says what it is, and cannot be had with the settings of a real city."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.test import Client

from apps.console.checks import no_demonstration_in_production
from apps.console.demo.people import cast_accounts
from apps.console.reference import lifecycles_page, sources_page
from tests.console.test_navigation import signed_in
from tests.factories.accounts import UserFactory

STRIP = "演示环境"
ASK = """
import json, django
from django.conf import settings
django.setup()
print(json.dumps({
    "demo": settings.HUILIU_DEMO,
    "accounts": settings.HUILIU_DEMO_ACCOUNTS,
    "second_factor": settings.HUILIU_SECOND_FACTOR_REQUIRED,
    "password_days": settings.HUILIU_PASSWORD_DAYS,
    "validators": len(settings.AUTH_PASSWORD_VALIDATORS),
    "secure": settings.SESSION_COOKIE_SECURE,
}))
"""


def settings_of(module: str, home: Path, **more: str) -> dict[str, Any]:
    """Load settings in a process of their own, as a server does."""
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": module,
        "HUILIU_HOME": str(home),
        "HUILIU_SECRET_KEY": "for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHI",
        "HUILIU_ALLOWED_HOSTS": "huiliu.example",
        "DATABASE_URL": "postgresql://huiliu:nobody@127.0.0.1:1/huiliu",
        "GATEWAY_DATABASE_URL": "postgresql://gateway:nobody@127.0.0.1:1/huiliu",
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env=environment,
        cwd=configured.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_production_settings_know_no_demonstration_whatever_the_environment_says(
    tmp_path: Path,
) -> None:
    found = settings_of(
        "config.settings.production", tmp_path, HUILIU_DEMO="1", DEMO="true", HUILIU_DEMO_MODE="on"
    )
    assert found == {
        "demo": False,
        "accounts": [],
        "second_factor": True,
        "password_days": 90,
        "validators": len(configured.AUTH_PASSWORD_VALIDATORS),
        "secure": True,
    }


def test_the_demonstration_is_not_loaded_under_other_settings(db: None) -> None:
    for command in ("demo", "load_demo", "play_story"):
        with pytest.raises(CommandError, match="演示"):
            call_command(command)


def test_every_page_of_the_demonstration_says_so(cast: dict[str, Any], settings: Any) -> None:
    client = signed_in(cast["provider-editor"])
    pages = ("/", "/work/", "/admin/accounts/department/")
    assert not any(STRIP in client.get(page).content.decode() for page in pages)
    settings.HUILIU_DEMO = True
    assert all(STRIP in client.get(page).content.decode() for page in pages)
    assert STRIP in Client().get("/accounts/login/").content.decode()


def test_the_entrance_lists_accounts_in_the_demonstration_only(db: None, settings: Any) -> None:
    settings.HUILIU_DEMO_ACCOUNTS = [("provider-editor", "市民政局 · 经办人")]
    assert "provider-editor" not in Client().get("/accounts/login/").content.decode()
    settings.HUILIU_DEMO = True
    assert "provider-editor" in Client().get("/accounts/login/").content.decode()


def test_what_the_entrance_lists_are_the_people_who_are_made() -> None:
    from config.settings import demo

    assert list(cast_accounts()) == demo.HUILIU_DEMO_ACCOUNTS


def test_known_passwords_in_a_real_database_are_an_error(db: None, settings: Any) -> None:
    assert no_demonstration_in_production(databases=["default"]) == []
    UserFactory(username=cast_accounts()[0][0])
    found = no_demonstration_in_production(databases=["default"])
    assert [error.id for error in found] == ["console.E001"]
    assert no_demonstration_in_production() == [], "no database was to be looked at"
    settings.HUILIU_DEMO = True
    assert no_demonstration_in_production(databases=["default"]) == []


def test_the_pages_of_the_reference_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr("apps.console.management.commands.write_docs.ROOT", tmp_path)
    call_command("write_docs", verbosity=0)
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.glob("docs/*")}
    pages = {"lifecycles.md": lifecycles_page(), "sources.md": sources_page()}
    assert pages.items() <= written.items()
