"""A department takes a task in and writes its answers; nothing that was typed is lost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import User
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.ledger import operations as ledger
from apps.supervision import queries
from apps.supervision.lifecycle import RETURN, WRITABLE
from apps.supervision.models import AnswerKind, TaskReturn
from apps.supervision.operations.files import kept_file
from apps.supervision.questions import (
    Problem,
    Question,
    QuestionKind,
    is_blank,
    normalise,
    problems_in,
)

MOST_LINES: Final = 2000
LONGEST_NOTE: Final = 2000


@transaction.atomic
def take_in(*, row: TaskReturn, actor: User, at: datetime) -> TaskReturn:
    """Take the task in: the target list is drawn up and last time's answers are filled in.

    Source: house rule (domain §3, 工作任务)
    Raises:
        NotAllowed: the actor does not edit for the department.
        IllegalMove: it was taken in already, or the task has ended.
    """
    standing = access.require(actor, "take_in", row, at=at)
    before = queries.tasks.previous_return(row.task, row.department)
    RETURN.apply(
        row,
        "take_in",
        actor=actor,
        at=at,
        opened_at=at,
        filled_by=actor,
        prefilled_from=before,
        answers=_carried(row.task.form(), before.answers if before else {}),
        lines=_lines(row, before),
    )
    ledger.record(
        standing,
        "supervision.take_in",
        row,
        at=at,
        details={"prefilled_from": before.task.number} if before else {},
    )
    return row


@transaction.atomic
def save_answers(
    *,
    row: TaskReturn,
    actor: User,
    at: datetime,
    answer_kind: str | None = None,
    answers: Mapping[str, Any] | None = None,
    lines: Sequence[Mapping[str, Any]] | None = None,
    files: Mapping[str, File[Any]] | None = None,
    note: str | None = None,
    revision: int | None = None,
) -> TaskReturn:
    """Keep what was written so far, complete or not; what is absent is left alone.

    lines: each names its `number` (from 1) and brings `answers`; without a number it is a line
    that the department adds, with a `label`; `drop` takes an added line out.
    files: question → file; the answer becomes the file kept.

    Raises:
        NotAllowed: the actor does not edit for the department.
        IllegalMove: the return is with the head or the authority.
        StaleRevision: somebody else saved after `revision`.
        InvalidInput: there is no such question or line; a file is not taken.
    """
    standing = access.require(actor, "save_answers", row, at=at)
    current = TaskReturn.objects.select_for_update().select_related("task").get(pk=row.pk)
    if current.status not in WRITABLE:
        raise IllegalMove(
            _("当前状态为“%(status)s”，不能修改填报") % {"status": current.get_status_display()},
            state=current.status,
        )
    if revision is not None and revision != current.revision:
        raise StaleRevision
    _write_heading(current, answer_kind, note)
    if answers is not None:
        current.answers = {**current.answers, **_read(current.task.form(), answers)}
    if files:
        _keep_files(current, files, actor, at)
    if lines is not None:
        current.lines = _write_lines(current, lines)
    current.filled_by = actor
    current.revision += 1
    current.updated_at = at
    remember(current, actor=actor, at=at, reason=_("保存"))
    current.save()
    ledger.record(standing, "supervision.save_answers", current, at=at)
    row.refresh_from_db()
    return row


def problems_of(row: TaskReturn) -> list[Problem]:
    """Return everything that keeps a return from being signed."""
    if row.answer_kind == AnswerKind.NONE:
        return [Problem("answer_kind", str(_("填报方式")), str(_("没有选择")))]
    if row.answer_kind != AnswerKind.DATA:
        if row.note.strip():
            return []
        return [Problem("note", str(_("说明")), str(_("无变化确认和零报告须写明核查的情况")))]
    found = problems_in(row.task.form(), row.answers)
    form = row.task.line_form()
    for number, line in enumerate(row.lines, start=1):
        found += problems_in(form, line["answers"], line=number)
    return found


def _carried(form: Sequence[Question], before: Mapping[str, Any]) -> dict[str, Any]:
    """Last time's answers to the questions that are asked again in the same way; never a file."""
    carried = {}
    for question in form:
        value = before.get(question.key)
        if question.kind == QuestionKind.FILE or is_blank(value):
            continue
        fits_list = isinstance(value, list) == (
            question.kind in (QuestionKind.TABLE, QuestionKind.CHOICES)
        )
        if fits_list and not is_blank(normalise(question, value)):
            carried[question.key] = normalise(question, value)
    return carried


def _lines(row: TaskReturn, before: TaskReturn | None) -> list[dict[str, Any]]:
    """The target list as it stands now, with what was said of each line last time."""
    lines = queries.tasks.target_lines(row.task, row.department)[:MOST_LINES]
    form = row.task.line_form()
    said = {
        line["key"]: line["answers"] for line in (before.lines if before else []) if line["key"]
    }
    return [{**line, "answers": _carried(form, said.get(line["key"], {}))} for line in lines]


def _write_heading(current: TaskReturn, answer_kind: str | None, note: str | None) -> None:
    if answer_kind is not None:
        if answer_kind not in AnswerKind.values:
            raise InvalidInput(_("填报方式不在选项中"), field="answer_kind")
        current.answer_kind = answer_kind
    if note is not None:
        if len(note) > LONGEST_NOTE:
            raise InvalidInput(_("不超过 %(count)s 个字") % {"count": LONGEST_NOTE}, field="note")
        current.note = note.strip()


def _read(form: Sequence[Question], given: Mapping[str, Any]) -> dict[str, Any]:
    known = {question.key: question for question in form}
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InvalidInput(_("没有问题“%(key)s”") % {"key": unknown[0]}, field=unknown[0])
    return {
        key: normalise(known[key], value)
        for key, value in given.items()
        if known[key].kind != QuestionKind.FILE
    }


def _keep_files(
    current: TaskReturn, files: Mapping[str, File[Any]], actor: User, at: datetime
) -> None:
    asked = {each.key: each for each in current.task.form() if each.kind == QuestionKind.FILE}
    for key, file in files.items():
        if key not in asked:
            raise InvalidInput(_("没有问题“%(key)s”") % {"key": key}, field=key)
        kept = kept_file(
            task=current.task, task_return=current, title="", file=file, actor=actor, at=at
        )
        current.answers = {**current.answers, key: kept.pk}


def _write_lines(current: TaskReturn, given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    lines = [dict(line) for line in current.lines]
    form = current.task.line_form()
    dropped = set()
    for each in given:
        number = each.get("number")
        if number is None:
            _add_line(lines, form, each)
            continue
        if not isinstance(number, int) or not 1 <= number <= len(current.lines):
            raise InvalidInput(_("清单中没有第 %(number)s 行") % {"number": number}, field="lines")
        line = lines[number - 1]
        if each.get("drop") and not line["key"]:
            dropped.add(number - 1)
        line["answers"] = {**line["answers"], **_read(form, each.get("answers") or {})}
    if len(lines) > MOST_LINES:
        raise InvalidInput(_("清单至多 %(count)s 行") % {"count": MOST_LINES}, field="lines")
    return [line for place, line in enumerate(lines) if place not in dropped]


def _add_line(
    lines: list[dict[str, Any]], form: Sequence[Question], given: Mapping[str, Any]
) -> None:
    label = str(given.get("label") or "").strip()[:100]
    if not label:
        raise InvalidInput(_("写明补充的一行是什么"), field="lines")
    lines.append({"key": "", "label": label, "answers": _read(form, given.get("answers") or {})})
