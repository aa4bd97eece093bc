"""A front node pushes its tables and ferries files: killed anywhere, everything lands once."""

import ast
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from django.test import Client
from django.utils import timezone

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, NotAllowed
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch, FrontNode, Upload
from apps.warehouse.sync import ferry, node, portal
from apps.warehouse.sync.node import Node, configured
from apps.warehouse.sync.portal import Portal, PortalRefused
from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
from tests.factories.gateway import credential_of
from tests.factories.warehouse import AT, column, published

HEADER = "id_no,name\r\n"


@pytest.fixture
def department(transactional_db: None) -> Any:
    return DepartmentFactory(name="市民政局")


@pytest.fixture
def dataset(department: Any) -> Dataset:
    return published(
        column("id_no", "编号", length=20, required=True),
        column("name", "姓名", length=100),
        department=department,
    )


@pytest.fixture
def system(department: Any) -> InformationSystem:
    found: InformationSystem = InformationSystemFactory(department=department)
    return found


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    settings.HUILIU_HOME = tmp_path / "home"
    return tmp_path / "home"


@pytest.fixture
def config(live_server: Any, dataset: Dataset, system: InformationSystem, tmp_path: Path) -> Path:
    """A department's folder: a database of its own and the node's configuration."""
    head = UserFactory(department=dataset.department, roles=["department_approver"])
    credential = credential_of(system, head, timezone.now())
    (tmp_path / "secret").write_text(credential.client_secret + "\n")
    path = tmp_path / "node.toml"
    path.write_text(
        f"""
[portal]
url = "{live_server.url}/"
client_id = "{credential.client_id}"
client_secret_file = "secret"

[node]
name = "前置机一"

[[push]]
name = "people"
url = "sqlite:///{tmp_path / "business.db"}"
dataset = "{dataset.dashed_code}"
table = "people"
watermark = "version"
overlap = 0
rows = 100
columns = {{ id_no = "k", name = "n" }}
""",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def business(tmp_path: Path) -> Iterator[sqlalchemy.Engine]:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'business.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (k text PRIMARY KEY, n text, version int)")
    fill(engine, range(250))
    yield engine
    engine.dispose()


def fill(engine: sqlalchemy.Engine, numbers: range) -> None:
    with engine.begin() as connection:
        for number in numbers:
            connection.exec_driver_sql(
                "INSERT INTO people VALUES (?, ?, ?)", (f"N{number:05d}", f"张{number}", number)
            )


def land(_seconds: float = 0) -> None:
    """What the portal's worker does while the node waits."""
    warehouse.land_due(at=timezone.now())


def started(config: Path) -> Node:
    return configured(config, wait=land)


@pytest.mark.usefixtures("home")
class TestPush:
    def test_it_pushes_what_is_new_and_tells_how_it_stands(
        self, config: Path, business: sqlalchemy.Engine, rows: Any, dataset: Dataset
    ) -> None:
        assert started(config).turn()
        assert len(rows(dataset, "id_no")) == 250
        assert [batch.declared for batch in Batch.objects.order_by("id")] == [101, 102, 49]
        known = FrontNode.objects.get()
        assert (known.name, known.jobs[0]["waiting_rows"]) == ("前置机一", 0)
        assert known.jobs[0]["last_success_at"]

        assert started(config).turn()
        assert Batch.objects.count() == 3
        fill(business, range(250, 252))
        assert started(config).turn()
        assert len(rows(dataset, "id_no")) == 252
        assert not list((config.parent / "spool").iterdir())

    @pytest.mark.parametrize("step", ["_part", "send", "outcome", "keep"])
    @pytest.mark.parametrize("when", ["before", "after"])
    def test_killed_at_any_step_it_goes_on_and_lands_everything_once(
        self,
        config: Path,
        business: sqlalchemy.Engine,
        rows: Any,
        dataset: Dataset,
        monkeypatch: pytest.MonkeyPatch,
        step: str,
        when: str,
    ) -> None:
        monkeypatch.setattr(portal, "PART_BYTES", 500)
        for calls in (1, 2, 4):
            self.killed(started(config), step, when, calls)
        assert started(config).turn()
        landed = rows(dataset, "id_no", "name")
        assert len(landed) == len(set(landed)) == 250
        assert sum(batch.landed for batch in Batch.objects.filter(status="landed")) == 250
        assert not Upload.objects.filter(status="open").exists()
        assert started(config).turn()
        assert len(rows(dataset, "id_no")) == 250

    def killed(self, node: Node, step: str, when: str, calls: int) -> None:
        """Run the node until the given call of a step, and let it go no further."""
        owner: Any = node.state if step == "keep" else node.portal
        real, count = getattr(owner, step), 0

        class Killed(BaseException):
            pass

        def dying(*args: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == calls and when == "before":
                raise Killed
            answer = real(*args, **more)
            if count == calls:
                raise Killed
            return answer

        setattr(owner, step, dying)
        try:
            node.turn()
        except Killed:
            pass
        finally:
            node.state.close()

    def test_refused_rows_are_told_and_not_passed_over(
        self, config: Path, business: sqlalchemy.Engine, dataset: Dataset
    ) -> None:
        said = config.read_text(encoding="utf-8").replace('name = "n"', 'unknown = "n"')
        config.write_text(said, encoding="utf-8")
        node = started(config)
        node.turn()
        job = node.state.job("people")
        assert (job.checkpoint, job.pending) == (None, None)
        assert "B-" in job.last_error
        assert FrontNode.objects.get().jobs[0]["message"] == job.last_error

    def test_a_dead_source_is_told_by_heartbeat(
        self, config: Path, business: sqlalchemy.Engine
    ) -> None:
        with business.begin() as connection:
            connection.exec_driver_sql("DROP TABLE people")
        assert not started(config).turn()
        assert "people" in FrontNode.objects.get().jobs[0]["message"]
        assert not Batch.objects.exists()

    def test_a_wrong_credential_is_told(self, config: Path, business: sqlalchemy.Engine) -> None:
        (config.parent / "secret").write_text("wrong")
        assert not started(config).turn()
        assert not Batch.objects.exists()


@pytest.mark.usefixtures("home")
class TestFerry:
    def put(
        self, folder: Path, entry: Dataset, content: str, *, age: float = 0, **said: Any
    ) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "people.csv").write_bytes(content.encode())
        facts = {
            "file": "people.csv",
            "dataset": entry.dashed_code,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
            "rows": content.count("\n") - 1,
            **said,
        }
        manifest = folder / "people.json"
        manifest.write_text(json.dumps(facts), encoding="utf-8")
        for path in folder.glob("people.*"):
            os.utime(path, (time.time() - age, time.time() - age))
        return manifest

    def turn(self, folder: Path, config: Path) -> None:
        ferry.turn(folder, started(config).portal)

    def names(self, folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir() if path.is_file()}

    def test_a_file_with_its_manifest_lands_and_goes_to_done(
        self, config: Path, dataset: Dataset, tmp_path: Path, rows: Any
    ) -> None:
        folder = tmp_path / "in"
        self.put(folder, dataset, HEADER + "A1,张三\r\nA2,李四\r\n")
        self.turn(folder, config)
        assert rows(dataset, "id_no") == [("A1",), ("A2",)]
        assert self.names(folder) == set()
        done = {"people.csv", "people.json", "people.receipt.json"}
        assert self.names(folder / "done") == done
        receipt = json.loads((folder / "done" / "people.receipt.json").read_text())
        assert receipt["balance"]["landed"] == 2
        self.put(folder, dataset, HEADER + "A1,张三\r\nA2,李四\r\n")
        self.turn(folder, config)
        assert Batch.objects.count() == 1

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"rows": 9}, "9"),
            ({"mode": "replace"}, "replace"),
            ({"sha256": "0" * 64}, "SHA-256"),
            ({"file": "../people.csv"}, "同一文件夹"),
            ({"file": "missing.csv"}, "missing.csv"),
            ({"dataset": "000000-000000"}, "没有找到"),
            ({"rows": "two"}, "rows"),
        ],
    )
    def test_what_is_wrong_goes_to_refused_with_the_reason(
        self, config: Path, dataset: Dataset, tmp_path: Path, rows: Any, said: Any, words: str
    ) -> None:
        folder = tmp_path / "in"
        self.put(folder, dataset, HEADER + "A1,张三\r\n", age=1000, **said)
        self.turn(folder, config)
        reason = json.loads((folder / "refused" / "people.receipt.json").read_text())["reason"]
        assert words in reason
        assert "people.json" in self.names(folder / "refused")
        assert not Batch.objects.filter(status="landed").exists()

    def test_a_file_still_arriving_is_left(
        self, config: Path, dataset: Dataset, tmp_path: Path
    ) -> None:
        folder = tmp_path / "in"
        self.put(folder, dataset, HEADER, sha256="0" * 64)
        self.turn(folder, config)
        assert self.names(folder) == {"people.csv", "people.json"}

    def test_killed_between_two_moves_it_tidies_up(
        self, config: Path, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "in"
        manifest = self.put(folder, dataset, HEADER + "A1,张三\r\n")
        kept = manifest.read_bytes()
        self.turn(folder, config)
        manifest.write_bytes(kept)  # as if the manifest had not been moved yet
        self.turn(folder, config)
        assert self.names(folder) == set()
        assert not (folder / "refused").exists()
        assert Batch.objects.count() == 1


def test_the_command_runs_without_django(tmp_path: Path) -> None:
    root = Path(node.__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "apps.warehouse.sync", "push", tmp_path / "none.toml", "--once"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "none.toml" in done.stderr
    for path in (root / "apps" / "warehouse" / "sync").glob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.ImportFrom | ast.Import):
                names = [found.module or ""] if isinstance(found, ast.ImportFrom) else []
                names += [alias.name for alias in found.names]
                assert not any("django" in name for name in names), path


@pytest.mark.django_db
class TestHeartbeat:
    def test_only_a_system_reports_and_its_own_department_sees_it(
        self, cast: dict[str, Any], provider_department: Any
    ) -> None:
        system = InformationSystemFactory(department=provider_department)
        for person in cast.values():
            with pytest.raises(NotAllowed):
                warehouse.report_heartbeat(name="n", version="1", jobs=[], actor=person, at=AT)
        assert not FrontNode.objects.exists()
        made = warehouse.report_heartbeat(
            name="n", version="1", jobs=[], actor=system.service_user, at=AT
        )
        seen = {name for name, person in cast.items() if access.allowed(person, "view", made)}
        assert seen == {
            "provider", "provider_head", "authority", "authority_leader", "auditor",
            "system_admin", "security_admin",
        }  # fmt: skip
        client = Client()
        client.force_login(cast["provider"], backend="django.contrib.auth.backends.ModelBackend")
        assert "失联" in client.get("/work/ways-in/").content.decode()

    def test_fifty_nodes_are_enough(self, provider_department: Any) -> None:
        system = InformationSystemFactory(department=provider_department)
        for number in range(50):
            warehouse.report_heartbeat(
                name=f"n{number}", version="1", jobs=[], actor=system.service_user, at=AT
            )
        with pytest.raises(Conflict):
            warehouse.report_heartbeat(
                name="one more", version="1", jobs=[], actor=system.service_user, at=AT
            )
        assert FrontNode.objects.count() == 50


def test_a_portal_that_refuses_says_why() -> None:
    refusal = portal._refusal(409, b'{"code": "x", "detail": "\xe4\xb8\x8d"}')
    assert (refusal.code, str(refusal)) == ("x", "不")
    assert isinstance(portal._refusal(502, b"<html>"), PortalRefused)
    refused = portal._refusal(401, b'{"error": "invalid_client"}')
    assert refused.code == "invalid_client"
    assert "client_id" in str(refused)
    assert "secret" not in repr(Portal("http://x", "id", "secret"))
