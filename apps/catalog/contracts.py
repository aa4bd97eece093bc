"""How a catalogue entry's items become the data contract that its table obeys."""

from collections.abc import Sequence
from datetime import date

from apps.catalog.models import DataItem, Dataset
from apps.core.contracts import Column, Contract
from apps.standards import queries as standards
from apps.standards.normalisers import normalisers_for


def draw_up_contract(dataset: Dataset, *, on: date) -> Contract:
    """Return the contract that the entry's present fields amount to.

    Codes are those of the code lists that are valid on that day.
    """
    items = list(dataset.items.select_related("code_list").order_by("position", "pk"))
    return Contract(
        dataset_id=dataset.pk,
        code=dataset.code,
        columns=tuple(_column(item, keys=dataset.key_items, on=on) for item in items),
        key=tuple(dataset.key_items),
        dirty_limit_ratio=dataset.dirty_limit_ratio,
        dirty_limit_rows=dataset.dirty_limit_rows,
    )


def _column(item: DataItem, *, keys: Sequence[str], on: date) -> Column:
    codes = standards.codes_valid(item.code_list, on=on) if item.code_list else None
    return Column(
        name=item.column_name,
        label=item.name,
        type=item.data_type,
        length=item.length,
        scale=item.scale,
        required=item.required or item.column_name in keys,
        check=item.value_check,
        codes=codes,
        pattern=item.pattern,
        minimum=item.minimum or None,
        maximum=item.maximum or None,
        normalise=normalisers_for(item.data_type, item.value_check, has_codes=codes is not None),
        headings=tuple(item.headings),
        mask=item.mask,
        sensitive=item.sensitive,
    )
