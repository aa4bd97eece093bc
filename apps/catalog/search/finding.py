"""Find entries: one page of them, ranked or sorted, with what there is to choose from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from django.db.models import Q, QuerySet

from apps.accounts.models import Department
from apps.catalog.models import SearchEntry
from apps.catalog.search import counting
from apps.catalog.search.asking import (
    Question,
    matches,
    near_marks,
    nearly,
    question,
    rank,
    synonyms,
)
from apps.catalog.search.counting import Choice, Counts
from apps.catalog.search.filters import LOWEST_SCORE, Filters

RANKED_AT_MOST: Final = 1000
"""Entries that are paged through by relevance; further on, words or filters find better."""

FEW: Final = 3
"""With fewer exact hits than this, what was probably mistyped is looked for as well."""

_ORDERS: Final = {
    "newest": ("updated_at", "-"),
    "name": ("sort_name", ""),
    "score": ("score", ""),
}
_PLAIN: Final = ("sharing", "opening", "cycle", "format_class", "region", "status")


@dataclass(frozen=True, slots=True)
class Slice:
    """keys: the entries of a page, in order; following: where the next one begins, None at the
    end: after which entry, or by relevance how many come before it."""

    keys: list[int]
    following: int | None


class Search:
    """A search by one reader: `entries` are the rows that he may see, under `access.rows`."""

    def __init__(self, entries: QuerySet[SearchEntry], filters: Filters) -> None:
        self.entries = entries
        self.filters = filters
        self.question: Question = question(filters.q, synonyms()) if filters.q else Question(())
        self.is_near = False
        """Whether what is only like what was asked for is found as well."""
        self.is_only_near = False
        """Whether nothing else is found."""

    @cached_property
    def departments(self) -> Mapping[int, Department]:
        return counting.departments()

    @cached_property
    def counts(self) -> Counts:
        """How many there are; where exact words find few, of those that come near."""
        counts = self._count(self._exactly)
        near = nearly(self.filters.q) if counts.total < FEW else None
        if near is None:
            return counts
        loosely = self._count(near | self._exactly)
        if loosely.total == counts.total:
            return counts
        self.is_near, self.is_only_near = True, counts.total == 0
        return loosely

    @property
    def total(self) -> int:
        return self.counts.total

    @property
    def marks(self) -> list[str]:
        """What to mark in the texts of what is found."""
        near = near_marks(self.filters.q) if self.total and self.is_near else []
        return [*self.question.marks, *near]

    @property
    def choices(self) -> dict[str, list[Choice]]:
        """The values of every filter with counts under all the other filters."""
        return counting.choices(self.counts, self.filters, self.departments)

    def page(self, *, size: int, start: int | None = None) -> Slice:
        """Return the page that begins at `start`, as the page before said; the first without."""
        if self.total == 0:
            return Slice([], None)
        found = self._matching(self._condition).filter(self._chosen())
        if self.filters.order == "relevance":
            return self._ranked(found, size, start or 0)
        return self._sorted(found, size, start)

    def everything(self) -> QuerySet[SearchEntry]:
        """Return all that is found, in no order."""
        if self.total == 0:
            return self.entries.none()
        return self._matching(self._condition).filter(self._chosen())

    @property
    def _exactly(self) -> Q:
        if self.filters.q and not self.question.terms:
            return Q(pk__in=[])  # signs without a word: nothing has them
        return Q(matches(self.question.asked)) if self.question.terms else Q()

    @property
    def _condition(self) -> Q:
        near = nearly(self.filters.q) if self.is_near else None
        return self._exactly if near is None else near | self._exactly

    def _matching(self, condition: Q) -> QuerySet[SearchEntry]:
        found = self.entries.filter(condition)
        return found.filter(losses__contains=[self.filters.loss]) if self.filters.loss else found

    def _count(self, condition: Q) -> Counts:
        return counting.count(self._matching(condition), self.filters, self.departments)

    def _chosen(self) -> Q:
        filters = self.filters
        chosen = Q(**{name: getattr(filters, name) for name in _PLAIN if getattr(filters, name)})
        if filters.department:
            chosen &= Q(department=counting.department_key(filters.department, self.departments))
        if filters.classification:
            chosen &= Q(classification__startswith=filters.classification)
        if filters.theme:
            chosen &= Q(themes__contains=[filters.theme])
        if filters.has_data:
            chosen &= Q(has_data=filters.has_data == "yes")
        if filters.quality:
            chosen &= _band(filters.quality)
        return chosen

    def _ranked(self, found: QuerySet[Any], size: int, start: int) -> Slice:
        start = min(max(start, 0), RANKED_AT_MOST)
        ordered = found.order_by(rank(self.question.ranked).desc(), "-has_data", "-dataset_id")
        keys = list(ordered.values_list("pk", flat=True)[start : start + size + 1])
        beyond = start + size
        more = len(keys) > size and beyond < RANKED_AT_MOST
        return Slice(keys[:size], beyond if more else None)

    def _sorted(self, found: QuerySet[Any], size: int, start: int | None) -> Slice:
        name, sign = _ORDERS[self.filters.order]
        if start is not None:
            last = SearchEntry.objects.filter(pk=start).values_list(name, flat=True).first()
            beyond = "lt" if sign else "gt"
            if last is not None:
                found = found.filter(
                    Q(**{f"{name}__{beyond}": last}) | Q(**{name: last, f"pk__{beyond}": start})
                )
        ordered = found.order_by(f"{sign}{name}", f"{sign}dataset_id")
        keys = list(ordered.values_list("pk", flat=True)[: size + 1])
        return Slice(keys[:size], keys[size - 1] if len(keys) > size else None)


def _band(band: str) -> Q:
    lowest = LOWEST_SCORE[band]
    above = [each for each in LOWEST_SCORE.values() if each > lowest]
    fitting = Q(score__gte=lowest)
    return fitting & Q(score__lt=min(above)) if above else fitting
