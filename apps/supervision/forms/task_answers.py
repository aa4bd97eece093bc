"""What a department is asked: the questions of the task, its tables, its target list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.supervision.models import AnswerKind, TaskReturn
from apps.supervision.questions import Question, QuestionKind, complaint, normalise

ROWS_BLANK: Final = 3
KINDS: Final = [
    (AnswerKind.DATA, _("填报数据：回答下面的问题")),
    (AnswerKind.NO_CHANGE, _("无变化确认：经核查，与上一次填报相比没有变化")),
    (AnswerKind.NIL, _("零报告：经核查，本单位没有需要填报的内容")),
]
YES_NO: Final = [("yes", _("是")), ("no", _("否"))]


@dataclass(frozen=True)
class Cell:
    """One input of a table or of a target line."""

    question: Question
    name: str
    value: Any
    wrong: str

    @property
    def choices(self) -> list[tuple[str, Any]]:
        if self.question.kind == QuestionKind.YES_NO:
            return [*YES_NO]
        return [(word, word) for word in self.question.choices]


@dataclass(frozen=True)
class TableInput:
    """A question that is answered by rows; below them a few blank ones."""

    question: Question
    rows: list[list[Cell]]
    wrong: str


@dataclass(frozen=True)
class LineInput:
    """One line of the target list with its questions; `number` counts from 1."""

    number: int
    key: str
    label: str
    cells: list[Cell]


class AnswerForm(forms.Form):
    """How the department answers, and every question but the tables; nothing is demanded yet."""

    answer_kind = forms.ChoiceField(
        label=_("填报方式"), choices=KINDS, widget=forms.RadioSelect, required=False
    )
    note = forms.CharField(
        label=_("说明"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("无变化确认和零报告须写明核查的情况；填报数据的，可以不写。"),
    )
    field_order = ("answer_kind",)

    def __init__(self, *args: Any, row: TaskReturn, **kwargs: Any) -> None:
        self.row = row
        self.questions = row.task.form()
        kwargs["initial"] = {
            "answer_kind": row.answer_kind,
            "note": row.note,
            **{each.key: row.answers.get(each.key) for each in self.questions},
        }
        super().__init__(*args, **kwargs)
        self.fields["answer_kind"].needed = True  # type: ignore[attr-defined]
        note = self.fields.pop("note")
        for question in self.questions:
            if question.kind != QuestionKind.TABLE:
                self.fields[question.key] = _field(question)
        self.fields["note"] = note

    def given(self) -> dict[str, Any]:
        """Return what was typed, tables included, files not."""
        typed = self.cleaned_data
        found = {
            each.key: typed[each.key]
            for each in self.questions
            if each.kind not in (QuestionKind.TABLE, QuestionKind.FILE)
        }
        for question in self.questions:
            if question.kind == QuestionKind.TABLE:
                found[question.key] = _typed_rows(question, self.data)  # type: ignore[arg-type]
        return found

    def given_files(self) -> dict[str, Any]:
        return {
            each.key: self.cleaned_data[each.key]
            for each in self.questions
            if each.kind == QuestionKind.FILE and self.cleaned_data.get(each.key)
        }

    def in_order(self) -> list[tuple[Any, TableInput | None, Question | None]]:
        """The fields as the page sets them: a bound field, or a table, with its question."""
        found: list[tuple[Any, TableInput | None, Question | None]] = []
        for question in self.questions:
            if question.kind == QuestionKind.TABLE:
                found.append((None, self._table(question), question))
            else:
                found.append((self[question.key], None, question))
        return found

    def _table(self, question: Question) -> TableInput:
        kept = self.row.answers.get(question.key)
        written: list[dict[str, str]] = kept if isinstance(kept, list) else []
        if self.is_bound:
            written = normalise(question, _typed_rows(question, self.data))  # type: ignore[arg-type]
        rows = [*written, *({} for _each in range(ROWS_BLANK))]
        return TableInput(
            question,
            [
                [
                    Cell(column, f"{question.key}-{number}-{column.key}", value, "")
                    for column in question.columns
                    for value in [row.get(column.key, "")]
                ]
                for number, row in enumerate(rows)
            ],
            complaint(question, written),
        )


def line_inputs(
    row: TaskReturn, first: int, count: int, typed: QueryDict | None = None
) -> list[LineInput]:
    """Return a page of the target list as inputs, with what was typed; `first` counts from 0."""
    form = row.task.line_form()
    return [
        LineInput(
            number,
            line["key"],
            line["label"],
            [
                _line_cell(
                    question,
                    number,
                    {**line["answers"], **(_typed_line(form, number, typed) if typed else {})},
                )
                for question in form
            ],
        )
        for number, line in enumerate(row.lines[first : first + count], start=first + 1)
    ]


def new_line_inputs(row: TaskReturn) -> list[Cell]:
    return [_line_cell(question, 0, {}) for question in row.task.line_form()]


def given_lines(row: TaskReturn, typed: QueryDict, first: int, count: int) -> list[dict[str, Any]]:
    """Return what was typed for a page of the target list, and the line that was added."""
    form = row.task.line_form()
    found: list[dict[str, Any]] = []
    for number in range(first + 1, min(first + count, len(row.lines)) + 1):
        line = {"number": number, "answers": _typed_line(form, number, typed)}
        if f"l{number}-drop" in typed:
            line["drop"] = True
        found.append(line)
    label = typed.get("l0-label", "").strip()
    if label:
        found.append({"label": label, "answers": _typed_line(form, 0, typed)})
    return found


def pasted_rows(columns: Sequence[Question], text: str) -> list[dict[str, str]]:
    """Read rows copied from a spreadsheet: a line each, cells between tabs; headings are left out.

    What stands to the right of the last column is left out as well.
    """
    rows = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("\t")]
        if not any(cells) or cells[: len(columns)] == [column.label for column in columns]:
            continue
        rows.append({column.key: cell for column, cell in zip(columns, cells, strict=False)})
    return rows


def _typed_rows(question: Question, typed: QueryDict) -> list[dict[str, str]]:
    rows = []
    number = 0
    while any(f"{question.key}-{number}-{column.key}" in typed for column in question.columns):
        rows.append(
            {
                column.key: typed.get(f"{question.key}-{number}-{column.key}", "")
                for column in question.columns
            }
        )
        number += 1
    return [*rows, *pasted_rows(question.columns, typed.get(f"{question.key}-paste", ""))]


def _typed_line(form: Sequence[Question], number: int, typed: QueryDict) -> dict[str, Any]:
    return {
        question.key: typed[f"l{number}-{question.key}"]
        for question in form
        if f"l{number}-{question.key}" in typed
    }


def _line_cell(question: Question, number: int, answers: Mapping[str, Any]) -> Cell:
    value = answers.get(question.key, "")
    return Cell(question, f"l{number}-{question.key}", value, complaint(question, value))


def _field(question: Question) -> Any:
    common: dict[str, Any] = {
        "label": question.label,
        "help_text": question.help,
        "required": False,
    }
    found: Any
    if question.kind == QuestionKind.FILE:
        found = forms.FileField(**common)
    elif question.kind == QuestionKind.CHOICES:
        words = [(word, word) for word in question.choices]
        found = forms.MultipleChoiceField(
            choices=words, widget=forms.CheckboxSelectMultiple, **common
        )
    elif question.kind in (QuestionKind.CHOICE, QuestionKind.YES_NO):
        words = (
            [*YES_NO]  # type: ignore[list-item]
            if question.kind == QuestionKind.YES_NO
            else [(word, word) for word in question.choices]
        )
        found = forms.ChoiceField(choices=words, widget=forms.RadioSelect, **common)
    else:
        found = forms.CharField(widget=_widget(question.kind), strip=False, **common)
    found.needed = question.required
    return found


def _widget(kind: str) -> forms.Widget:
    if kind == QuestionKind.LONG_TEXT:
        return forms.Textarea(attrs={"rows": 4})
    if kind == QuestionKind.NUMBER:
        return forms.TextInput(attrs={"inputmode": "decimal"})
    if kind == QuestionKind.DATE:
        return forms.TextInput(attrs={"type": "date"})
    return forms.TextInput()
