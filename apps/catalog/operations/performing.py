"""Report duties done, look that they are, give them back, free a department of them."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority
from apps.catalog.lifecycle.responsibility import DUTY, LIVE
from apps.catalog.models import Dataset, Duty, ResponsibilityList
from apps.catalog.operations.duties import record_with_reason, tell
from apps.catalog.queries import responsibility as queries
from apps.core import access
from apps.core.errors import IllegalMove, InvalidInput, StaleRevision, required_text
from apps.ledger import operations as ledger


@transaction.atomic
def perform(
    *,
    duty: Duty,
    evidence: str,
    actor: User,
    at: datetime,
    performed_rows: int | None = None,
    revision: int | None = None,
) -> Duty:
    """Report a duty done, with what shows it; the board goes by what landed, not by this word.

    Raises:
        NotAllowed: the actor does not edit for the performing department.
        InvalidInput: no evidence, or fewer than no rows.
        IllegalMove: it is not being performed, or its list has ended.
    """
    standing = access.require(actor, "perform", duty, at=at)
    require_running(duty.responsibility_list)
    evidence = required_text(evidence, _("请写明完成情况"), field="evidence")
    if performed_rows is not None and performed_rows < 0:
        raise InvalidInput(_("已归集条数不能小于 0"), field="performed_rows")
    DUTY.apply(
        duty,
        "perform",
        actor=actor,
        at=at,
        revision=revision,
        evidence=evidence,
        performed_rows=performed_rows,
        performed_at=at,
    )
    ledger.close_todos(duty, at=at, by=actor)
    _close_when_all_is_reported(duty.responsibility_list, actor, at)
    ledger.open_todo(
        duty,
        "catalog.verify_duty",
        title=_("核实责任事项：%(duty)s") % {"duty": duty},
        url=duty.get_absolute_url(),
        department=authority(),
        role="authority_officer",
        at=at,
    )
    record_with_reason(standing, "catalog.perform", duty, evidence, at)
    return duty


@transaction.atomic
def name_dataset(
    *, duty: Duty, dataset: Dataset, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Say which entry a duty is performed by, where it was promised before there was one.

    Source: house rule
    Raises:
        NotAllowed: the actor does not edit for the performing department.
        InvalidInput: the entry is another department's, or the duty has one already.
        IllegalMove: the duty is not in force.
        StaleRevision: somebody changed it after `revision`.
    """
    standing = access.require(actor, "perform", duty, at=at)
    current = Duty.objects.select_for_update().get(pk=duty.pk)
    if current.status not in LIVE:
        raise IllegalMove(_("印发后的责任事项才能对应目录"), state=current.status)
    if revision is not None and revision != current.revision:
        raise StaleRevision
    if current.dataset_id is not None or dataset.department_id != current.department_id:
        raise InvalidInput(
            _("事项已有目录，或者这条目录不是承担部门的；只能对应本部门的目录"), field="dataset"
        )
    if current.responsibility_list.duties.filter(dataset=dataset).exists():
        raise InvalidInput(_("这条目录在清单里已有对应的事项"), field="dataset")
    current.dataset, current.revision, current.updated_at = dataset, current.revision + 1, at
    changed: Any = current
    changed._history_user, changed._history_date = actor, at
    changed._change_reason = str(_("对应目录"))
    current.save()
    ledger.record(
        standing, "catalog.name_dataset", current, at=at, details={"dataset": dataset.code}
    )
    duty.refresh_from_db()
    return duty


@transaction.atomic
def verify(*, duty: Duty, actor: User, at: datetime, revision: int | None = None) -> Duty:
    """Find a reported duty done.

    Raises:
        NotAllowed: the actor does not act for the authority.
        IllegalMove: it was not reported.
    """
    standing = access.require(actor, "verify", duty, at=at)
    DUTY.apply(duty, "verify", actor=actor, at=at, revision=revision)
    ledger.close_todos(duty, at=at, by=actor)
    record_with_reason(standing, "catalog.verify", duty, "", at)
    return duty


@transaction.atomic
def return_performance(
    *, duty: Duty, reason: str, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Give a reported duty back: it is not done.

    Raises:
        NotAllowed: the actor does not act for the authority.
        InvalidInput: no reason.
        IllegalMove: it was not reported.
    """
    standing = access.require(actor, "return_performance", duty, at=at)
    DUTY.apply(duty, "return_performance", actor=actor, at=at, reason=reason, revision=revision)
    ledger.close_todos(duty, at=at, by=actor)
    ledger.open_todo(
        duty,
        "catalog.perform_duty",
        title=_("补齐责任事项：%(duty)s") % {"duty": duty},
        url=duty.get_absolute_url(),
        department=duty.department,
        role="department_editor",
        at=at,
        due_on=duty.due_on,
    )
    record_with_reason(standing, "catalog.return_performance", duty, reason, at)
    return duty


@transaction.atomic
def release(
    *, duty: Duty, reason: str, actor: User, at: datetime, revision: int | None = None
) -> Duty:
    """Free the department of a duty, or take a part of a duty back; its own parts go with it.

    Raises:
        NotAllowed: the actor neither acts for the authority nor gave this part out.
        InvalidInput: no reason.
        IllegalMove: it is not in force.
    """
    standing = access.require(actor, "release", duty, at=at)
    DUTY.apply(duty, "release", actor=actor, at=at, reason=reason, revision=revision)
    below = queries.parts_below(duty)
    parts = DUTY.apply_all(below, "release", actor=actor, at=at, reason=reason)
    ledger.close_todos(duty, at=at, by=actor)
    ledger.close_todos_of_all(below, at=at, by=actor)
    for each in (duty, *parts):
        tell(each, _("责任事项已免除：%(duty)s"), reason, at)
    _close_when_all_is_reported(duty.responsibility_list, actor, at)
    record_with_reason(standing, "catalog.release", duty, reason, at)
    return duty


def require_running(responsibility_list: ResponsibilityList) -> None:
    """Refuse what is done to duties of a list that has ended.

    Raises:
        IllegalMove: it is closed.
    """
    if responsibility_list.status == "closed":
        raise IllegalMove(_("清单已结束，不再办理"), state=responsibility_list.status)


def _close_when_all_is_reported(
    responsibility_list: ResponsibilityList, actor: User, at: datetime
) -> None:
    """The list as a whole is owed no more when none of its duties is."""
    if not responsibility_list.duties.filter(parent=None, status="in_force").exists():
        ledger.close_todos(responsibility_list, at=at, by=actor, kind="catalog.perform")
