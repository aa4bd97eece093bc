"""Find entries: words, filters that live in the address, counts beside each choice."""

from apps.catalog.search.counting import FACETS, Choice
from apps.catalog.search.entries import FIELDS, search_entry_of
from apps.catalog.search.filters import BANDS, SORTS, YES_OR_NO, Filters
from apps.catalog.search.finding import RANKED_AT_MOST, Search, Slice
from apps.catalog.search.highlighting import highlighted

__all__ = [
    "BANDS",
    "FACETS",
    "FIELDS",
    "RANKED_AT_MOST",
    "SORTS",
    "YES_OR_NO",
    "Choice",
    "Filters",
    "Search",
    "Slice",
    "highlighted",
    "search_entry_of",
]
