"""Find entries: words, filters that live in the address, counts beside each choice."""

from apps.catalog.search.entries import FIELDS, search_entry_of
from apps.catalog.search.filters import (
    Choice,
    Filters,
    choices,
    counted_as,
    counts_by_sharing,
    find,
)

__all__ = [
    "FIELDS",
    "Choice",
    "Filters",
    "choices",
    "counted_as",
    "counts_by_sharing",
    "find",
    "search_entry_of",
]
