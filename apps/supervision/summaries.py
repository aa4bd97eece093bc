"""All answers to a task side by side, as sheets: for the download and for print.

An answer counts once the department's head has signed it; of the others only the status is told.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from io import BytesIO, StringIO
from typing import Any, Final

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.csv_lines import harmless
from apps.supervision.models import SIGNED, TaskFile, TaskReturn, WorkTask
from apps.supervision.questions import Question, QuestionKind, in_words

SHEET_NAME: Final = 31  # characters that a workbook allows
NOT_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")
LONGEST_CELL: Final = 32_000


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, its headings, its rows of text; `numeric` columns hold numbers."""

    name: str
    headings: list[str]
    rows: list[list[str]]
    numeric: tuple[int, ...] = ()

    @property
    def totals(self) -> list[str]:
        """The sums of the numeric columns as a last row; nothing where none holds a number."""
        sums = {column: self._sum(column) for column in self.numeric}
        if all(total is None for total in sums.values()):
            return []
        words = ["" if sums.get(column) is None else str(sums[column]) for column in self._places]
        return [_("合计"), *words[1:]]

    @property
    def _places(self) -> range:
        return range(len(self.headings))

    def _sum(self, column: int) -> Decimal | None:
        found = [value for row in self.rows if (value := number_of(row[column])) is not None]
        return sum(found, Decimal()) if found else None


def sheets_of(task: WorkTask, returns: Iterable[TaskReturn]) -> list[Sheet]:
    """Return the summary: one row per department, tables and target lists on sheets of their own.

    Source: house rule (domain §3: each return is signed by its head)

    `returns` come with their department, region and signer loaded.
    """
    rows = list(returns)
    form = task.form()
    plain = [question for question in form if question.kind != QuestionKind.TABLE]
    tables = [question for question in form if question.kind == QuestionKind.TABLE]
    names = _file_names(rows)
    sheets = [_overview(plain, rows, names)]
    sheets += [_table_sheet(question, rows) for question in tables]
    if task.target_list:
        sheets.append(_line_sheet(task, rows))
    return _named_apart(sheets)


def as_workbook(sheets: Sequence[Sheet]) -> bytes:
    """Write the sheets as a workbook; what is no number is text, so none is read as a formula."""
    target = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "border": 1})
        body = book.add_format({"text_wrap": True, "valign": "top"})
        figure = book.add_format({"valign": "top", "num_format": "#,##0.############"})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            page.freeze_panes(1, 1)
            page.repeat_rows(0)
            page.set_landscape()
            page.fit_to_pages(1, 0)
            page.set_column(0, max(len(sheet.headings) - 1, 0), 18)
            for column, words in enumerate(sheet.headings):
                page.write_string(0, column, words, heading)
            for number, row in enumerate([*sheet.rows, sheet.totals], start=1):
                for column, words in enumerate(row):
                    value = number_of(words) if column in sheet.numeric else None
                    if value is None:
                        page.write_string(number, column, words[:LONGEST_CELL], body)
                    else:
                        page.write_number(number, column, float(value), figure)
    return target.getvalue()


def as_csv(sheet: Sheet) -> Iterator[str]:
    """Write one sheet as CSV; the mark at the front tells office software: UTF-8."""
    yield "\ufeff"
    for row in (sheet.headings, *sheet.rows):
        line = StringIO()
        csv.writer(line).writerow([harmless(words) for words in row])
        yield line.getvalue()


def number_of(words: str) -> Decimal | None:
    """Return the number that an answer is, None where it is none."""
    try:
        value = Decimal(words.replace(",", ""))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _overview(
    questions: Sequence[Question], rows: Sequence[TaskReturn], files: dict[int, str]
) -> Sheet:
    headings = [
        _("填报单位"),
        _("区划"),
        _("状态"),
        _("填报方式"),
        _("签发人"),
        _("签发报送时间"),
        _("是否逾期"),
        *(question.label for question in questions),
        _("说明"),
    ]
    return Sheet(
        _("汇总"),
        headings,
        [
            [
                *_heading(row),
                *(_answer(question, row, files) for question in questions),
                row.note if row.status in SIGNED else "",
            ]
            for row in rows
        ],
        _numeric(questions, len(headings) - 1 - len(questions)),
    )


def _heading(row: TaskReturn) -> list[str]:
    signed = timezone.localtime(row.signed_at) if row.signed_at else None
    due_on = row.task.due_on
    late = bool(signed and due_on and signed.date() > due_on) or getattr(row, "is_late", False)
    return [
        row.department.name,
        row.department.region.name,
        row.get_status_display(),
        row.get_answer_kind_display() if row.answer_kind and row.status in SIGNED else "",
        str(row.signed_by) if row.signed_by else "",
        signed.strftime("%Y-%m-%d %H:%M") if signed else "",
        _("逾期") if late else "",
    ]


def _answer(question: Question, row: TaskReturn, files: dict[int, str]) -> str:
    if row.status not in SIGNED:
        return ""
    value = row.answers.get(question.key)
    if question.kind == QuestionKind.FILE:
        return files.get(value, "") if isinstance(value, int) else ""
    return in_words(question, value)


def _table_sheet(question: Question, rows: Sequence[TaskReturn]) -> Sheet:
    headings = [_("填报单位"), _("序号"), *(column.label for column in question.columns)]
    return Sheet(
        question.label,
        headings,
        [
            [
                row.department.name,
                str(number),
                *(in_words(column, line.get(column.key)) for column in question.columns),
            ]
            for row in rows
            if row.status in SIGNED
            for number, line in enumerate(_list(row.answers.get(question.key)), start=1)
        ],
        _numeric(question.columns, 2),
    )


def _line_sheet(task: WorkTask, rows: Sequence[TaskReturn]) -> Sheet:
    form = task.line_form()
    headings = [_("填报单位"), _("编码"), _("名称"), *(question.label for question in form)]
    return Sheet(
        _("逐项核对"),
        headings,
        [
            [
                row.department.name,
                line["key"] or _("（补充）"),
                line["label"],
                *(in_words(question, line["answers"].get(question.key)) for question in form),
            ]
            for row in rows
            if row.status in SIGNED
            for line in row.lines
        ],
        _numeric(form, 3),
    )


def _numeric(questions: Sequence[Question], first: int) -> tuple[int, ...]:
    """Return which columns hold numbers when the questions begin at the column `first`."""
    return tuple(
        first + place
        for place, question in enumerate(questions)
        if question.kind == QuestionKind.NUMBER
    )


def _list(value: Any) -> list[dict[str, Any]]:
    return value if isinstance(value, list) else []


def _file_names(rows: Sequence[TaskReturn]) -> dict[int, str]:
    found = TaskFile.objects.filter(task_return__in=[row.pk for row in rows])
    return dict(found.values_list("pk", "title"))


def _named_apart(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Give every sheet a name that a workbook takes, and no two the same."""
    taken: set[str] = set()
    named = []
    for number, sheet in enumerate(sheets, start=1):
        name = NOT_IN_NAMES.sub(" ", sheet.name).strip()[:SHEET_NAME] or str(number)
        if name.lower() in taken:
            name = f"{name[: SHEET_NAME - 4]} {number}"
        taken.add(name.lower())
        named.append(replace(sheet, name=name))
    return named
