"""Correct duties, agree on them, object, answer, before their list is issued."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from simple_history.utils import bulk_update_with_history

from apps.accounts.models import User
from apps.accounts.queries import members_with
from apps.catalog.lifecycle.responsibility import DUTY, OPEN_TO_CHANGE
from apps.catalog.models import Duty, DutyOrigin, ResponsibilityList
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, NotFound, required_text
from apps.ledger import operations as ledger

STAFF: Final = ("department_editor", "department_approver")
CORRECTABLE: Final = (
    "title",
    "item_columns",
    "item_names",
    "expected_rows",
    "update_cycle",
    "due_on",
    "contact_name",
    "contact_phone",
    "internal_unit",
    "sharing_attribute",
    "opening_attribute",
    "system",
)


@transaction.atomic
def revise_duties(
    *,
    responsibility_list: ResponsibilityList,
    changes: Mapping[int, Mapping[str, Any]],
    actor: User,
    at: datetime,
) -> list[Duty]:
    """Correct duties of a list that is not issued yet: by key, the fields that change.

    What the department had agreed to and is now changed is put to it again. Values that are the
    same leave no trace. Returns the duties that changed.

    Source: house rule
    Raises:
        NotAllowed: the actor does not act for the authority.
        IllegalMove: the list is issued.
        NotFound: a duty is not on this list.
        InvalidInput: a field cannot be corrected, or its value is wrong; `duty` says where.
    """
    standing = access.require(actor, "revise", responsibility_list, at=at)
    _require_open(responsibility_list)
    duties = {
        duty.pk: duty
        for duty in responsibility_list.duties.select_for_update().filter(pk__in=changes)
    }
    if set(changes) - set(duties):
        raise NotFound(_("清单中没有这个责任事项"))
    changed = [duty for key, duty in duties.items() if _write(duty, changes[key])]
    for duty in changed:
        duty.revision += 1
        duty.updated_at = at
    bulk_update_with_history(
        changed,
        Duty,
        [*CORRECTABLE, "revision", "updated_at"],
        batch_size=500,
        default_user=actor,
        default_change_reason=str(_("修改")),
        default_date=at,
    )
    if responsibility_list.status == "consulting":
        keys = [duty.pk for duty in changed]
        DUTY.apply_all(Duty.objects.filter(pk__in=keys), "reconsult", actor=actor, at=at)
    if changed:
        ledger.record(
            standing,
            "catalog.revise_duties",
            responsibility_list,
            at=at,
            details={"duties": len(changed)},
            department=responsibility_list.department,
        )
    return changed


@transaction.atomic
def add_duty(
    *,
    responsibility_list: ResponsibilityList,
    title: str,
    actor: User,
    at: datetime,
    **fields: Any,
) -> Duty:
    """Put a duty on the list by hand: a dataset that is promised and does not exist yet.

    Raises:
        NotAllowed: the actor does not act for the authority.
        IllegalMove: the list is issued.
        InvalidInput: no title, or a value is wrong.
    """
    standing = access.require(actor, "revise", responsibility_list, at=at)
    _require_open(responsibility_list)
    duty = Duty(
        responsibility_list=responsibility_list,
        department=responsibility_list.department,
        origin=DutyOrigin.TYPED,
        created_at=at,
        updated_at=at,
    )
    given = {"title": required_text(title, _("请填写责任事项"), field="title"), **fields}
    _write(duty, given)
    _save_new(duty, actor, at, _("列入"))
    ledger.record(
        standing,
        "catalog.add_duty",
        duty,
        at=at,
        department=responsibility_list.department,
    )
    return duty


@transaction.atomic
def accept(*, duty: Duty, actor: User, at: datetime, revision: int | None = None) -> Duty:
    """Agree to a duty, as the department that is to perform it.

    Raises:
        NotAllowed: the actor is not of that department's staff.
        IllegalMove: the list is not under consultation, or the duty not open.
    """
    standing = access.require(actor, "accept", duty, at=at)
    _require_consulting(duty.responsibility_list)
    DUTY.apply(duty, "accept", actor=actor, at=at, revision=revision, objection="")
    ledger.record(standing, "catalog.accept", duty, at=at)
    return duty


@transaction.atomic
def accept_duties(*, duties: Sequence[Duty], actor: User, at: datetime) -> list[Duty]:
    """Agree to many duties at once; those that are not open stay as they are.

    Raises:
        NotAllowed: one of them is not the actor's to agree to; then none is moved.
        IllegalMove: a list is not under consultation.
    """
    if not duties:
        return []
    standing = access.require(actor, "accept", duties[0], at=at)
    keys = {duty.pk for duty in duties}
    mine = access.rows(actor, "accept", Duty, at=at).filter(pk__in=keys)
    if mine.count() != len(keys):
        access.require(actor, "accept", next(d for d in duties if not mine.filter(pk=d.pk)), at=at)
    lists = ResponsibilityList.objects.filter(duties__in=keys).distinct()
    for row in lists:
        _require_consulting(row)
    moved = DUTY.apply_all(
        Duty.objects.filter(pk__in=keys, status="proposed"), "accept", actor=actor, at=at
    )
    for row in lists:
        ledger.record(
            standing,
            "catalog.accept_duties",
            row,
            at=at,
            details={"duties": sum(duty.responsibility_list_id == row.pk for duty in moved)},
        )
    return moved


@transaction.atomic
def raise_objection(
    *, duty: Duty, reason: str, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Object to a duty with a reason, which the authority must answer before it issues the list.

    Raises:
        NotAllowed: the actor is not of that department's staff.
        InvalidInput: no reason.
        IllegalMove: the list is not under consultation, or the duty not open.
    """
    standing = access.require(actor, "raise_objection", duty, at=at)
    _require_consulting(duty.responsibility_list)
    DUTY.apply(
        duty,
        "raise_objection",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        objection=reason.strip(),
        settlement="",
    )
    ledger.record(
        standing, "catalog.raise_objection", duty, at=at, details={"reason": reason.strip()}
    )
    return duty


@transaction.atomic
def settle(
    *, duty: Duty, reason: str, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Answer an objection: the duty stays, corrected before where the objection was right.

    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: no answer.
        IllegalMove: nobody objected.
    """
    standing = access.require(actor, "settle", duty, at=at)
    DUTY.apply(
        duty,
        "settle",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        settlement=reason.strip(),
    )
    tell(duty, _("异议已答复：%(duty)s"), reason, at)
    record_with_reason(standing, "catalog.settle", duty, reason, at)
    return duty


@transaction.atomic
def drop(
    *, duty: Duty, reason: str, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Leave a duty off the list before it is issued.

    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: no reason.
        IllegalMove: it is in force already.
    """
    standing = access.require(actor, "drop", duty, at=at)
    DUTY.apply(duty, "drop", actor=actor, at=at, reason=reason, revision=revision)
    if duty.responsibility_list.status == "consulting":
        tell(duty, _("责任事项不再列入：%(duty)s"), reason, at)
    record_with_reason(standing, "catalog.drop", duty, reason, at)
    return duty


def _require_open(responsibility_list: ResponsibilityList) -> None:
    if responsibility_list.status not in OPEN_TO_CHANGE:
        raise IllegalMove(
            _("清单已印发，不能修改；年度调整时再改"), state=responsibility_list.status
        )


def _require_consulting(responsibility_list: ResponsibilityList) -> None:
    if responsibility_list.status != "consulting":
        raise IllegalMove(_("清单不在征求意见"), state=responsibility_list.status)


def _write(duty: Duty, values: Mapping[str, Any]) -> bool:
    """Write the values into the duty, not yet into the database; say whether any differs.

    Raises:
        InvalidInput: a field cannot be corrected, or its value is wrong.
    """
    unknown = sorted(set(values) - set(CORRECTABLE) - {"dataset"})
    if unknown or ("dataset" in values and duty.pk):
        raise InvalidInput(_("没有字段“%(names)s”") % {"names": "、".join(unknown or ["dataset"])})
    changed = [name for name, value in values.items() if getattr(duty, name) != value]
    for name in changed:
        setattr(duty, name, values[name])
    if changed:
        check(duty)
    return bool(changed)


def check(duty: Duty) -> None:
    """Look the duty's own values over.

    Raises:
        InvalidInput: one is wrong; `field` and `duty` say where.
    """
    if len(duty.item_columns) != len(duty.item_names):
        raise InvalidInput(_("数据项的列名与名称个数不同"), field="item_names")
    try:
        duty.clean_fields(
            exclude=["responsibility_list", "department", "parent", "previous", "system"]
        )
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(
            _("“%(duty)s”：%(message)s") % {"duty": duty.title, "message": messages[0]},
            field=field,
            duty=duty.pk,
        ) from error


def _save_new(duty: Duty, actor: User, at: datetime, reason: str | Promise) -> None:
    unsaved: Any = duty
    unsaved._history_user, unsaved._history_date = actor, at
    unsaved._change_reason = str(reason)
    duty.save(force_insert=True)


def tell(duty: Duty, title: Any, body: str, at: datetime) -> None:
    ledger.notify(
        members_with(STAFF, duty.department),
        title=title % {"duty": duty},
        body=body.strip(),
        url=duty.get_absolute_url(),
        at=at,
        subject=duty,
    )


def record_with_reason(
    standing: access.Standing, verb: str, duty: Duty, reason: str, at: datetime
) -> None:
    ledger.record(
        standing,
        verb,
        duty,
        at=at,
        details={"reason": reason.strip()} if reason.strip() else {},
        department=duty.department,
    )
