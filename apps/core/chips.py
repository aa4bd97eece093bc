"""Filters of a list: what is offered, with counts, and what a form must carry along."""

from dataclasses import dataclass

from django.http import QueryDict
from django.utils.functional import Promise

_OF_A_PAGE = ("after", "format")


@dataclass(frozen=True)
class Chip:
    """One filter with its count (None where counting is too dear); `is_on` when it is chosen."""

    value: str
    label: str | Promise
    count: int | None
    is_on: bool
    is_bad: bool = False


def carried(query: QueryDict, *but: str) -> list[tuple[str, str]]:
    """Return the filters of the address that a form with the fields `but` must carry along."""
    return [
        (name, value)
        for name, values in query.lists()
        if name not in (*but, *_OF_A_PAGE)
        for value in values
    ]
