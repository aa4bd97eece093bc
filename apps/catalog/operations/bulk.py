"""Decide small changes together; each stands and falls by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.differences import smallness
from apps.catalog.models import DatasetChange
from apps.catalog.operations.changes import approve_change, publish_change
from apps.core.errors import DomainError

BULK_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change: `done`, or why it was not."""

    change: DatasetChange
    done: bool
    words: str | Promise


def decide_small(*, changes: Sequence[DatasetChange], actor: User, at: datetime) -> list[Outcome]:
    """Approve, or publish, each small change whose turn it is; what is refused says why.

    Each in a transaction of its own: one that is refused leaves the others done.

    Source: house rule (批量审核小改动)
    """
    return [_decide(change, actor, at) for change in changes[:BULK_LIMIT]]


def _decide(change: DatasetChange, actor: User, at: datetime) -> Outcome:
    size = smallness(change)
    if not size.is_small:
        return Outcome(change, done=False, words=size.why)
    decide = approve_change if change.status == "awaiting_head" else publish_change
    try:
        with transaction.atomic():
            decide(change=change, actor=actor, at=at)
    except DomainError as error:
        return Outcome(change, done=False, words=error.message)
    words = _("已同意报送") if decide is approve_change else _("已发布")
    return Outcome(change, done=True, words=words)
