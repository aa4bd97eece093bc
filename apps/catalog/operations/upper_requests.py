"""A department asks for data of a level above; the authority forwards it and keeps the answers."""

from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.history import remember
from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog.lifecycle import UPPER_REQUEST
from apps.catalog.models import UpperDataset, UpperRequest, UpperRequestStatus
from apps.core import access
from apps.core.copying import draw_keys
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision
from apps.ledger import operations as ledger

OWN: Final = ("draft", "returned")
"""Where the asking department writes it."""

TODOS: Final[dict[str, tuple[str, str, str | Promise]]] = {
    UpperRequestStatus.AWAITING_HEAD: (
        "own",
        "department_approver",
        _("审批上级数据申请：%(name)s"),
    ),
    UpperRequestStatus.RETURNED: ("own", "department_editor", _("修改上级数据申请：%(name)s")),
    UpperRequestStatus.FILED: ("authority", "authority_officer", _("转报上级数据申请：%(name)s")),
    UpperRequestStatus.DELIVERED: ("own", "department_editor", _("办结上级数据申请：%(name)s")),
}


@transaction.atomic
def draft(
    *, upper_dataset: UpperDataset, actor: User, at: datetime, **written: Any
) -> UpperRequest:
    """Write a request for an entry of a catalogue above.

    written: scenario, basis, items, contact_name, contact_phone.

    Source: 《政务数据共享条例》第二十条、第二十四条
    Raises:
        NotAllowed: the actor edits for no department.
        InvalidInput: the entry is gone above, or something mandatory is missing.
    """
    standing = access.require(actor, "create", UpperRequest, at=at)
    if not upper_dataset.is_standing:
        raise InvalidInput(_("上级已不再提供该目录"), field="upper_dataset")
    request = UpperRequest(
        department=(standing.principal or actor).department,
        upper_dataset=upper_dataset,
        drafted_by=actor,
        created_at=at,
        updated_at=at,
        **{name: value.strip() for name, value in written.items()},
    )
    draw_keys([request])
    request.number = f"SJ-{timezone.localtime(at).year}-{request.pk:06d}"
    _save(request, actor=actor, at=at, reason=_("新建"))
    ledger.record(standing, "catalog.file_upper_request", request, at=at)
    return request


@transaction.atomic
def revise(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    revision: int | None = None,
    **written: str,
) -> UpperRequest:
    """Change a request that is still, or again, with its department. What is absent stays.

    written: scenario, basis, items, contact_name, contact_phone.

    Source: 《政务数据共享条例》第二十条、第二十四条
    Raises:
        NotAllowed: the actor does not edit it now.
        IllegalMove: it was submitted.
        StaleRevision: somebody changed it after `revision`.
        InvalidInput: something mandatory is missing.
    """
    standing = access.require(actor, "revise", request, at=at)
    current = UpperRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if current.status not in OWN:
        raise IllegalMove(_("申请已提交，不能修改"), state=current.status)
    if revision is not None and current.revision != revision:
        raise StaleRevision
    changed = [name for name in written if getattr(current, name) != written[name].strip()]
    if changed:
        for name in changed:
            setattr(current, name, written[name].strip())
        current.revision += 1
        current.updated_at = at
        _save(current, actor=actor, at=at, reason=_("修改"))
        labels = [str(UpperRequest._meta.get_field(name).verbose_name) for name in changed]  # type: ignore[union-attr]
        details = {"changed": labels}
        ledger.record(standing, "catalog.revise_upper_request", current, at=at, details=details)
    request.refresh_from_db()
    return request


def submit(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """Put the request before the own sharing office's head."""
    return _move(request, "submit", actor, at, reason, revision)


def approve(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """File the request with the authority in the department's name.

    Source: 《政务数据共享条例》第十一条
    """
    return _move(request, "approve", actor, at, reason, revision, filed_at=at, remark="")


def send_back(
    *, request: UpperRequest, actor: User, at: datetime, reason: str, revision: int | None = None
) -> UpperRequest:
    """Return the request for mending, as own head or as the authority."""
    return _move(request, "send_back", actor, at, reason, revision, remark=reason.strip())


def forward(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    outside_number: str = "",
    outside_on: date | None = None,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """Note that the request was handed in above, with the number and the day given there."""
    told = _told(request, reason, outside_on, at)
    number = outside_number.strip()
    return _move(
        request, "forward", actor, at, reason, revision,
        forwarded_at=at, outside_number=number, **told,
    )  # fmt: skip


def agree(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    outside_on: date | None = None,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """Note that the level above agreed, in its words and of its day."""
    told = _told(request, reason, outside_on, at)
    return _move(request, "agree", actor, at, reason, revision, answered_at=at, **told)


def refuse(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    reason: str,
    outside_on: date | None = None,
    revision: int | None = None,
) -> UpperRequest:
    """Note that the level above did not agree, and why."""
    told = _told(request, reason, outside_on, at)
    return _move(request, "refuse", actor, at, reason, revision, answered_at=at, **told)


def deliver(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    outside_on: date | None = None,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """Note that the data has come."""
    told = _told(request, reason, outside_on, at)
    return _move(request, "deliver", actor, at, reason, revision, **told)


def close(
    *,
    request: UpperRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> UpperRequest:
    """Say as the department that the matter is over."""
    return _move(request, "close", actor, at, reason, revision, closed_at=at)


def withdraw(
    *, request: UpperRequest, actor: User, at: datetime, reason: str, revision: int | None = None
) -> UpperRequest:
    """Give the request up, as long as it was not handed in above."""
    return _move(request, "withdraw", actor, at, reason, revision)


@transaction.atomic
def _move(
    request: UpperRequest,
    name: str,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None,
    **fields: Any,
) -> UpperRequest:
    """Allow, move, hand on and record; every move of a request for upper data is like this."""
    standing = access.require(actor, name, request, at=at)
    UPPER_REQUEST.apply(
        request, name, actor=actor, at=at, reason=reason, revision=revision, **fields
    )
    ledger.close_todos(request, at=at, by=actor)
    owed = TODOS.get(request.status)
    if owed is not None:
        side, role, title = owed
        ledger.open_todo(
            request,
            f"catalog.upper_{request.status}",
            title=title % {"name": request.upper_dataset.name},
            url=request.get_absolute_url(),
            department=request.department if side == "own" else authority(),
            role=role,
            at=at,
        )
    elif request.status in ("forwarded", "agreed", "refused"):
        ledger.notify(
            members_with(["department_editor", "department_approver"], request.department),
            title=_("上级数据申请 %(number)s：%(status)s")
            % {"number": request.number, "status": request.get_status_display()},
            body=reason.strip(),
            url=request.get_absolute_url(),
            at=at,
            subject=request,
        )
    ledger.record(
        standing,
        f"catalog.{name}",
        request,
        at=at,
        details={"reason": reason.strip()} if reason.strip() else {},
        department=request.department,
    )
    return request


def _told(
    request: UpperRequest, words: str, outside_on: date | None, at: datetime
) -> dict[str, Any]:
    today = timezone.localdate(at)
    if outside_on is not None and outside_on > today:
        raise InvalidInput(_("上级办理日期不能晚于今天"), field="outside_on")
    return {
        "outside_status": words.strip()[:200] or request.outside_status,
        "outside_on": outside_on or today,
    }


def _save(request: UpperRequest, *, actor: User, at: datetime, reason: str | Promise) -> None:
    """Check and save with history.

    Raises:
        InvalidInput: something mandatory is missing, or too long.
    """
    try:
        request.full_clean(exclude=("upper_dataset", "department"), validate_unique=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(messages[0], field=field) from error
    remember(request, actor=actor, at=at, reason=reason)
    request.save()
