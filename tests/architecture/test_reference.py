"""The generated pages of docs/ say what the code says, and the API's description is complete."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import translation
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from apps.console.reference import PAGES, ROOT, api_page
from apps.sharing.gateway.codes import WHAT_TO_DO
from apps.sharing.gateway.refusals import REASONS

WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What only pages raise: the API has no way to it.
NOT_OF_THE_API = {
    "domain_error": "the base of all errors",
    "invalid_client": "only in the evidence; OAuth answers in its own shape",
    **dict.fromkeys(
        ("no_credential", "system_retired", "too_many_credentials"), "credentials are given by page"
    ),
    "not_decided": "letters are taken by page",
    "template_retired": "terms are kept ready by page",
    "unfit_item": "what returns to districts is declared by page",
    **dict.fromkeys(
        ("basket_full", "no_open_part", "nothing_to_submit"), "matters are written by page"
    ),
    **dict.fromkeys(
        ("unknown_act", "nothing_chosen", "too_many_chosen", "not_alike", "look_alone"),
        "several requests are acted on at once by page",
    ),
    **dict.fromkeys(("no_template", "unfit_template"), "terms are filled from templates by page"),
    **dict.fromkeys(("nothing_mended", "sign_left"), "records are mended cell by cell by page"),
    **dict.fromkeys(("not_a_colleague",), "the route within a department is walked by page"),
    **dict.fromkeys(
        (
            "source_failed",
            "source_table_missing",
            "source_value_unfit",
            "watermark_unfit",
            "source_unreachable",
            "source_redirects",
            "source_refused",
            "source_too_large",
            "source_too_slow",
            "url_invalid",
            "host_unknown",
            "address_refused",
            "secret_unreadable",
            "secret_needed",
            "source_retired",
            "source_in_use",
            "source_not_active",
            "outside_window",
            "source_columns_missing",
            "foreign_system",
            "schedule_invalid",
            "mode_unfit",
            "mapping_invalid",
        ),
        "sources that the portal reads are kept by page",
    ),
    "nothing_waiting": "many are accepted by page",
    "nothing_set_aside": "rows set aside are released by page",
    "not_sent": "receipts are taken in by page",
    "value_needed": "a form's condition",
    "table_too_large": "rules are tried out by page",
    "already_delivering": "a task's",
    "not_expired": "a task's",
}


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_current(name: str) -> None:
    with translation.override("zh-hans"):
        written = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert written == PAGES[name](), "run: manage.py write_docs"


@pytest.fixture(scope="module")
def schema() -> Any:
    with translation.override("zh-hans"):
        return yaml.safe_load(api_page())


def operations(schema: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def lacks_words(thing: dict[str, Any]) -> bool:
    return CHINESE.search(thing.get("description", "")) is None


def test_the_description_is_drawn_up_without_a_doubt() -> None:
    """Two components of one name, or a nameless choice, are told on stderr and nowhere else."""
    GENERATOR_STATS.reset()
    SchemaGenerator().get_schema(request=None, public=True)
    doubts = [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
    assert doubts == []


def test_every_operation_says_what_it_does(schema: Any) -> None:
    names = [operation["operationId"] for _path, _method, operation in operations(schema)]
    assert len(set(names)) == len(names)
    assert {"data_page", "data_export", "batches_push", "token_draw"} <= set(names)
    tags = {tag["name"] for tag in schema["tags"]}
    for _path, _method, operation in operations(schema):
        assert CHINESE.search(operation["summary"]), operation["operationId"]
        assert not lacks_words(operation), operation["operationId"]
        assert set(operation["tags"]) <= tags, operation["operationId"]


def test_every_parameter_is_described(schema: Any) -> None:
    assert [
        f"{operation['operationId']}.{parameter['name']}"
        for _path, _method, operation in operations(schema)
        for parameter in operation.get("parameters", [])
        if lacks_words(parameter)
    ] == []


def test_every_field_of_every_component_is_described(schema: Any) -> None:
    undescribed = []
    for name, component in schema["components"]["schemas"].items():
        if "enum" not in component and lacks_words(component):
            undescribed.append(name)
        undescribed += [
            f"{name}.{field}"
            for field, what in component.get("properties", {}).items()
            if lacks_words(what)
        ]
    assert undescribed == []


def _least_refusals(path: str, method: str, operation: Any) -> set[str]:
    expected = {"401"}
    if path.startswith("/api/v1/data/"):
        expected |= {"400", "403"}  # what there is not is as what is not granted
    elif "{id}" in path or method == "post":
        expected.add("404" if "{" in path else "400")
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        expected.add("400")
    if "{move}" in path:
        expected |= {"400", "403", "409"}
    return expected


def test_every_operation_lists_how_it_refuses(schema: Any) -> None:
    for path, method, operation in operations(schema):
        if operation["operationId"] == "token_draw":
            continue  # OAuth answers in a shape of its own
        expected = _least_refusals(path, method, operation)
        assert expected <= set(operation["responses"]), operation["operationId"]
        for status, answer in operation["responses"].items():
            if status >= "400":
                content = answer["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert content["examples"]


# A body without an example: operation, and media type or status.
WITHOUT_EXAMPLE = {
    ("data_page", "application/x-ndjson"): "the records of the JSON page, a line each",
    **dict.fromkeys(
        [
            ("catalog_imports_receive", "application/octet-stream"),
            ("proposals_request", "application/octet-stream"),
            ("datasets_export_xlsx", WORKBOOK),
        ],
        "a workbook, or a file of any form, is no text",
    ),
    ("data_exports_file", "application/octet-stream"): "the bytes of a file of any format",
    ("disposals_paper", "application/octet-stream"): "a scanned paper of any format",
    ("datasets_export_csv", "text/csv"): "the template's columns, told in the workbook itself",
}
FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every body that the operation takes or answers with when it goes well."""
    taken = operation.get("requestBody", {}).get("content", {})
    # Where something else is taken, a form is the same in another dress.
    yield from ((kind, it) for kind, it in taken.items() if len(taken) == 1 or kind not in FORMS)
    for status, answer in operation["responses"].items():
        if status < "300":
            yield from answer.get("content", {}).items()


def test_every_body_has_an_example(schema: Any) -> None:
    lacking = {
        (operation["operationId"], kind)
        for _path, _method, operation in operations(schema)
        for kind, body in bodies(operation)
        if not body.get("examples")
    }
    assert lacking == set(WITHOUT_EXAMPLE)


def test_every_example_is_as_its_schema_says(schema: Any) -> None:
    wrong = []
    whole = json_schema_of({"components": schema["components"]})
    for _path, _method, operation in operations(schema):
        for kind, body in bodies(operation):
            if kind != "application/json":
                continue
            reader = Draft202012Validator({**whole, **json_schema_of(body["schema"])})
            for name, example in body.get("examples", {}).items():
                wrong += [
                    f"{operation['operationId']} {name} {fault.json_path}: {fault.message[:120]}"
                    for fault in reader.iter_errors(example["value"])
                ]
    assert wrong == []


def test_an_example_of_a_move_is_of_one_that_there_is(schema: Any) -> None:
    for path, _method, operation in operations(schema):
        if "{move}" not in path:
            continue
        (names,) = (
            {value.title().replace("_", "") for value in parameter["schema"]["enum"]}
            for parameter in operation["parameters"]
            if parameter["name"] == "move"
        )
        shown = set(operation["requestBody"]["content"]["application/json"]["examples"])
        assert {name.removesuffix("Refusal") for name in shown} <= names, path


def json_schema_of(part: Any) -> Any:
    """Return a part of the description as JSON schema: nothing unsaid may stand in an object."""
    if isinstance(part, list):
        return [json_schema_of(each) for each in part]
    if not isinstance(part, dict):
        return part
    made = {key: json_schema_of(value) for key, value in part.items()}
    if "properties" in made and isinstance(made["properties"], dict):
        made.setdefault("additionalProperties", False)
    if not made.pop("nullable", False):
        return made
    return {"anyOf": [made, {"type": "null"}]}


def test_the_data_plane_shows_examples_and_asks_for_a_token(schema: Any) -> None:
    for path in ("/api/v1/data/{code}", "/api/v1/data/{code}/export.csv"):
        operation = schema["paths"][path]["get"]
        assert operation["responses"]["200"]["content"]["text/csv"]["examples"]
        assert operation["security"] == [{"oauth2": ["data"]}]
    page = schema["paths"]["/api/v1/data/{code}"]["get"]["responses"]["200"]["content"]
    assert page["application/json"]["examples"]


def test_a_systems_token_is_taken_by_every_operation(schema: Any) -> None:
    assert "oauth2" in schema["components"]["securitySchemes"]
    for _path, _method, operation in operations(schema):
        if operation["operationId"] != "token_draw":
            named = [name for way in operation["security"] for name in way]
            assert named[0] == "oauth2", operation["operationId"]


def test_the_schema_is_served_as_it_stands_in_docs(schema: Any) -> None:
    served = Client().get("/api/v1/schema/", headers={"Accept": "application/json"}).json()
    assert set(served["paths"]) == set(schema["paths"])


def codes_of_the_code(*places: str) -> set[str]:
    """Return every `code=` of a call and every class-level `code` in the places."""
    found: set[str] = set()
    for place in places:
        base = ROOT / "apps" / place
        for path in base.rglob("*.py") if base.is_dir() else [base]:
            if {"migrations", "management", "models", "models.py"} & set(path.parts):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                value = _code_of(node)
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.add(value.value)
    return found


def _code_of(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.keyword) and node.arg == "code":
        return node.value
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.value if node.targets[0].id == "code" else None
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.value if node.target.id == "code" else None
    return None


# Made from a name, handed through a parameter, or the framework's own.
DERIVED = {
    *("unknown_format", "unknown_shape", "unknown_field"),
    *("method_not_allowed", "parse_error", "unsupported_media_type"),
}
API_PLACES = (
    "core",
    "catalog/search",
    "sharing",
    "quality",
    "warehouse",
    "catalog/operations/demands",
    "catalog/operations/changes.py",
    "catalog/operations/importing.py",
    "catalog/operations/publishing.py",
    "catalog/operations/review.py",
    "catalog/operations/upward.py",
    "catalog/operations/writing.py",
    "catalog/operations/checking.py",
    "core/workbooks/guarding.py",
    "core/workbooks/reading.py",
    "catalog/spreadsheets/faults.py",
    "catalog/spreadsheets/rows.py",
    "catalog/operations/responsibility.py",
    "catalog/operations/splitting.py",
    "quality/api",
    "quality/operations",
    "quality/parameters.py",
    "supervision",
)


def test_every_error_code_is_explained_and_every_explained_code_exists() -> None:
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", written, re.MULTILINE))
    stated = codes_of_the_code(*API_PLACES) - set(NOT_OF_THE_API)
    known = stated | DERIVED | set(REASONS)
    assert sorted(stated - explained) == []
    assert sorted(explained - known) == []


def test_every_answer_of_the_data_plane_is_stated_by_some_operation(schema: Any) -> None:
    stated = {
        f"{method} {path}": {
            code
            for answer in operation["responses"].values()
            for code in re.findall(r"`([a-z_]+)`", answer["description"])
        }
        for path, method, operation in operations(schema)
        if path.startswith("/api/v1/data/")
    }
    assert sorted(set(WHAT_TO_DO) - set().union(*stated.values())) == []
    without = [each for each, codes in stated.items() if "forwarded_only" not in codes]
    assert without == ["get /api/v1/data/{code}"]


def test_every_code_that_the_schema_states_is_explained(schema: Any) -> None:
    written = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", written, re.MULTILINE))
    stated = {
        code
        for _path, _method, operation in operations(schema)
        for answer in operation["responses"].values()
        for code in re.findall(r"`([a-z_]+)`", answer["description"])
    }
    assert stated
    assert sorted(stated - explained) == []
