"""How packages leave for the level above and how its answers come in: an adapter point.

`FileExchange` is the one adapter: files by hand, no invented protocol. Another one (an interface of
a ministry) keeps the same three methods.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
import xlsxwriter
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.core.workbooks.tables import LIMIT_BYTES, rows_of

VERDICTS: Final = {
    **dict.fromkeys(("received", "已接收", "接收", "通过"), "received"),
    **dict.fromkeys(("returned", "退回", "已退回", "不通过"), "returned"),
    **dict.fromkeys(("differing", "有差异", "差异"), "differing"),
}
RECEIPT_COLUMNS: Final = {
    "code": ("code", "目录代码", "本市目录代码"),
    "verdict": ("verdict", "回执", "结果"),
    "upper_code": ("upper_code", "上级目录代码"),
    "note": ("note", "说明", "回执说明"),
}
UPPER_COLUMNS: Final = {
    "code": ("code", "上级目录代码", "目录代码"),
    "name": ("name", "目录名称", "名称"),
    "provider_name": ("provider_name", "提供部门"),
    "abstract": ("abstract", "摘要"),
    "items": ("items", "数据项"),
    "attribute": ("attribute", "共享属性"),
    "cycle": ("cycle", "更新周期"),
    "our_code": ("our_code", "本市目录代码"),
}
XLSX_COLUMNS: Final = (
    ("change", _("变动")),
    ("code", _("目录代码")),
    ("upper_code", _("上级目录代码")),
    ("name", _("目录名称")),
    ("provider", _("提供部门")),
    ("abstract", _("摘要")),
    ("classification", _("资源分类")),
    ("attribute", _("共享属性")),
    ("cycle", _("更新周期")),
    ("format", _("格式")),
    ("items", _("数据项")),
    ("version", _("目录版本")),
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the level above says of one entry; `verdict` is one of ours, or "" if not understood."""

    line: int
    code: str
    verdict: str
    upper_code: str
    note: str


Row = Mapping[str, Any]


class Exchange(Protocol):
    """What an adapter to a level above can do."""

    def outgoing(self, header: Row, entries: Iterable[Row], kind: str) -> bytes: ...

    def receipts(self, content: bytes, name: str) -> list[Receipt]: ...

    def upper_datasets(self, content: bytes, name: str) -> list[dict[str, str]]: ...


class FileExchange:
    """Packages as `json` or `xlsx`; answers as csv, xlsx, xls or json with headings of ours."""

    def outgoing(self, header: Row, entries: Iterable[Row], kind: str) -> bytes:
        """Return the file of a package; the entries are what `upward.content_of` makes."""
        if kind == "json":
            body = {**header, "entries": list(entries)}
            return json.dumps(body, ensure_ascii=False, indent=1, default=str).encode()
        return _workbook(entries)

    def receipts(self, content: bytes, name: str) -> list[Receipt]:
        """Read what came back.

        Raises:
            InvalidInput: the file cannot be read, or a needed heading is not there.
        """
        rows = _rows(content, name, RECEIPT_COLUMNS, needed=("code", "verdict"))
        return [
            Receipt(
                line,
                row["code"].replace("-", "/"),
                VERDICTS.get(row["verdict"].lower(), ""),
                row["upper_code"],
                row["note"],
            )
            for line, row in rows
            if any(row.values())
        ]

    def upper_datasets(self, content: bytes, name: str) -> list[dict[str, str]]:
        """Read a whole catalogue of the level above.

        Raises:
            InvalidInput: the file cannot be read, or code or name are not there.
        """
        rows = _rows(content, name, UPPER_COLUMNS, needed=("code", "name"))
        return [row for _line, row in rows if any(row.values())]


FILES: Final = FileExchange()


def _workbook(entries: Iterable[Row]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True, "in_memory": True}) as book:
        page = book.add_worksheet(str(_("上报条目")))
        head = book.add_format({"bold": True})
        page.freeze_panes(1, 2)
        for column, (_name, label) in enumerate(XLSX_COLUMNS):
            page.write_string(0, column, str(label), head)
        for number, entry in enumerate(entries, 1):
            for column, (name, _label) in enumerate(XLSX_COLUMNS):
                value = entry.get(name, "")
                text = "；".join(value) if isinstance(value, list) else str(value)
                page.write_string(number, column, text[:32_000])
    return buffer.getvalue()


def _rows(
    content: bytes, name: str, columns: Mapping[str, Sequence[str]], *, needed: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    """Return line number and values by name, "" where the file has no such column."""
    empty = dict.fromkeys(columns, "")
    if name.lower().endswith(".json"):
        return [(line, empty | row) for line, row in _from_json(content, columns)]
    rows = rows_of(content, name, columns, needed)
    return [(row.number, empty | row.values) for row in rows]


def _from_json(
    content: bytes, columns: Mapping[str, Sequence[str]]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and known values of each entry: a list of objects, or one under `entries`."""
    if len(content) > LIMIT_BYTES:
        raise InvalidInput(_("文件超过 20 MB"), field="file")
    try:
        body = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise InvalidInput(_("JSON 文件格式有误"), field="file") from None
    rows = body.get("entries") if isinstance(body, dict) else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput(_("JSON 文件应为条目的列表"), field="file")
    for number, row in enumerate(rows, 1):
        yield (
            number,
            {
                name: _text(row[word])
                for name, words in columns.items()
                for word in reversed(words)
                if word in row
            },
        )


def _text(value: object) -> str:
    if isinstance(value, list):
        return "；".join(map(_text, value))
    return "" if value is None else str(value).strip()
