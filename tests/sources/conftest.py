"""Real sources; opt-in (`make test-sources`), since they need servers of Debian's packages."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.catalog.models import Dataset
from tests.factories.warehouse import column, published
from tests.sources.servers import MariaDb, SecondPostgres, Server
from tests.warehouse.conftest import home, rows

__all__ = ["home", "rows"]

SERVERS = {"mysql": MariaDb, "postgresql": SecondPostgres}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "sources" not in item.path.parts:
            continue
        item.add_marker(pytest.mark.sources)
        item.add_marker(pytest.mark.timeout(600))
        if os.environ.get("HUILIU_TEST_SOURCES") != "1":
            item.add_marker(pytest.mark.skip(reason="另行运行：make test-sources"))


@pytest.fixture(scope="session", params=["postgresql", "mysql"])
def running_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    # Not below pytest's own folder, which only its user may enter.
    folder = Path(tempfile.mkdtemp(prefix="huiliu-source-"))
    folder.chmod(0o755)
    server = SERVERS[request.param](folder / "server")
    yield server
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(running_server: Server, settings: Any) -> Server:
    """The server with an empty table of persons, as a department would keep them."""
    settings.HUILIU_PULL_ALLOW = ["127.0.0.0/8"]
    table = "people" if running_server.kind == "postgresql" else "business.people"
    stamp = "timestamp" if running_server.kind == "postgresql" else "datetime(6)"
    blob = "bytea" if running_server.kind == "postgresql" else "blob"
    running_server.execute(f"DROP TABLE IF EXISTS {table}")
    running_server.execute(
        f"CREATE TABLE {table} (id_no varchar(20) PRIMARY KEY, full_name varchar(200),"
        f" money decimal(12,2), born date, changed_at {stamp}, photo {blob})"
    )
    running_server.execute(f"CREATE INDEX people_changed ON {table} (changed_at)")
    return running_server


@pytest.fixture
def dataset(provider_department: Any) -> Dataset:
    return published(
        column("id_no", "编号", length=20, required=True),
        column("name", "姓名", length=100),
        column("amount", "金额", "Y", length=12, scale=2),
        column("born_on", "出生日期", "D"),
        column("changed_at", "变更时间", "T"),
        department=provider_department,
    )
