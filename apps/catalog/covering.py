"""How the values of rows stand on screens: what identifies a person is covered until asked for.

Source: GB/T 45574-2025 (敏感个人信息处理); which items are covered is a house rule
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from apps.catalog.models import DataItem
from apps.standards.queries import covered

_BY_CHECK: Final = {"identity_number": "cover_identity", "mobile": "cover_mobile"}


def screen_mask(*, mask: str, sensitive: bool, value_check: str) -> str:
    """Return the mask under which screens show an item's values; "" where they stand as they are.

    The item's own; else that of its identifier; a sensitive one without either is hidden.
    """
    return mask or _BY_CHECK.get(value_check, "hide" if sensitive else "")


def screen_masks(datasets: Collection[int]) -> dict[int, dict[str, str]]:
    """Return column → mask of each of the datasets that has something to cover, in one statement.

    Its other columns have "".
    """
    found: dict[int, dict[str, str]] = defaultdict(dict)
    items = DataItem.objects.filter(dataset__in=datasets)
    for dataset, column, mask, sensitive, check in items.values_list(
        "dataset", "column_name", "mask", "sensitive", "value_check"
    ):
        found[dataset][column] = screen_mask(mask=mask, sensitive=sensitive, value_check=check)
    return {dataset: masks for dataset, masks in found.items() if any(masks.values())}


def mask_in(masks: Mapping[str, str], column: str) -> str:
    """Return the mask of a column of a dataset; one that its entry knows no more is hidden."""
    return masks.get(column, "hide") if masks else ""


def cover_rows(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return rows of values by column, each after its dataset, with what identifies covered.

    Two statements, however many rows. No value stays no value.
    """
    known = list(rows)
    masks = screen_masks({dataset for dataset, _values in known})
    asked = [
        (place, column, mask, str(value))
        for place, (dataset, values) in enumerate(known)
        for column, value in values.items()
        if value not in (None, "") and (mask := mask_in(masks.get(dataset, {}), column))
    ]
    shown = [dict(values) for _dataset, values in known]
    texts = covered([(mask, text) for _place, _column, mask, text in asked])
    for (place, column, _mask, _text), text in zip(asked, texts, strict=True):
        shown[place][column] = text
    return shown


def cover_values(dataset: int, column: str, values: Sequence[Any]) -> list[Any]:
    """Return several values of one item, covered."""
    return [row[column] for row in cover_rows((dataset, {column: value}) for value in values)]
