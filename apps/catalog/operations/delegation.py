"""Let another department, or one person, manage an entry or review the requests for it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from guardian.shortcuts import assign_perm, remove_perm

from apps.accounts.models import Department, User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import InvalidInput
from apps.ledger import operations as ledger

RIGHTS = ("manage_dataset", "review_requests")


def delegate_manage(
    *, dataset: Dataset, to: Department | User, actor: User, at: datetime
) -> Dataset:
    """Let a department's members or one person edit the entry and submit it.

    Source: house rule (design §3.2)
    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput: there is nobody to delegate to.
    """
    return _delegate(dataset, "delegate_manage", "manage_dataset", to, actor, at)


def delegate_review(
    *, dataset: Dataset, to: Department | User, actor: User, at: datetime
) -> Dataset:
    """Let a department's members or one person review the requests for the entry's data.

    Source: house rule (design §3.2)
    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput: there is nobody to delegate to.
    """
    return _delegate(dataset, "delegate_review", "review_requests", to, actor, at)


@transaction.atomic
def end_delegation(
    *, dataset: Dataset, right: str, to: Department | User, actor: User, at: datetime
) -> Dataset:
    """Take a delegated right back.

    Raises:
        NotAllowed: the actor does not head the provider's sharing office.
        InvalidInput: the right is not one that is delegated.
    """
    standing = access.require(actor, "end_delegation", dataset, at=at)
    if right not in RIGHTS:
        raise InvalidInput(_("没有这种委托"), field="right")
    remove_perm(right, to.group if isinstance(to, Department) else to, dataset)
    ledger.record(
        standing,
        "catalog.end_delegation",
        dataset,
        at=at,
        details={"right": right, "to": str(to)},
    )
    return dataset


@transaction.atomic
def _delegate(
    dataset: Dataset, action: str, right: str, to: Department | User, actor: User, at: datetime
) -> Dataset:
    standing = access.require(actor, action, dataset, at=at)
    if isinstance(to, Department):
        if to.valid_to is not None:
            raise InvalidInput(_("该部门已撤销"), field="to")
        assign_perm(right, to.group, dataset)
    else:
        if not to.is_active or to.department_id is None or to.kind != User.Kind.PERSON:
            raise InvalidInput(_("只能委托给在岗的部门工作人员"), field="to")
        assign_perm(right, to, dataset)
    ledger.record(standing, f"catalog.{action}", dataset, at=at, details={"to": str(to)})
    return dataset
