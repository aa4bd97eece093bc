"""Write the pages of `docs/` that the code itself knows: lifecycles, sources, the API."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from django.apps import apps
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from apps.core import lifecycle

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE: Final = re.compile(
    r"Source:\s*(?P<text>.+?)(?:\n\s*\n|\n\s*(?:Raises|Units|Returns):|\Z)", re.DOTALL
)


class Cited(NamedTuple):
    """One place that says by which rule it acts."""

    source: str
    place: str
    line: str


def lifecycles_page() -> str:
    """Return the Markdown page of every lifecycle: its diagram, and who is owed after each move."""
    parts = [
        "# 状态流转",
        "由 `manage.py write_docs` 根据各应用的 `lifecycle.py` 生成，请勿手工修改。",
    ]
    for label, table in sorted(lifecycle.registry.items()):
        model = apps.get_model(label)
        names = dict(table.states.choices)
        parts += [
            f"## {model._meta.verbose_name}（`{model._meta.label}`）",
            f"```mermaid\n{table.diagram()}\n```",
            "| 动作 | 名称 | 从 | 到 | 之后由谁办理 | 须写理由 |\n|---|---|---|---|---|---|\n"
            + "\n".join(
                f"| `{move.name}` | {move.label} "
                f"| {'、'.join(str(names[s]) for s in move.sources)} "
                f"| {names[move.target]} | {move.owed} | {'是' if move.reason else ''} |"
                for move in table.moves
            ),
        ]
    return "\n\n".join(parts) + "\n"


def sources_page() -> str:
    """Return the Markdown page "article → where it is implemented"."""
    by_source: dict[str, list[Cited]] = {}
    for cited in citations():
        by_source.setdefault(cited.source, []).append(cited)
    lines = [
        "# 规则出处",
        "",
        "由 `manage.py write_docs` 收集代码中的 `Source:` 生成，请勿手工修改。",
        "",
        "| 出处 | 实现于 |",
        "|---|---|",
    ]
    for source in sorted(by_source):
        places = "<br>".join(f"`{cited.place}` {cited.line}" for cited in by_source[source])
        lines.append(f"| {source} | {places} |")
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Return the description of the API as OpenAPI 3.0 in YAML, as `/api/v1/schema/` serves it."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    written: bytes = OpenApiYamlRenderer().render(schema, renderer_context={})  # type: ignore[no-untyped-call]
    return written.decode()


PAGES: Final[dict[str, Callable[[], str]]] = {
    "lifecycles.md": lifecycles_page,
    "sources.md": sources_page,
    "openapi.yaml": api_page,
}


def citations() -> Iterator[Cited]:
    """Yield every `Source:` of the docstrings, in the order of the files."""
    for path in sorted((ROOT / "apps").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name, docstring in _docstrings(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{module}.{name}" if name else module
            summary = docstring.strip().splitlines()[0]
            for match in SOURCE.finditer(docstring):
                text = " ".join(match["text"].split())
                for source in (part.strip() for part in re.split("[;；]", text)):
                    if source:
                        yield Cited(source.rstrip("。."), place, summary)


def _docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield getattr(node, "name", ""), docstring
