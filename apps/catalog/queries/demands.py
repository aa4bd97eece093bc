"""What is asked about demands, and which entries may meet them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.catalog.models import DataItem, Dataset, Demand, DemandStatus
from apps.catalog.queries.similar import similar_to
from apps.catalog.surroundings import significant
from apps.catalog.tokens import words_of
from apps.core import access

CANDIDATES: Final = 20
PROPOSED: Final = 5
LEAST_SCORE: Final = 0.25
NAME_WEIGHT: Final = 0.5
"""What the name counts where items are wanted, too; house rule."""

ALIKE: Final = 0.5
"""Share of common words from which two demands are called similar; house rule."""

MOST_COMPARED: Final = 400
WAITING: Final = (DemandStatus.SUBMITTED, DemandStatus.FORWARDED, DemandStatus.AWAITING_SIGNATURE)
MY_MOVES: Final[dict[str, tuple[str, ...]]] = {
    DemandStatus.AWAITING_HEAD: ("approve",),
    DemandStatus.RETURNED: ("submit",),
    DemandStatus.SUBMITTED: ("forward",),
    DemandStatus.FORWARDED: ("propose",),
    DemandStatus.AWAITING_SIGNATURE: ("send_back_proposal",),
    DemandStatus.AGREED: ("fulfil",),
    DemandStatus.FULFILLED: ("close",),
    DemandStatus.REFUSED: ("close",),
}


@dataclass(frozen=True)
class Supply:
    """An entry that may meet a wish: score 0–1, the name's words in common, wanted items it has and
    lacks.
    """

    dataset: Dataset
    score: float
    words: tuple[str, ...]
    found: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def percent(self) -> int:
        """The score as people read it."""
        return round(self.score * 100)


def visible_demands(actor: User, at: datetime | None = None) -> QuerySet[Demand]:
    """Return the demands that the person may see, with what a list shows of them."""
    return access.rows(actor, "view", Demand, at=at).select_related(
        "department", "provider", "dataset", "drafted_by"
    )


def demands_awaiting(actor: User, at: datetime | None = None) -> QuerySet[Demand]:
    """Return the demands on which the person, or who he stands in for, owes the next step."""
    found = Q(pk__in=[])
    for status, names in MY_MOVES.items():
        for name in names:
            rows = access.rows(actor, name, Demand.objects.filter(status=status), at=at)
            found |= Q(pk__in=rows.values("pk"))
    return Demand.objects.filter(found)


def supply_for(
    title: str,
    items: Sequence[str],
    *,
    visible: QuerySet[Dataset],
    limit: int = PROPOSED,
) -> list[Supply]:
    """Return the entries that best fit what is wanted, with the evidence, best first.

    Half of the score is how much of the name the entry says, half the share of the wanted items
    that it has; without items, the name alone.
    """
    by_name = {one.dataset.pk: one for one in similar_to(title, visible=visible, limit=CANDIDATES)}
    by_items = similar_to(" ".join(items), visible=visible, limit=CANDIDATES) if items else []
    entries = {pk: one.dataset for pk, one in by_name.items()}
    entries |= {one.dataset.pk: one.dataset for one in by_items}
    known = _items_of(entries)
    proposals = []
    for pk, entry in entries.items():
        named = by_name.get(pk)
        found = tuple(name for name in items if _has(known.get(pk, ()), name))
        missing = tuple(name for name in items if name not in found)
        score = named.score if named else 0.0
        if items:
            score = NAME_WEIGHT * score + (1 - NAME_WEIGHT) * len(found) / len(items)
        words = tuple(word for word in named.words if word in entry.name) if named else ()
        proposals.append(Supply(entry, round(score, 4), words, found, missing))
    kept = [one for one in proposals if one.score >= LEAST_SCORE]
    return sorted(kept, key=lambda one: (-one.score, one.dataset.pk))[:limit]


def items_named(dataset: Dataset, names: Iterable[str]) -> list[DataItem]:
    """Return the entry's items that are wanted by these names, in their order."""
    wanted = list(names)
    items = dataset.items.select_related("dataset").order_by("position", "pk")
    return [item for item in items if any(_has([significant(item.name)], name) for name in wanted)]


def similar_groups(demands: Iterable[Demand]) -> list[list[Demand]]:
    """Return the demands that several departments seem to share, largest group first.

    Two are similar when at least half of the words of their names and items are common to both.
    """
    rows = list(demands)[:MOST_COMPARED]
    words = [set(words_of(row.title + " " + " ".join(row.item_names))) for row in rows]
    group_of = list(range(len(rows)))
    for right in range(len(rows)):
        for left in range(right):
            if _alike(words[left], words[right]):
                old, new = group_of[right], group_of[left]
                group_of = [new if number == old else number for number in group_of]
    groups: dict[int, list[Demand]] = {}
    for number, row in zip(group_of, rows, strict=True):
        groups.setdefault(number, []).append(row)
    several = [group for group in groups.values() if len({row.department_id for row in group}) > 1]
    return sorted(several, key=lambda group: -len(group))


def _alike(left: set[str], right: set[str]) -> bool:
    return bool(left and right) and len(left & right) >= ALIKE * len(left | right)


def _items_of(entries: Iterable[int]) -> dict[int, list[str]]:
    """Return the items' names of entries, as they are compared, in one statement."""
    found: dict[int, list[str]] = {}
    rows = DataItem.objects.filter(dataset__in=list(entries)).values_list("dataset_id", "name")
    for dataset_id, name in rows:
        found.setdefault(dataset_id, []).append(significant(name))
    return found


def _has(names: Iterable[str], wanted: str) -> bool:
    """Say whether an item is there under this name, or under one that holds it or is held by it."""
    plain = significant(wanted)
    return any(
        plain == name or (len(plain) > 1 and len(name) > 1 and (plain in name or name in plain))
        for name in names
    )
