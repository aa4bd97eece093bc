"""Consult on responsibility lists, issue and close them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog.lifecycle.responsibility import DUTY, RESPONSIBILITY_LIST
from apps.catalog.models import ResponsibilityList
from apps.catalog.queries import responsibility as queries
from apps.core import access
from apps.core.errors import DomainError, InvalidInput
from apps.ledger import operations as ledger

STAFF = ("department_editor", "department_approver")


@dataclass
class Outcome:
    """What became of many lists at once: those that moved, and why the others did not."""

    moved: list[ResponsibilityList] = field(default_factory=list)
    refused: list[tuple[ResponsibilityList, str | Promise]] = field(default_factory=list)


@transaction.atomic
def consult(
    *,
    responsibility_list: ResponsibilityList,
    consult_due_on: date,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> ResponsibilityList:
    """Ask the department for its opinion on its list, up to a day.

    Source: 渝大数据复函〔2019〕124号; house rule
    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: the list is empty, or the day has passed.
        IllegalMove: it is not being compiled.
    """
    standing = access.require(actor, "consult", responsibility_list, at=at)
    if consult_due_on <= timezone.localdate(at):
        raise InvalidInput(_("征求意见的截止日期应在今天之后"), field="consult_due_on")
    if not responsibility_list.duties.exclude(status="dropped").exists():
        raise InvalidInput(_("清单里还没有责任事项"), code="list_empty")
    RESPONSIBILITY_LIST.apply(
        responsibility_list,
        "consult",
        actor=actor,
        at=at,
        revision=revision,
        consult_due_on=consult_due_on,
        replied_at=None,
        replied_by=None,
        opinion="",
    )
    for role, title in (
        ("department_editor", _("逐项核对责任清单：%(list)s")),
        ("department_approver", _("回复责任清单的意见：%(list)s")),
    ):
        ledger.open_todo(
            responsibility_list,
            f"catalog.consult.{role}",
            title=title % {"list": responsibility_list},
            url=responsibility_list.get_absolute_url(),
            department=responsibility_list.department,
            role=role,
            at=at,
            due_on=consult_due_on,
        )
    ledger.record(
        standing,
        "catalog.consult",
        responsibility_list,
        at=at,
        details={"consult_due_on": consult_due_on.isoformat()},
        department=responsibility_list.department,
    )
    return responsibility_list


@transaction.atomic
def recall(
    *,
    responsibility_list: ResponsibilityList,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> ResponsibilityList:
    """Take the list back from consultation to compile it anew.

    Raises:
        NotAllowed, InvalidInput, IllegalMove: as the move says.
    """
    standing = access.require(actor, "recall", responsibility_list, at=at)
    RESPONSIBILITY_LIST.apply(
        responsibility_list, "recall", actor=actor, at=at, reason=reason, revision=revision
    )
    ledger.close_todos(responsibility_list, at=at, by=actor)
    _tell(responsibility_list, _("主管部门收回责任清单重新编制：%(list)s"), reason, at)
    ledger.record(
        standing,
        "catalog.recall",
        responsibility_list,
        at=at,
        details={"reason": reason.strip()},
        department=responsibility_list.department,
    )
    return responsibility_list


@transaction.atomic
def reply(
    *, responsibility_list: ResponsibilityList, actor: User, at: datetime, opinion: str = ""
) -> ResponsibilityList:
    """Answer the consultation for the department; what it did not object to is agreed.

    Source: house rule
    Raises:
        NotAllowed: the actor does not head the department's sharing office.
        InvalidInput: the list is not under consultation.
    """
    standing = access.require(actor, "reply", responsibility_list, at=at)
    current = ResponsibilityList.objects.select_for_update().get(pk=responsibility_list.pk)
    if current.status != "consulting":
        raise InvalidInput(_("清单不在征求意见，不能回复"), code="not_consulting")
    current.opinion, current.replied_at, current.replied_by = opinion.strip(), at, actor
    current.revision += 1
    current.updated_at = at
    current._history_user, current._history_date = actor, at  # type: ignore[attr-defined]
    current._change_reason = str(_("回复意见"))  # type: ignore[attr-defined]
    current.save()
    accepted = DUTY.apply_all(
        current.duties.filter(status="proposed"), "accept", actor=actor, at=at
    )
    ledger.close_todos(current, at=at, by=actor)
    objected = current.duties.filter(status="objected").count()
    ledger.open_todo(
        current,
        "catalog.issue",
        title=_("处理责任清单的回复：%(list)s") % {"list": current},
        url=current.get_absolute_url(),
        department=authority(),
        role="authority_officer",
        at=at,
    )
    ledger.record(
        standing,
        "catalog.reply",
        current,
        at=at,
        details={
            "reason": current.opinion,
            "accepted": len(accepted),
            "objected": objected,
        },
    )
    responsibility_list.refresh_from_db()
    return responsibility_list


@transaction.atomic
def issue(
    *,
    responsibility_list: ResponsibilityList,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> ResponsibilityList:
    """Put the list in force: the department is held to every duty on it by its day.

    It needs the department's reply, or the passing of the day set for it; silence is consent.
    Last year's list, of which this is the adjustment, ends.

    Source: 渝大数据复函〔2019〕124号; house rule (逾期未回复视为无意见)
    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: an objection is unanswered, a duty has no day, or the reply is awaited still.
        IllegalMove: it is not under consultation.
    """
    standing = access.require(actor, "issue", responsibility_list, at=at)
    if responsibility_list.status == "consulting":
        require_ready(responsibility_list, timezone.localdate(at))
    RESPONSIBILITY_LIST.apply(
        responsibility_list,
        "issue",
        actor=actor,
        at=at,
        revision=revision,
        issued_at=at,
        issued_by=actor,
    )
    duties = DUTY.apply_all(responsibility_list.duties.all(), "enforce", actor=actor, at=at)
    _end_previous(responsibility_list, actor, at)
    ledger.close_todos(responsibility_list, at=at, by=actor)
    first = min((duty.due_on for duty in duties if duty.due_on), default=None)
    ledger.open_todo(
        responsibility_list,
        "catalog.perform",
        title=_("落实责任清单：%(list)s") % {"list": responsibility_list},
        url=responsibility_list.get_absolute_url(),
        department=responsibility_list.department,
        role="department_editor",
        at=at,
        due_on=first,
    )
    words = _("共 %(count)s 项，最早 %(day)s 到期。") % {"count": len(duties), "day": first}
    _tell(responsibility_list, _("责任清单已印发：%(list)s"), words, at)
    ledger.record(
        standing,
        "catalog.issue",
        responsibility_list,
        at=at,
        details={"duties": len(duties)},
        department=responsibility_list.department,
    )
    return responsibility_list


@transaction.atomic
def close(
    *,
    responsibility_list: ResponsibilityList,
    reason: str,
    actor: User,
    at: datetime,
    revision: int | None = None,
) -> ResponsibilityList:
    """End the list: nobody is held to it any more.

    Raises:
        NotAllowed, InvalidInput, IllegalMove: as the move says.
    """
    standing = access.require(actor, "close", responsibility_list, at=at)
    RESPONSIBILITY_LIST.apply(
        responsibility_list, "close", actor=actor, at=at, reason=reason, revision=revision
    )
    _owe_nothing(responsibility_list, actor, at)
    _tell(responsibility_list, _("责任清单已结束：%(list)s"), reason, at)
    ledger.record(
        standing,
        "catalog.close",
        responsibility_list,
        at=at,
        details={"reason": reason.strip()},
        department=responsibility_list.department,
    )
    return responsibility_list


def consult_all(
    *, lists: Sequence[ResponsibilityList], consult_due_on: date, actor: User, at: datetime
) -> Outcome:
    """Ask many departments at once; say of each list that could not move why."""
    return _each(lists, consult, consult_due_on=consult_due_on, actor=actor, at=at)


def issue_all(*, lists: Sequence[ResponsibilityList], actor: User, at: datetime) -> Outcome:
    """Issue many lists at once; say of each that could not be issued why."""
    return _each(lists, issue, actor=actor, at=at)


def _each(lists: Sequence[ResponsibilityList], act: Any, **given: Any) -> Outcome:
    outcome = Outcome()
    for row in lists:
        try:
            outcome.moved.append(act(responsibility_list=row, **given))
        except DomainError as error:
            outcome.refused.append((row, error.message))
    return outcome


def require_ready(responsibility_list: ResponsibilityList, today: date) -> None:
    """Raise what still keeps the list from being issued, if anything does.

    Raises:
        InvalidInput: an objection is open, a duty has no day, or the department may still answer.
    """
    found = queries.counted(ResponsibilityList.objects.filter(pk=responsibility_list.pk)).get()
    counts: Any = found
    if counts.objected_count:
        raise InvalidInput(
            _("还有 %(count)s 项异议没有答复") % {"count": counts.objected_count},
            code="objections_open",
        )
    if counts.undated_count:
        raise InvalidInput(
            _("还有 %(count)s 项没有完成期限") % {"count": counts.undated_count},
            code="due_date_missing",
        )
    if found.replied_at is None and (found.consult_due_on is None or found.consult_due_on >= today):
        raise InvalidInput(
            _("部门还没有回复，征求意见到 %(day)s 才截止") % {"day": found.consult_due_on},
            code="reply_awaited",
        )


def _end_previous(current: ResponsibilityList, actor: User, at: datetime) -> None:
    if current.previous is not None and current.previous.status == "adjusting":
        words = str(_("新年度清单已印发"))
        RESPONSIBILITY_LIST.apply(current.previous, "close", actor=actor, at=at, reason=words)
        _owe_nothing(current.previous, actor, at)


def _owe_nothing(responsibility_list: ResponsibilityList, actor: User, at: datetime) -> None:
    """Close the to-dos of a list that has ended, and those of its duties."""
    ledger.close_todos(responsibility_list, at=at, by=actor)
    ledger.close_todos_of_all(responsibility_list.duties.all(), at=at, by=actor)


def _tell(
    responsibility_list: ResponsibilityList, title: Any, body: str | Promise, at: datetime
) -> None:
    ledger.notify(
        members_with(STAFF, responsibility_list.department),
        title=title % {"list": responsibility_list},
        body=str(body).strip(),
        url=responsibility_list.get_absolute_url(),
        at=at,
        subject=responsibility_list,
    )
