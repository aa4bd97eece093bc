"""The cast: the people of every story, each with what the role gives and nothing more."""

from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import hypothesis
import psycopg
import pytest
from django.db import connection
from django.utils import translation

from apps.ledger.operations import events
from tests import emptying
from tests.factories.accounts import DepartmentFactory, UserFactory

# No test asserts a time: a busy machine is no fault of the code.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")
emptying.quickly()


@pytest.fixture
def at() -> datetime:
    """A Wednesday morning on which everybody works."""
    return datetime(2026, 11, 18, 2, 0, tzinfo=UTC)


@pytest.fixture
def authority_department(db: None) -> Any:
    return DepartmentFactory(name="市大数据应用发展管理局", is_authority=True)


@pytest.fixture
def provider_department(db: None) -> Any:
    return DepartmentFactory(name="市民政局")


@pytest.fixture
def consumer_department(db: None) -> Any:
    return DepartmentFactory(name="市教委")


@pytest.fixture
def provider(provider_department: Any) -> Any:
    return UserFactory(department=provider_department, roles=["department_editor"])


@pytest.fixture
def provider_head(provider_department: Any) -> Any:
    return UserFactory(department=provider_department, roles=["department_approver"])


@pytest.fixture
def consumer(consumer_department: Any) -> Any:
    return UserFactory(department=consumer_department, roles=["department_editor"])


@pytest.fixture
def consumer_head(consumer_department: Any) -> Any:
    return UserFactory(department=consumer_department, roles=["department_approver"])


@pytest.fixture
def authority(authority_department: Any) -> Any:
    return UserFactory(department=authority_department, roles=["authority_officer"])


@pytest.fixture
def authority_leader(authority_department: Any) -> Any:
    return UserFactory(department=authority_department, roles=["authority_leader"])


@pytest.fixture
def system_admin(authority_department: Any) -> Any:
    return UserFactory(department=authority_department, roles=["system_admin"])


@pytest.fixture
def security_admin(authority_department: Any) -> Any:
    return UserFactory(department=authority_department, roles=["security_admin"])


@pytest.fixture
def auditor(authority_department: Any) -> Any:
    return UserFactory(department=authority_department, roles=["audit_admin"])


@pytest.fixture
def outsider(db: None) -> Any:
    """Edits and approves in a department that has nothing to do with the matter."""
    department = DepartmentFactory(name="市体育局")
    return UserFactory(department=department, roles=["department_editor", "department_approver"])


@pytest.fixture
def citizen(db: None) -> Any:
    return UserFactory(kind="citizen", department=None)


@pytest.fixture
def unassigned(db: None) -> Any:
    """A person without a department, who therefore sees nothing."""
    return UserFactory(department=None)


@pytest.fixture
def inactive(provider_department: Any) -> Any:
    return UserFactory(
        department=provider_department,
        roles=["department_editor", "department_approver"],
        is_active=False,
    )


@pytest.fixture
def cast(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Everybody at once, by name, for the permission matrices."""
    return {name: request.getfixturevalue(name) for name in CAST}


CAST = (
    "provider",
    "provider_head",
    "consumer",
    "consumer_head",
    "authority",
    "authority_leader",
    "system_admin",
    "security_admin",
    "auditor",
    "outsider",
    "citizen",
    "unassigned",
    "inactive",
)


@pytest.fixture(autouse=True)
def _language(settings: Any) -> None:
    """A request in English leaves its language to the thread, and so to the next test."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    """Landed files of a test go to a folder of its own."""
    settings.HUILIU_HOME = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _refusals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know of the refusals that a test has written: they are not rolled back with it."""

    def opened(autonomous: Any) -> Any:
        request.node.stash[REFUSALS] = True
        return closing(autonomous)

    monkeypatch.setattr(events, "closing", opened)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Forget a test's refusals once its transaction is over, so that the next may count its own."""
    yield
    if item.stash.get(REFUSALS, False):
        known = connection.get_connection_params()
        server = {name: known[name] for name in ("dbname", "user", "password", "host", "port")}
        with psycopg.connect(**server) as plain:
            plain.execute("TRUNCATE ledger_event")


REFUSALS = pytest.StashKey[bool]()
