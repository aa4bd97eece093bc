"""Keep data elements and code lists."""

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.accounts.models import User
from apps.core import access
from apps.ledger import operations as ledger
from apps.standards.models import CodeList, DataElement


@transaction.atomic
def save_data_element(*, element: DataElement, actor: User, at: datetime) -> DataElement:
    """Enter a data element or change it.

    Source: house rule: standards belong to the authority
    Raises:
        NotAllowed: the actor does not keep the standards.
    """
    is_new = element.pk is None
    standing = access.require(
        actor, "create" if is_new else "change", DataElement if is_new else element, at=at
    )
    row: Any = element  # simple-history reads these two
    row._history_user, row._history_date = actor, at
    row.save()
    ledger.record(standing, "standards.save_data_element", element, at=at)
    return element


@transaction.atomic
def save_code_list(*, code_list: CodeList, actor: User, at: datetime) -> CodeList:
    """Enter a code list or change it; its codes are saved with it by the caller.

    Source: house rule: standards belong to the authority
    Raises:
        NotAllowed: the actor does not keep the standards.
    """
    is_new = code_list.pk is None
    standing = access.require(
        actor, "create" if is_new else "change", CodeList if is_new else code_list, at=at
    )
    code_list.save()
    ledger.record(standing, "standards.save_code_list", code_list, at=at)
    return code_list
