"""Which of the values that are about to be sent are under correction 校核.

That a dataset has any was asked when the call was admitted, in the same statement; without any,
nothing more is asked.

Source: DB3208/T 219-2024 (marked while open); house rule (design §4)
"""

from collections.abc import Sequence
from typing import Final

from apps.quality import queries as quality
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import Query

DISPUTED: Final = "_disputed"
SEPARATOR: Final = ";"
"""Between the names of items in the column of a CSV."""

Marks = dict[int, list[str]] | None
"""By `_id`, the doubtful items among those asked for; None where the dataset has no mark."""


def marks_of(call: Call, query: Query, first_id: int | None, last_id: int | None) -> Marks:
    """Return the marks of the records from `first_id` to `last_id`, of the fields asked for."""
    return marks_of_items(call, [field.name for field in query.fields], first_id, last_id)


def marks_of_items(
    call: Call, names: Sequence[str], first_id: int | None, last_id: int | None
) -> Marks:
    """Return the marks of the records between two `_id`s, of the items named."""
    if not call.has_marks:
        return None
    if first_id is None or last_id is None:
        return {}
    found = quality.marks_between(call.dataset_id, first_id, last_id)
    shown = {row_id: quality.shown_marks(items, names) for row_id, items in found.items()}
    return {row_id: items for row_id, items in shown.items() if items}
