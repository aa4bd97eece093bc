"""What the authority keeps for all: the classification, synonyms, how values are written above."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import (
    Classification,
    Dataset,
    FormatClass,
    SharingAttribute,
    Synonym,
    UpdateCycle,
    UpwardValue,
)
from apps.catalog.operations.indexing import refresh_many
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import InvalidInput, required_text
from apps.ledger import operations as ledger

_LEVELS: Final = {1: (1, 0), 3: (2, 1), 6: (3, 3)}
"""Per length of a code: its level, and the length of the code above. Longer ones are details."""

_OURS: Final[dict[str, Any]] = {
    UpwardValue.Kind.ATTRIBUTE: SharingAttribute,
    UpwardValue.Kind.CYCLE: UpdateCycle,
    UpwardValue.Kind.FORMAT: FormatClass,
}


@transaction.atomic
def save_classification(
    *, classification: Classification, actor: User, at: datetime
) -> Classification:
    """Enter a node of the classification, a local theme among them, or give it another name.

    Level and the node above follow from the code, which stays once it was entered: entries are
    numbered by it.

    Source: 《政务信息资源目录编制指南（试行）》 信息资源分类 (local themes may be added)
    Raises:
        NotAllowed: the actor does not keep the classification.
        InvalidInput: the code is changed, or there is no node above it.
    """
    standing = _standing(classification, actor, at)
    classification.name = required_text(classification.name, _("请填写名称"), field="name")
    before = Classification.objects.filter(pk=classification.pk).first()
    if before is not None and before.code != classification.code:
        raise InvalidInput(_("分类代码录入后不再改动"), field="code")
    level, above = _LEVELS.get(len(classification.code), (4, 6))
    parent = Classification.objects.filter(code=classification.code[:above]).first()
    if above and parent is None:
        raise InvalidInput(
            _("先录入上级分类 %(code)s") % {"code": classification.code[:above]}, field="code"
        )
    classification.level, classification.parent = level, parent
    classification.save()
    if before is not None and before.name != classification.name:
        named = Dataset.objects.filter(classification=classification)
        refresh_many(list(named.values_list("pk", flat=True)), at=at)
    ledger.record(standing, "catalog.save_classification", classification, at=at)
    return classification


@transaction.atomic
def save_synonym(*, synonym: Synonym, actor: User, at: datetime) -> Synonym:
    """Enter a group of words that mean the same to whoever searches, or change it.

    Source: house rule
    Raises:
        NotAllowed: the actor does not keep the synonyms.
    """
    standing = _standing(synonym, actor, at)
    synonym.save()
    ledger.record(
        standing, "catalog.save_synonym", synonym, at=at, details={"others": synonym.others}
    )
    return synonym


@transaction.atomic
def delete_synonym(*, synonym: Synonym, actor: User, at: datetime) -> None:
    """Let go of a group of synonyms.

    Raises:
        NotAllowed: the actor does not keep the synonyms.
    """
    standing = access.require(actor, "delete", synonym, at=at)
    ledger.record(standing, "catalog.delete_synonym", synonym, at=at)
    synonym.delete()


@transaction.atomic
def save_upward_value(*, upward_value: UpwardValue, actor: User, at: datetime) -> UpwardValue:
    """Enter how a value of ours is written at a level above, or change it.

    Our value may be given as screens say it (每月) or as it is kept (monthly).

    Source: house rule (上报)
    Raises:
        NotAllowed: the actor does not report for the authority.
        InvalidInput: we have no such value.
    """
    standing = _standing(upward_value, actor, at)
    upward_value.ours = _our_value(upward_value.kind, upward_value.ours.strip())
    upward_value.save()
    details = {"ours": upward_value.ours, "theirs": upward_value.theirs}
    ledger.record(standing, "catalog.save_upward_value", upward_value, at=at, details=details)
    return upward_value


@transaction.atomic
def delete_upward_value(*, upward_value: UpwardValue, actor: User, at: datetime) -> None:
    """Let go of a line of the table: our own word is sent again.

    Raises:
        NotAllowed: the actor does not report for the authority.
    """
    standing = access.require(actor, "delete", upward_value, at=at)
    ledger.record(standing, "catalog.delete_upward_value", upward_value, at=at)
    upward_value.delete()


def _standing(row: Any, actor: User, at: datetime) -> Standing:
    if row.pk is None:
        return access.require(actor, "create", type(row), at=at)
    return access.require(actor, "change", row, at=at)


def _our_value(kind: str, given: str) -> str:
    if kind == UpwardValue.Kind.CLASSIFICATION:
        if Classification.objects.filter(code=given).exists():
            return given
        raise InvalidInput(_("没有这个分类代码"), field="ours")
    choices = _OURS[kind].choices
    found = next((value for value, label in choices if given in (value, str(label))), "")
    if not found:
        known = "、".join(str(label) for _value, label in choices)
        raise InvalidInput(_("没有这个值，可以是：%(known)s") % {"known": known}, field="ours")
    return str(found)
