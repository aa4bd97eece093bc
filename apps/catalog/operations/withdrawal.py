"""Take an entry out of force, with the authority's consent and warning to those who use it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import authority, members_with
from apps.catalog import queries
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import Dataset
from apps.catalog.operations.indexing import refresh
from apps.catalog.operations.publishing import give_up
from apps.clocks import operations as clocks
from apps.core import access
from apps.ledger import operations as ledger


@transaction.atomic
def request_withdrawal(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Dataset:
    """Ask the authority to take the entry out of force.

    Source: comparator (西安): the authority answers within one working day
    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput: no reason.
        IllegalMove: the entry is not in force.
    """
    standing = access.require(actor, "request_withdrawal", dataset, at=at)
    DATASET.apply(
        dataset,
        "request_withdrawal",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        remark=reason.strip(),
    )
    refresh(dataset, at=at)
    reviewer = authority()
    clock = clocks.start(dataset, "catalog.withdraw_review", department=reviewer, at=at)
    ledger.open_todo(
        dataset,
        "catalog.withdraw",
        title=_("审核撤回目录：%(name)s") % {"name": dataset.name},
        url=dataset.get_absolute_url(),
        department=reviewer,
        role="authority_officer",
        at=at,
        due_on=clock.due_on,
    )
    ledger.record(
        standing, "catalog.request_withdrawal", dataset, at=at, details={"reason": reason.strip()}
    )
    return dataset


@transaction.atomic
def decline_withdrawal(
    *,
    dataset: Dataset,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> Dataset:
    """Keep the entry in force.

    Source: house rule
    Raises:
        NotAllowed: the actor does not review for the authority.
        InvalidInput: no reason.
        IllegalMove: no withdrawal was asked for.
    """
    standing = access.require(actor, "decline_withdrawal", dataset, at=at)
    DATASET.apply(
        dataset,
        "decline_withdrawal",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        remark=reason.strip(),
    )
    refresh(dataset, at=at)
    clocks.stop(dataset, "catalog.withdraw_review", at=at)
    ledger.close_todos(dataset, at=at, by=actor)
    _tell_provider(dataset, _("撤回申请未获同意：%(name)s") % {"name": dataset.name}, reason, at)
    ledger.record(
        standing,
        "catalog.decline_withdrawal",
        dataset,
        at=at,
        details={"reason": reason.strip()},
        department=dataset.department,
    )
    return dataset


@transaction.atomic
def withdraw(
    *, dataset: Dataset, actor: User, at: datetime, revision: int | None = None
) -> Dataset:
    """Take the entry out of force; who uses it is told and served on for a time.

    The time of further service is a dated policy, and ends in `sharing`.

    Source: comparator (西安); comparator (黑龙江)
    Raises:
        NotAllowed: the actor does not review for the authority.
        IllegalMove: no withdrawal was asked for.
    """
    standing = access.require(actor, "withdraw", dataset, at=at)
    DATASET.apply(dataset, "withdraw", actor=actor, at=at, revision=revision, withdrawn_at=at)
    refresh(dataset, at=at)
    clocks.stop(dataset, "catalog.withdraw_review", at=at)
    ledger.close_todos(dataset, at=at, by=actor)
    under_way = queries.open_change_of(dataset)
    if under_way is not None:
        give_up(under_way, actor=actor, at=at, reason=str(_("目录已撤回")))
    users = queries.departments_using(dataset)
    if users:
        clock = clocks.start(
            dataset, "catalog.withdraw_wind_down", department=dataset.department, at=at
        )
        for department in users:
            ledger.notify(
                members_with(["department_editor", "department_approver"], department),
                title=_("正在使用的数据目录已撤回：%(name)s") % {"name": dataset.name},
                body=_("提供部门继续提供服务至 %(day)s，此后停止。") % {"day": clock.due_on},
                url=dataset.get_absolute_url(),
                at=at,
                subject=dataset,
            )
    _tell_provider(dataset, _("目录已撤回：%(name)s") % {"name": dataset.name}, "", at)
    ledger.record(
        standing,
        "catalog.withdraw",
        dataset,
        at=at,
        details={"departments_using": [department.code for department in users]},
        department=dataset.department,
    )
    return dataset


def _tell_provider(dataset: Dataset, title: str, body: str, at: datetime) -> None:
    ledger.notify(
        members_with(["department_editor", "department_approver"], dataset.department),
        title=title,
        body=body.strip(),
        url=dataset.get_absolute_url(),
        at=at,
        subject=dataset,
    )
