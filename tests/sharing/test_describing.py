"""The description of one grant: what it promises, the data plane does; what it hides, is hidden."""

import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from django.test import Client
from drf_spectacular.validation import validate_schema

from apps.core.contracts import Column
from apps.sharing import operations as sharing
from apps.sharing.describing import samples, schemas, subjects
from apps.sharing.describing.document import openapi
from apps.sharing.describing.operations import operations_of
from apps.sharing.gateway.codes import WHAT_TO_DO
from apps.sharing.gateway.credentials import IssuedSecret
from apps.sharing.gateway.filters import read_query
from apps.sharing.gateway.from_within import call_of
from apps.sharing.gateway.shapes import Readable, shape_of
from apps.sharing.models import Grant
from apps.standards.checks import CHECKS, macros_sql
from tests import stories
from tests.factories.gateway import credential_of
from tests.factories.sharing import ROWS, Scene

ORIGIN = "https://portal.example"


def document_of(grant: Grant, origin: str = ORIGIN) -> dict[str, Any]:
    return openapi(subjects.of_grant(grant), origin=origin)


def filters_in(document: dict[str, Any]) -> list[str]:
    (page,) = (o for p in document["paths"].values() for o in p.values() if is_page(o))
    own = {"limit", "cursor", "fields", "shape", "format"}
    return [each["name"] for each in page["parameters"] if each["name"] not in own]


def is_page(operation: dict[str, Any]) -> bool:
    return bool(operation["operationId"] == "page")


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "components": document["components"]}


class TestDocument:
    def test_it_is_valid_openapi_of_3_1(self, landed_grant: Grant) -> None:
        document = document_of(landed_grant)
        validate_schema(document)
        assert document["openapi"] == "3.1.0"
        assert json.loads(json.dumps(document)) == document

    def test_it_shows_the_granted_items_and_no_other(self, landed_grant: Grant) -> None:
        document = document_of(landed_grant)
        record = document["components"]["schemas"]["Record"]["properties"]
        granted = [column["name"] for column in landed_grant.columns]
        assert list(record) == ["_id", *granted, "_disputed"]
        assert "amount" not in json.dumps(document)
        assert record["name"]["title"] == "姓名"
        assert str(record["identity_number"]["x-mask"]).startswith("证件号码遮盖")
        assert "*" in record["identity_number"]["examples"][0]

    def test_every_filter_it_states_is_one_and_a_masked_item_has_none(
        self, landed_grant: Grant, now: datetime
    ) -> None:
        names = filters_in(document_of(landed_grant))
        shape = shape_of(call_of(landed_grant, at=now))
        subject = subjects.of_grant(landed_grant)
        (page, *_others) = operations_of(subject)
        for each in (each for each in page.parameters if each.item):
            read_query({each.name: [each.example]}, shape)
        assert "registered_on__gte" in names
        assert "name__prefix" in names
        assert not [name for name in names if name.startswith("identity_number")]

    def test_what_is_answered_is_what_it_describes(
        self, client: Client, address: str, landed_grant: Grant
    ) -> None:
        document = document_of(landed_grant)
        for path, method in ((address, "page"), (f"{address}/changes", "changes")):
            answer = client.get(path).json()
            described = document["paths"][path]["get"]
            assert described["operationId"] == method
            content = described["responses"]["200"]["content"]["application/json"]
            assert answer["data"]
            jsonschema.validate(answer, resolved(document, content["schema"]))

    def test_its_own_examples_fit_it(self, landed_scene: Scene, now: datetime) -> None:
        plain = {"identity_number": "", "name": ""}
        document = document_of(stories.delivered(landed_scene, now, items=plain).grant)
        shown: dict[str, set[str]] = {"asked": set(), "answered": set()}
        for operations in document["paths"].values():
            for operation in operations.values():
                for side, body in (
                    ("asked", operation.get("requestBody", {})),
                    ("answered", operation["responses"].get("200", {})),
                ):
                    written = body.get("content", {}).get("application/json", {})
                    if "example" in written:
                        schema = resolved(document, written["schema"])
                        jsonschema.validate(written["example"], schema)
                        shown[side].add(operation["operationId"])
        assert {"page", "changes", "verify"} <= shown["answered"]
        assert "verify" in shown["asked"]

    def test_a_grant_that_only_verifies_has_nothing_else(
        self, landed_scene: Scene, now: datetime
    ) -> None:
        items = {"identity_number": "", "name": "", "registered_on": ""}
        grant = stories.delivered(landed_scene, now, items=items, mode="verify").grant
        document = document_of(grant)
        ((path, operations),) = document["paths"].items()
        assert path.endswith("/verify")
        body = operations["post"]["requestBody"]["content"]["application/json"]
        jsonschema.validate(body["example"], body["schema"])
        assert set(body["schema"]["properties"]["records"]["items"]["properties"]) == set(items)

    def test_a_masked_key_leaves_no_verification(self, landed_grant: Grant) -> None:
        assert [each.name for each in operations_of(subjects.of_grant(landed_grant))] == [
            "page", "changes", "export", "exports_create", "exports_list", "exports_read",
            "exports_discard", "exports_file", "columns", "proof", "rows",
        ]  # fmt: skip

    def test_narrowing_changes_it(
        self, landed_grant: Grant, landed_scene: Scene, now: datetime
    ) -> None:
        sharing.narrow(
            grant=landed_grant,
            items={"name": "", "division_code": ""},
            reason="只需姓名",
            actor=landed_scene.provider_head,
            at=now,
        )
        landed_grant.refresh_from_db()
        document = document_of(landed_grant)
        assert document["info"]["version"] == "2"
        assert list(document["components"]["schemas"]["Record"]["properties"]) == [
            "_id", "name", "division_code", "_disputed",
        ]  # fmt: skip

    def test_every_code_says_what_to_do(self, landed_scene: Scene) -> None:
        for operation in operations_of(subjects.of_dataset(landed_scene.dataset)):
            for codes in operation.codes.values():
                assert set(codes) <= set(WHAT_TO_DO)

    def test_every_operation_is_one_of_the_whole_description(
        self, landed_scene: Scene, client: Client
    ) -> None:
        whole = client.get("/api/v1/schema/", headers={"accept": "application/json"}).json()
        subject = subjects.of_dataset(landed_scene.dataset)
        for operation in operations_of(subject):
            path = operation.path.replace(subject.code, "{code}")
            stated = whole["paths"][path][operation.method.lower()]["responses"]
            for status, codes in operation.codes.items():
                found = re.findall(r"`([a-z_]+)`", stated[str(status)]["description"])
                assert set(codes) <= set(found), operation.name


class TestWhoReadsIt:
    def test_the_system_reads_its_own(self, client: Client, landed_grant: Grant) -> None:
        answer = client.get(f"/api/v1/grants/{landed_grant.pk}/openapi")
        assert answer.status_code == 200
        assert answer.json()["x-huiliu"]["grant"] == landed_grant.pk

    def test_another_department_finds_nothing(self, landed_grant: Grant, outsider: Any) -> None:
        stranger = Client()
        stranger.force_login(outsider)
        assert stranger.get(f"/api/v1/grants/{landed_grant.pk}/openapi").status_code == 404
        assert stranger.get(f"/work/grants/{landed_grant.pk}/interface/").status_code == 404

    def test_a_dataset_is_described_with_the_usual_masks(
        self, landed_scene: Scene, client: Client
    ) -> None:
        code = landed_scene.dataset.code.replace("/", "-")
        document = client.get(f"/api/v1/interfaces/{code}/openapi").json()
        validate_schema(document)
        assert "x-huiliu" not in document

    def test_the_page_shows_items_examples_and_codes(
        self, landed_scene: Scene, landed_grant: Grant
    ) -> None:
        person = Client()
        person.force_login(landed_scene.provider)
        page = person.get(f"/work/grants/{landed_grant.pk}/interface/").content.decode()
        for words in ("登记日期", "registered_on", "__gte", "curl -sS", "urllib", "HttpClient"):
            assert words in page
        assert "resync_required" in page
        assert f"/work/grants/{landed_grant.pk}/console/" not in page  # the provider tries nothing


def operation_of(grant: Grant, name: str) -> Any:
    found = {each.name: each for each in operations_of(subjects.of_grant(grant))}
    return found[name]


@pytest.fixture
def credential(landed_grant: Grant, landed_scene: Scene, now: datetime) -> IssuedSecret:
    return credential_of(landed_scene.system, landed_scene.consumer_head, now)


@pytest.fixture
def environment(credential: IssuedSecret) -> dict[str, str]:
    return {
        **os.environ,
        "HUILIU_CLIENT_ID": credential.client_id,
        "HUILIU_CLIENT_SECRET": credential.client_secret,
        "no_proxy": "*",
        "NO_PROXY": "*",
        "PYTHONIOENCODING": "utf-8",
    }


class TestSamples:
    """Pasted as they stand, against a live server."""

    def run(self, command: list[str], environment: dict[str, str]) -> str:
        done = subprocess.run(
            command, env=environment, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def samples(self, grant: Grant, name: str, live: Any) -> dict[str, str]:
        found = samples.of_operation(operation_of(grant, name), live.url)
        return {sample.language: sample.text for sample in found}

    def test_a_page_and_changes_with_curl_and_python(
        self, landed_grant: Grant, environment: dict[str, str], live_server: Any, tmp_path: Path
    ) -> None:
        page = self.samples(landed_grant, "page", live_server)
        answer = json.loads(self.run(["bash", "-c", page["Shell"]], environment))
        assert [row["name"] for row in answer["data"]] == ["张小三", "李四", "王五"]
        for name, count in (("page", 3), ("changes", 3)):
            program = tmp_path / f"{name}.py"
            program.write_text(self.samples(landed_grant, name, live_server)["Python"])
            lines = self.run([sys.executable, str(program)], environment).splitlines()
            assert len(lines) == count
            assert "张小三" in lines[0]

    def test_a_verification_with_curl_and_python(
        self,
        landed_scene: Scene,
        now: datetime,
        live_server: Any,
        tmp_path: Path,
    ) -> None:
        grant = stories.delivered(
            landed_scene, now, items={"identity_number": "", "name": ""}, mode="verify"
        ).grant
        held = credential_of(landed_scene.system, landed_scene.consumer_head, now)
        environment = {
            **os.environ,
            "HUILIU_CLIENT_ID": held.client_id,
            "HUILIU_CLIENT_SECRET": held.client_secret,
        }
        # The sample names nobody: whoever pastes it writes the number of a record.
        given, held_number = schemas.example_of(subjects.of_grant(grant).items[0]), ROWS[0][0]
        text = {
            language: sample.replace(given, held_number)
            for language, sample in self.samples(grant, "verify", live_server).items()
        }
        answer = json.loads(self.run(["bash", "-c", text["Shell"]], environment))
        assert answer["data"][0]["found"] is True
        program = tmp_path / "verify.py"
        program.write_text(text["Python"])
        assert self.run([sys.executable, str(program)], environment).startswith("True {'name'")

    @pytest.mark.skipif(shutil.which("java") is None, reason="没有安装 java")
    def test_a_page_with_java(
        self, landed_grant: Grant, environment: dict[str, str], live_server: Any, tmp_path: Path
    ) -> None:
        if (
            subprocess.run(
                ["java", "--list-modules"], capture_output=True, check=False
            ).stdout.find(b"jdk.compiler")
            < 0
        ):
            pytest.skip("java 没有编译器，不能直接运行源文件")
        program = tmp_path / "Huiliu.java"
        program.write_text(self.samples(landed_grant, "page", live_server)["Java"])
        answer = json.loads(self.run(["java", str(program)], environment))
        assert answer["count"] == 3

    def test_quotes_in_an_example_stay_what_they_are(self, landed_grant: Grant) -> None:
        written = samples._in_python(json.dumps({"a": 'it\'s \\ "so"'}))
        namespace: dict[str, Any] = {}
        exec(f"body = '''{written}'''", namespace)
        assert json.loads(namespace["body"]) == {"a": 'it\'s \\ "so"'}


@pytest.mark.parametrize(
    ("facts", "example"),
    [
        ({"check": "identity_number"}, "50999918990101001"),
        ({"check": "uscc"}, "91509999XXXXX0001"),
        ({"check": "postcode"}, "400001"),
        ({"pattern": r"[A-Z]{2}\d{6}"}, ""),
        ({"length": 4}, "0001"),
        ({}, "测试编号0001"),
    ],
)
def test_an_example_passes_the_items_check_and_is_of_nobody(
    facts: dict[str, Any], example: str
) -> None:
    column = Column("x", "编号", "C", **facts)
    readable = Readable(column, "C", is_masked=False)
    shown = schemas.example_of(subjects.Item(readable, "编号", "", is_key=False))
    assert shown.startswith(example)
    assert not column.pattern or re.fullmatch(column.pattern, shown)
    assert column.length is None or len(shown) <= column.length
    if column.check:
        with duckdb.connect() as engine:
            engine.execute(macros_sql(on=date(2026, 11, 18)))
            passed = engine.execute(f"SELECT {CHECKS[column.check].macro}(?)", [shown]).fetchone()
        assert passed == (True,)


def test_examples_are_of_their_types(landed_grant: Grant) -> None:
    for item in subjects.of_grant(landed_grant).items:
        jsonschema.validate(schemas.example_of(item), schemas.of_item(item))
