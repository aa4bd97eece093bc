"""Name the source of what several departments collect; decide what the radar found."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.accounts.queries import members_with
from apps.catalog.lifecycle import DUPLICATE
from apps.catalog.models import Duplicate, SourceDesignation
from apps.core import access
from apps.core.errors import Conflict, InvalidInput, required_text
from apps.ledger import operations as ledger
from apps.standards.models import DataElement

TOLD = ("department_editor", "department_approver")


@transaction.atomic
def designate_source(
    *,
    actor: User,
    at: datetime,
    subject: str,
    department: Department,
    basis: str,
    data_element: DataElement | None = None,
    valid_from: date | None = None,
) -> SourceDesignation:
    """Name the department that collects a datum; the others take it from there.

    valid_from: today, unless told.

    Source: 《政务数据共享条例》第十九条
    Raises:
        NotAllowed: the actor does not decide for the authority.
        InvalidInput: subject or basis is missing or too long.
        Conflict: the datum has a source already.
    """
    standing = access.require(actor, "designate", SourceDesignation, at=at)
    subject = required_text(subject, _("请写明是什么数据"), field="subject")
    basis = required_text(basis, _("请写明确定数源的依据"), field="basis")
    made = SourceDesignation(
        subject=_short(subject, "subject", 100),
        data_element=data_element,
        department=department,
        basis=_short(basis, "basis", 500),
        decided_by=actor,
        decided_at=at,
        valid_from=valid_from or timezone.localdate(at),
    )
    _credit(made, actor, at, str(_("确定数源")))
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        raise Conflict(
            _("“%(subject)s”已有数源部门，须先终止原来的认定") % {"subject": made.subject},
            constraint="catalog_sourcedesignation_one_in_force",
        ) from error
    ledger.notify(
        members_with(TOLD, department),
        title=_("本部门被确定为数源部门：%(subject)s") % {"subject": made.subject},
        body=made.basis,
        url=made.get_absolute_url(),
        at=at,
        subject=made,
    )
    ledger.record(
        standing,
        "catalog.designate_source",
        made,
        at=at,
        details={"reason": made.basis, "department": department.code},
        department=department,
    )
    return made


@transaction.atomic
def end_designation(
    *, designation: SourceDesignation, actor: User, at: datetime, reason: str
) -> SourceDesignation:
    """End a designation today; duplicates decided by it are to be considered anew.

    Source: 《政务数据共享条例》第十九条
    Raises:
        NotAllowed: the actor does not decide for the authority.
        InvalidInput: no reason.
        Conflict: it has ended already, or began only today.
    """
    standing = access.require(actor, "end", designation, at=at)
    reason = required_text(reason, _("请填写终止的理由"), field="reason")
    current = SourceDesignation.objects.select_for_update().get(pk=designation.pk)
    today = timezone.localdate(at)
    if current.valid_to is not None or current.valid_from >= today:
        raise Conflict(_("已经终止，或者今天才开始，不能终止"))
    current.valid_to = today
    _credit(current, actor, at, reason)
    current.save()
    for duplicate in current.duplicates.all():
        _reopen(duplicate, actor, at, str(_("数源认定已终止：%(why)s") % {"why": reason}))
    ledger.notify(
        members_with(TOLD, current.department),
        title=_("数源认定已终止：%(subject)s") % {"subject": current.subject},
        body=reason,
        url=current.get_absolute_url(),
        at=at,
        subject=current,
    )
    ledger.record(standing, "catalog.end_designation", current, at=at, details={"reason": reason})
    return current


@transaction.atomic
def name_source(
    *,
    duplicate: Duplicate,
    actor: User,
    at: datetime,
    department: Department,
    reason: str,
    subject: str = "",
    revision: int | None = None,
) -> Duplicate:
    """Decide that two entries hold the same data, and which of both departments is its source.

    reason: the basis of the designation; subject: what it is called, the source's entry's name
    unless told. A designation of that subject that is in force is used again.

    Source: 《政务数据共享条例》第十九条
    Raises:
        NotAllowed: the actor does not decide for the authority.
        InvalidInput: no reason, or a department that has neither entry.
        Conflict: another department is the source of that subject.
        IllegalMove, StaleRevision: it was decided meanwhile.
    """
    standing = access.require(actor, "name_source", duplicate, at=at)
    entries = {each.department_id: each for each in (duplicate.first, duplicate.second)}
    if department.pk not in entries:
        raise InvalidInput(_("数源部门应是这两条目录的提供部门之一"), field="department")
    subject = subject.strip() or entries[department.pk].name
    known = SourceDesignation.objects.filter(subject=subject, valid_to=None).first()
    if known is not None and known.department_id != department.pk:
        raise Conflict(
            _("“%(subject)s”的数源部门是%(department)s")
            % {"subject": subject, "department": known.department},
            field="department",
        )
    designation = known or designate_source(
        actor=actor, at=at, subject=subject, department=department, basis=reason
    )
    _decide(duplicate, "name_source", actor, at, reason, revision, designation)
    _tell(duplicate, _("已确定数源部门：%(name)s") % {"name": department}, reason, at)
    ledger.record(
        standing,
        "catalog.name_source",
        duplicate,
        at=at,
        details={"reason": reason.strip(), "department": department.code},
    )
    return duplicate


@transaction.atomic
def tell_apart(
    *, duplicate: Duplicate, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Duplicate:
    """Decide that two entries hold different things, alike as they look.

    Source: 《政务数据共享条例》第十九条
    Raises:
        NotAllowed: the actor does not decide for the authority.
        InvalidInput: no reason.
        IllegalMove, StaleRevision: it was decided meanwhile.
    """
    standing = access.require(actor, "tell_apart", duplicate, at=at)
    _decide(duplicate, "tell_apart", actor, at, reason, revision, None)
    _tell(duplicate, _("经核对不是同一数据"), reason, at)
    ledger.record(
        standing, "catalog.tell_apart", duplicate, at=at, details={"reason": reason.strip()}
    )
    return duplicate


@transaction.atomic
def reconsider(
    *, duplicate: Duplicate, actor: User, at: datetime, reason: str, revision: int | None = None
) -> Duplicate:
    """Take a decision back, so that it is decided anew; a designation stays in force.

    Source: house rule
    Raises:
        NotAllowed: the actor does not decide for the authority.
        InvalidInput: no reason.
        IllegalMove, StaleRevision: it is open already.
    """
    standing = access.require(actor, "reconsider", duplicate, at=at)
    _reopen(duplicate, actor, at, reason, revision)
    _tell(duplicate, _("重新考虑"), reason, at)
    ledger.record(
        standing, "catalog.reconsider", duplicate, at=at, details={"reason": reason.strip()}
    )
    return duplicate


@transaction.atomic
def comment_duplicate(*, duplicate: Duplicate, actor: User, at: datetime, text: str) -> None:
    """Say something about a seeming duplicate, for those who decide; it stands in its trail.

    Source: house rule
    Raises:
        NotAllowed: neither a department concerned nor the authority.
        InvalidInput: nothing was said, or more than 500 characters.
    """
    standing = access.require(actor, "comment", duplicate, at=at)
    text = _short(required_text(text, _("请填写意见"), field="text"), "text", 500)
    ledger.record(standing, "catalog.comment_duplicate", duplicate, at=at, details={"reason": text})


def _credit(row: Any, actor: User, at: datetime, reason: str) -> None:
    row._history_user, row._history_date, row._change_reason = actor, at, reason


def _short(text: str, field: str, longest: int) -> str:
    if len(text) > longest:
        raise InvalidInput(_("不超过 %(longest)s 个字") % {"longest": longest}, field=field)
    return text


def _decide(
    duplicate: Duplicate,
    move: str,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None,
    designation: SourceDesignation | None,
) -> None:
    DUPLICATE.apply(
        duplicate,
        move,
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        decided_by=actor,
        decided_at=at,
        designation=designation,
        remark=_short(reason.strip(), "reason", 500),
    )


def _reopen(
    duplicate: Duplicate, actor: User, at: datetime, reason: str, revision: int | None = None
) -> None:
    DUPLICATE.apply(
        duplicate,
        "reconsider",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        decided_by=None,
        decided_at=None,
        designation=None,
        remark=_short(reason.strip(), "reason", 500),
    )


def _tell(duplicate: Duplicate, outcome: str | Promise, reason: str, at: datetime) -> None:
    """Tell the departments of both entries what was decided."""
    for entry in (duplicate.first, duplicate.second):
        ledger.notify(
            members_with(TOLD, entry.department),
            title=_("疑似重复采集“%(name)s”：%(outcome)s")
            % {"name": entry.name, "outcome": outcome},
            body=reason.strip(),
            url=duplicate.get_absolute_url(),
            at=at,
            subject=duplicate,
        )
