"""The questions of a task's form and the answers to them: pure, no table.

An answer that is understood is kept in one way of writing (ISO days, plain numbers, yes/no); one
that is not is kept as it was typed, so that nothing is lost and the page can say what is wrong.

Values by kind: text, long_text, number, date, choice: str · yes_no: "yes" or "no" ·
choices: list of str · table: list of {column key: str} · file: the key of a kept file.

Source: house rule (domain §3, 工作任务)
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import InvalidInput

MOST_QUESTIONS: Final = 60
MOST_COLUMNS: Final = 12
MOST_ROWS: Final = 300
LONGEST: Final = {"text": 500, "long_text": 10_000}
LONGEST_WORD: Final = 200
KEY: Final = re.compile(r"^[a-z][a-z0-9_]{0,20}$")
NUMBER: Final = re.compile(r"^[+-]?(\d{1,3}(,\d{3})+|\d{1,30})(\.\d{1,12})?$")
DAY: Final = re.compile(r"^(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?$")
DAY_TOGETHER: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})$")
YES: Final = frozenset({"yes", "是", "有", "y", "true", "1"})
NO: Final = frozenset({"no", "否", "无", "n", "false", "0"})


class QuestionKind(TextChoices):
    TEXT = "text", gettext_lazy("文字")
    LONG_TEXT = "long_text", gettext_lazy("长文字")
    NUMBER = "number", gettext_lazy("数字")
    DATE = "date", gettext_lazy("日期")
    YES_NO = "yes_no", gettext_lazy("是或否")
    CHOICE = "choice", gettext_lazy("单选")
    CHOICES = "choices", gettext_lazy("多选")
    TABLE = "table", gettext_lazy("表格")
    FILE = "file", gettext_lazy("文件")


WITH_CHOICES: Final = (QuestionKind.CHOICE, QuestionKind.CHOICES)
IN_TABLES: Final = (
    QuestionKind.TEXT,
    QuestionKind.NUMBER,
    QuestionKind.DATE,
    QuestionKind.YES_NO,
)
IN_LINES: Final = (*IN_TABLES, QuestionKind.LONG_TEXT, QuestionKind.CHOICE)


@dataclass(frozen=True)
class Question:
    """One question; `per_line` asks it once for each line of the target list.

    `key` stays when the words change, so that last year's answer still finds its place.
    """

    key: str
    label: str
    kind: str
    required: bool = False
    help: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple["Question", ...] = field(default=())
    per_line: bool = False

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"key": self.key, "label": self.label, "kind": self.kind}
        if self.required:
            written["required"] = True
        if self.help:
            written["help"] = self.help
        if self.choices:
            written["choices"] = list(self.choices)
        if self.columns:
            written["columns"] = [column.to_json() for column in self.columns]
        if self.per_line:
            written["per_line"] = True
        return written


@dataclass(frozen=True)
class Problem:
    """What is missing or wrong in an answer; `line` counts the target list from 1."""

    key: str
    label: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        if self.line is None:
            return f"{self.label}：{self.message}"
        return _("第 %(line)s 行“%(label)s”：%(message)s") % {
            "line": self.line,
            "label": self.label,
            "message": self.message,
        }


def read_questions(written: Sequence[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Return the questions of a form as it was written, checked.

    Raises:
        InvalidInput: one has no words, no choices or no columns, or two are alike.
    """
    if len(written) > MOST_QUESTIONS:
        raise InvalidInput(_("问题至多 %(count)s 个") % {"count": MOST_QUESTIONS})
    found = tuple(_question(each) for each in written)
    _refuse_doubles(found, _("问题“%(label)s”重复"))
    if sum(question.per_line for question in found) > MOST_COLUMNS:
        raise InvalidInput(_("逐项填写的问题至多 %(count)s 个") % {"count": MOST_COLUMNS})
    return found


def stored(written: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Return questions that were checked when they were kept."""
    return tuple(_plain(each) for each in written)


def normalise(question: Question, raw: Any) -> Any:
    """Return the answer in the one way of writing, or as it was typed where it makes no sense."""
    kind = question.kind
    if kind == QuestionKind.TABLE:
        return _rows(question, raw)
    if kind == QuestionKind.CHOICES:
        words = raw if isinstance(raw, list | tuple) else [raw]
        return list(dict.fromkeys(text for text in map(_text, words) if text))
    if kind == QuestionKind.FILE:
        return raw if isinstance(raw, int) and not isinstance(raw, bool) else None
    text = _text(raw)
    if kind == QuestionKind.NUMBER:
        return _number(text)
    if kind == QuestionKind.DATE:
        return _day(text)
    if kind == QuestionKind.YES_NO:
        return _yes_or_no(text)
    return text


def is_blank(value: Any) -> bool:
    return value is None or value in ("", [])


def complaint(question: Question, value: Any) -> str:
    """Say what is wrong with an answer that was given; empty when nothing is."""
    kind = question.kind
    if is_blank(value):
        return ""
    if kind == QuestionKind.TABLE:
        return _complaint_of_rows(question, value)
    if kind == QuestionKind.CHOICES:
        foreign = [word for word in value if word not in question.choices]
        return _("“%(word)s”不在选项中") % {"word": foreign[0]} if foreign else ""
    if kind == QuestionKind.FILE:
        return ""
    return _complaint_of_text(question, str(value))


def problems_in(
    questions: Sequence[Question], answers: Mapping[str, Any], *, line: int | None = None
) -> list[Problem]:
    """Return everything that keeps the answers from being handed in, in the form's order."""
    found = []
    for question in questions:
        value = answers.get(question.key)
        if is_blank(value):
            if question.required:
                found.append(Problem(question.key, question.label, _("没有填写"), line))
        elif message := complaint(question, value):
            found.append(Problem(question.key, question.label, message, line))
    return found


def in_words(question: Question, value: Any) -> str:
    """Return an answer as people read it."""
    if is_blank(value):
        return ""
    if question.kind == QuestionKind.YES_NO:
        return {"yes": _("是"), "no": _("否")}.get(value, str(value))
    if question.kind == QuestionKind.CHOICES:
        return "、".join(value)
    if question.kind == QuestionKind.TABLE:
        return _("%(count)s 行") % {"count": len(value)}
    return str(value)


def _question(written: Mapping[str, Any], *, in_table: bool = False) -> Question:
    question = _plain(written)
    if not question.label:
        raise InvalidInput(_("每个问题都要写明问什么"), field="questions")
    if len(question.label) > LONGEST_WORD or len(question.help) > LONGEST["text"]:
        raise InvalidInput(_("“%(label)s”太长") % {"label": question.label[:20]}, field="questions")
    if not KEY.match(question.key):
        raise InvalidInput(_("“%(label)s”的标识有误") % {"label": question.label})
    allowed = IN_TABLES if in_table else tuple(QuestionKind)
    if question.kind not in allowed:
        raise InvalidInput(_("“%(label)s”的类型有误") % {"label": question.label})
    _check_parts(question)
    return question


def _check_parts(question: Question) -> None:
    words = {"label": question.label}
    if question.kind in WITH_CHOICES and len(set(question.choices)) < 2:
        raise InvalidInput(_("“%(label)s”至少写两个不同的选项") % words, field="questions")
    if question.kind == QuestionKind.TABLE:
        if not 1 <= len(question.columns) <= MOST_COLUMNS:
            raise InvalidInput(_("表格“%(label)s”应有 1 至 12 列") % words, field="questions")
        _refuse_doubles(question.columns, _("表格的列“%(label)s”重复"))
    if question.per_line and question.kind not in IN_LINES:
        raise InvalidInput(
            _("“%(label)s”是多选、表格或文件，不能逐项填写") % words, field="questions"
        )


def _plain(written: Mapping[str, Any]) -> Question:
    kind = str(written.get("kind", ""))
    has_choices, has_columns = kind in WITH_CHOICES, kind == QuestionKind.TABLE
    return Question(
        key=str(written.get("key", "")),
        label=_text(written.get("label")),
        kind=kind,
        required=bool(written.get("required")),
        help=_text(written.get("help")),
        choices=tuple(
            dict.fromkeys(
                text[:LONGEST_WORD]
                for text in map(_text, written.get("choices") or ())
                if text and has_choices
            )
        ),
        columns=tuple(
            _question(column, in_table=True)
            for column in (written.get("columns") or ())
            if has_columns
        ),
        per_line=bool(written.get("per_line")),
    )


def _refuse_doubles(questions: Sequence[Question], message: str) -> None:
    seen: set[str] = set()
    for question in questions:
        for mark in (f"k:{question.key}", f"l:{question.label}"):
            if mark in seen:
                raise InvalidInput(message % {"label": question.label}, field="questions")
            seen.add(mark)


def _text(raw: Any) -> str:
    if raw is None or isinstance(raw, dict | list):
        return ""
    return str(raw).replace("\x00", "").replace("\r\n", "\n").strip()


def _number(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    return plain.replace(",", "").removeprefix("+") if NUMBER.match(plain) else text


def _day(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip()
    found = DAY.match(plain) or DAY_TOGETHER.match(plain)
    if found is None:
        return text
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        return text


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _yes_or_no(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    return "yes" if plain in YES else "no" if plain in NO else text


def _rows(question: Question, raw: Any) -> list[dict[str, str]]:
    rows = []
    for row in raw if isinstance(raw, list | tuple) else ():
        if not isinstance(row, Mapping):
            continue
        cells = {column.key: normalise(column, row.get(column.key)) for column in question.columns}
        if any(cells.values()):
            rows.append(cells)
    return rows


def _complaint_of_rows(question: Question, rows: Any) -> str:
    if len(rows) > MOST_ROWS:
        return _("至多 %(count)s 行") % {"count": MOST_ROWS}
    for number, row in enumerate(rows, start=1):
        for problem in problems_in(question.columns, row):
            return _("第 %(row)s 行%(problem)s") % {"row": number, "problem": problem}
    return ""


def _complaint_of_text(question: Question, text: str) -> str:
    kind = question.kind
    longest = LONGEST.get(kind, LONGEST["text"])
    if len(text) > longest:
        return _("不超过 %(count)s 个字") % {"count": longest}
    if kind == QuestionKind.NUMBER and not NUMBER.match(text):
        return _("“%(text)s”不是数字；只写数字，不带单位") % {"text": text[:20]}
    if kind == QuestionKind.DATE and not _is_day(text):
        return _("“%(text)s”不是日期；写作 2026-11-22") % {"text": text[:20]}
    if kind == QuestionKind.YES_NO and text not in ("yes", "no"):
        return _("选择是或否")
    if kind == QuestionKind.CHOICE and text not in question.choices:
        return _("“%(word)s”不在选项中") % {"word": text[:20]}
    return ""
