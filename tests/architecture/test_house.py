"""The house keeps its shape: layers, rooms, foreign keys, names, declarations."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models
from django.db.models import Q

from apps.accounts.pointers import pointers_to_departments
from apps.core import access

ROOT = Path(__file__).resolve().parent.parent.parent
LAYERS = [
    "core",
    "accounts",
    "ledger",
    "clocks",
    "standards",
    "catalog",
    "warehouse",
    "quality",
    "fusion",
    "sharing",
    "opening",
    "disputes",
    "supervision",
    "console",
]
# The places of an app, in the order in which one may build on another. Beside the common rooms an
# app may have parts of its own: below its models, on them, on its queries, or as one more face.
PLACES = [
    "below",
    "models",
    "on models",
    "lifecycle",
    "permissions",
    "queries",
    "on queries",
    "operations",
    "forms",
    "face",
    "urls",
]
FACES = {"face"}
COMMON_ROOMS = {
    **{room: room for room in PLACES if " " not in room and room not in {"below", "face"}},
    **dict.fromkeys(["admin", "api", "views", "tasks", "management", "templatetags"], "face"),
}
UNROOMED = {"__init__", "apps", "migrations"}
OWN_ROOMS = {
    "accounts": {
        **dict.fromkeys(["evidence", "history"], "below"),
        **dict.fromkeys(["pointers", "open_matters", "reform"], "on models"),
        **dict.fromkeys(["adapter", "lockout", "middleware", "password_rules"], "face"),
    },
    "ledger": {
        **dict.fromkeys(["access_sql", "partitions", "phrases"], "below"),
        "channels": "on models",
        "sign_in": "face",
    },
    "clocks": dict.fromkeys(["calendar", "derivation", "wording"], "below"),
    "standards": dict.fromkeys(
        ["types", "divisions", "amounts", "normalisers", "rewritings", "checks", "masks"], "below"
    ),
    "catalog": {
        "spreadsheets": "on queries",
        "radar": "on models",
        "law_verdicts": "on models",
        **dict.fromkeys(["tokens", "exchange"], "below"),
        "scoring": "on models",
        **dict.fromkeys(["contracts", "validation", "snapshots", "search"], "on models"),
        **dict.fromkeys(["surroundings", "item_defaults", "covering"], "on models"),
        **dict.fromkeys(["proposals", "differences"], "on models"),
    },
    "warehouse": {
        **dict.fromkeys(["landing", "sync", "uses"], "below"),
        **dict.fromkeys(["pulling", "exchanging"], "on models"),
        **dict.fromkeys(
            ["physical", "shapes", "rehashing", "loading", "rejecting", "heartbeat"], "on models"
        ),
        **dict.fromkeys(
            ["rejected_file", "freshness", "added_rules", "periods", "extent"], "on models"
        ),
        **dict.fromkeys(
            ["application", "arriving", "previewing", "rewritten_file", "proposing"], "on queries"
        ),
        **dict.fromkeys(["balance", "since_last"], "on queries"),
    },
    "quality": {
        **dict.fromkeys(["readership", "claims"], "below"),
        **dict.fromkeys(["parameters", "row_rules", "set_rules", "judging"], "on models"),
        **dict.fromkeys(["inspecting", "delivered", "profiling"], "on models"),
        "wording": "on models",
        **dict.fromkeys(["recording", "outstanding"], "on queries"),
    },
    "sharing": {
        **dict.fromkeys(["naming", "sending", "terms_sql"], "below"),
        **dict.fromkeys(["provisioning", "reconciliation", "gateway", "keeping"], "on models"),
        "leaving": "on models",
        **dict.fromkeys(["reply", "describing"], "on queries"),
        "middleware": "urls",  # a way to addresses, as these are
    },
    "supervision": {"questions": "below", "summaries": "on queries"},
    "console": {
        **dict.fromkeys(
            ["demo", "reference", "navigation", "figures", "checks", "diagnosis"], "on queries"
        ),
        **dict.fromkeys(["site", "unfold", "health"], "face"),
    },
}
NEIGHBOURS = {frozenset({"opening", "disputes"})}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc"}


def python_files() -> Iterator[Path]:
    yield from (
        path for path in sorted((ROOT / "apps").rglob("*.py")) if "migrations" not in path.parts
    )


def our_models() -> Iterator[type[models.Model]]:
    for config in apps.get_app_configs():
        if config.name.startswith("apps."):
            yield from config.get_models()


def imports_of(path: Path) -> Iterator[str]:
    """Yield every dotted name that the file imports, with relative ones resolved."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_every_app_of_the_design_is_placed() -> None:
    placed = {config.label for config in apps.get_app_configs() if config.name.startswith("apps.")}
    assert placed == set(LAYERS)


@pytest.mark.parametrize("app", LAYERS)
def test_an_app_imports_only_apps_below_it(app: str) -> None:
    upwards = []
    for path in (p for p in python_files() if p.relative_to(ROOT).parts[1] == app):
        for name in imports_of(path):
            parts = name.split(".")
            if len(parts) < 2 or parts[0] != "apps" or parts[1] not in LAYERS or parts[1] == app:
                continue
            higher = LAYERS.index(parts[1]) > LAYERS.index(app)
            if higher or frozenset({parts[1], app}) in NEIGHBOURS:
                upwards.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not upwards


def rooms_of(app: str) -> set[str]:
    return {
        path.stem
        for path in (ROOT / "apps" / app).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem not in UNROOMED
    }


@pytest.mark.parametrize("app", [app for app in LAYERS if app != "core"])
def test_every_module_has_its_room(app: str) -> None:
    """A new module says where it stands before anything imports it."""
    assert rooms_of(app) <= set(COMMON_ROOMS) | set(OWN_ROOMS.get(app, {}))
    assert set(OWN_ROOMS.get(app, {})) <= rooms_of(app)


@pytest.mark.parametrize("app", [app for app in LAYERS if app != "core"])
def test_rooms_import_leftwards_only(app: str) -> None:
    """A room knows the rooms before it; faces do not know each other."""
    places = {**COMMON_ROOMS, **OWN_ROOMS.get(app, {})}
    wrong = []
    for path in python_files():
        parts = path.relative_to(ROOT).with_suffix("").parts
        if len(parts) < 3 or parts[1] != app or parts[2] in UNROOMED:
            continue
        room = parts[2]
        for name in imports_of(path):
            target = name.split(".")
            if target[:2] != ["apps", app] or len(target) < 3 or target[2] == room:
                continue
            if target[2] in places and not _may_know(places[room], places[target[2]]):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def _may_know(room: str, target: str) -> bool:
    """Say whether a module in one place may import one in the other; parts know each other."""
    if room == target:
        return room not in FACES
    return PLACES.index(target) < PLACES.index(room) and not (room in FACES and target in FACES)


def test_foreign_keys_point_downwards() -> None:
    wrong = []
    for model in our_models():
        for field in model._meta.get_fields():
            if not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            target = field.related_model._meta
            if target.app_label not in LAYERS:
                continue
            if LAYERS.index(target.app_label) > LAYERS.index(model._meta.app_label):
                wrong.append(f"{model._meta.label}.{field.name} → {target.label}")
    assert not wrong


def test_no_drawer_for_everything() -> None:
    assert not [path for path in python_files() if path.stem in FORBIDDEN_NAMES]


def test_files_and_functions_stay_small() -> None:
    long_files = {
        str(path.relative_to(ROOT)): lines
        for path in python_files()
        if (lines := len(path.read_text().splitlines())) > 400
    }
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({length} lines)"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := _code_lines(node)) > 40
    ]
    assert not long_files
    assert not long_functions


def _code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    has_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    start = first.end_lineno or 0 if has_docstring else node.lineno
    return int(node.end_lineno or 0) - start


def test_a_reform_knows_every_pointer_to_a_department() -> None:
    """A pointer that nobody classified would silently stay behind when departments merge."""
    silent = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        if not model.__name__.startswith("Historical")
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.label == "accounts.Department"
        and getattr(model, "succession", {}).get(field.name) not in {"moves", "stays"}
    ]
    assert not silent


def test_a_reform_reads_whatever_a_model_says_of_succession() -> None:
    unread = [
        f"{model._meta.label}.{name}"
        for model in our_models()
        for name in dir(model)
        if name.startswith("succession_") and name != "succession_open"
    ]
    assert not unread
    told = {pointer.model: pointer.open for pointer in pointers_to_departments()}
    declared = {model: getattr(model, "succession_open", Q()) for model in told}
    assert told == declared


def test_a_hand_over_knows_every_pointer_to_a_person() -> None:
    silent = [
        f"{model._meta.label}.{field.name}"
        for model in our_models()
        if not model.__name__.startswith("Historical")
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and field.related_model._meta.label == "accounts.User"
        and field.name not in getattr(model, "handover", {})
    ]
    assert not silent


def test_scopes_are_registered_for_models_that_exist() -> None:
    assert list(access.scopes())


def test_migrations_are_named_after_their_change() -> None:
    bad = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "apps").rglob("migrations/0*.py")
        if re.search(r"_(auto_|merge)", path.stem) or path.stem.count("_") == 0
    ]
    assert not bad


def test_screens_speak_without_ceremony() -> None:
    """No 您, and 主管部门 is the authority: a system has a department of its own (look.md)."""
    words = ("您", "系统主管部门", "其主管部门")
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for pattern in ("templates/**/*.html", "apps/**/*.py")
        for path in ROOT.glob(pattern)
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []
