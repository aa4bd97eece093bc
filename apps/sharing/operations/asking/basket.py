"""Putting entries aside while searching, to ask for them together (数据篮)."""

from datetime import datetime
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import InvalidInput
from apps.sharing.models import BasketEntry
from apps.sharing.operations.asking import contents
from apps.sharing.operations.attempts import attempt

LARGEST_BASKET: Final = 30


@attempt("sharing.put_in_basket", "dataset")
def put_in_basket(*, dataset: Dataset, actor: User, at: datetime) -> BasketEntry:
    """Put an entry aside; one that is there stays. Nothing is asked for by it, so no event.

    Raises:
        InvalidInput: the entry is not to be had, or the basket is full.
    """
    standing = access.require(actor, "create", BasketEntry, at=at)
    consumer = (standing.principal or actor).department
    assert consumer is not None  # only members may draft
    contents.refuse_unavailable(dataset, consumer)
    kept = BasketEntry.objects.filter(owner=actor).exclude(dataset=dataset)
    if kept.count() >= LARGEST_BASKET:
        raise InvalidInput(
            _("数据篮至多放 %(most)s 项，先移出一些") % {"most": LARGEST_BASKET}, code="basket_full"
        )
    entry, _made = BasketEntry.objects.get_or_create(
        owner=actor, dataset=dataset, defaults={"added_at": at}
    )
    return entry


def take_out(*, entry: BasketEntry, actor: User, at: datetime) -> None:
    """Put an entry back."""
    access.require(actor, "take_out", entry, at=at)
    entry.delete()
