"""Build the spreadsheets of the tests, good and bad, and bring them through the import."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from apps.catalog import operations as catalog
from apps.catalog.models import CatalogImport, Dataset
from apps.catalog.spreadsheets.lines import lines_of
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.writing import write_xlsx
from tests.catalog import stories
from tests.catalog.stories import People

HEADINGS = (
    "信息资源分类(目)", "信息资源名称", "信息资源代码", "信息资源提供方", "信息资源摘要",
    "信息资源格式分类", "信息资源格式类型", "信息项名称", "数据类型", "数据长度", "共享类型",
    "共享条件", "共享方式分类", "共享方式类型", "是否向社会开放", "更新周期", "发布日期",
)  # fmt: skip
GOOD = {
    "信息资源分类(目)": "307001",
    "信息资源名称": "临时救助发放信息",
    "信息资源提供方": "市民政局",
    "信息资源摘要": "临时救助金的发放对象、标准和时间",
    "信息资源格式分类": "数据库",
    "信息资源格式类型": "mysql",
    "信息项名称": "姓名",
    "数据类型": "字符型C",
    "数据长度": "50",
    "共享类型": "无条件共享",
    "共享方式分类": "共享平台方式",
    "共享方式类型": "接口",
    "是否向社会开放": "否",
    "更新周期": "每月",
    "发布日期": "2019-05-10",
}


def row(**changes: str) -> dict[str, str]:
    """A good row with some cells changed."""
    return {**GOOD, **changes}


def workbook(
    rows: Sequence[Mapping[str, Any]],
    *,
    headings: Sequence[str] = HEADINGS,
    titles: Sequence[str] = (),
    sheet: str = "目录",
) -> bytes:
    """A workbook of one sheet: titles, headings, rows."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"created": datetime(2026, 1, 1, tzinfo=UTC)})  # same rows, same bytes
    page = book.add_worksheet(sheet)
    lines = [[title] for title in titles]
    lines += [list(headings), *([each.get(name, "") for name in headings] for each in rows)]
    for number, cells in enumerate(lines):
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                page.write_string(number, place, cell)
            else:
                page.write(number, place, cell)
    book.close()
    return content.getvalue()


def upload(
    content: bytes, actor: Any, at: datetime, *, name: str = "目录.xlsx", **more: Any
) -> CatalogImport:
    """Hand a file in and let the worker check it."""
    subject = catalog.receive_import(
        file=io.BytesIO(content), file_name=name, actor=actor, at=at, **more
    )
    catalog.check_imports(at=at)
    subject.refresh_from_db()
    return subject


def adopted(subject: CatalogImport, actor: Any, at: datetime, scope: str = "good") -> CatalogImport:
    """Adopt a checked import and let the worker write it."""
    catalog.adopt(subject=subject, actor=actor, at=at, scope=scope)
    catalog.adopt_imports(at=at)
    subject.refresh_from_db()
    return subject


def exported(folder: Path, entries: Any = None) -> bytes:
    """The export of entries as the bytes of a workbook."""
    path = folder / "export.xlsx"
    found = Dataset.objects.all() if entries is None else entries
    write_xlsx(path, lines_of(found), References.load())
    return path.read_bytes()


def faults(subject: CatalogImport) -> list[tuple[str, str, str]]:
    """Level, cell and message of every fault, in order."""
    return [
        (fault["level"], fault["cell"], fault["message"])
        for entry in subject.entries.order_by("position")
        for fault in entry.faults
    ]


def edited(content: bytes, **cells: Any) -> bytes:
    """The workbook with some cells changed: by heading, then by row below the headings, from 0."""
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    headings = [str(heading) for heading in rows[0]]
    for heading, changes in cells.items():
        for place, value in changes.items():
            rows[1 + place][headings.index(heading)] = value
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet("目录")
    for number, line in enumerate(rows):
        for place, cell in enumerate(line):
            page.write_string(number, place, str(cell))
    book.close()
    return out.getvalue()


def actions(subject: Any) -> list[str]:
    return [entry.action for entry in subject.entries.order_by("position")]


def published_one(people: People, at: datetime, **fields: Any) -> Dataset:
    dataset = stories.published(people, at, name=fields.pop("name", "困难群众救助信息"), **fields)
    dataset.refresh_from_db()
    return dataset


def changed_meanwhile(
    people: People, dataset: Dataset, at: datetime, *, items: Any = None, **fields: Any
) -> None:
    change = catalog.begin_change(
        dataset=dataset, actor=people.editor, at=at, fields=fields, items=items
    )
    catalog.submit_change(change=change, actor=people.editor, at=at)
    catalog.approve_change(change=change, actor=people.head, at=at)
    catalog.publish_change(change=change, actor=people.officer, at=at)
