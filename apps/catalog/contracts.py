"""How a catalogue entry's items become the data contract that its table obeys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db.models import prefetch_related_objects
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DataItem, Dataset
from apps.core.contracts import Column, Contract
from apps.standards import queries as standards
from apps.standards.normalisers import in_order, normalisers_for
from apps.standards.types import postgres_type, type_words, widens

Codes = Mapping[int, tuple[str, ...]]


def draw_up_contract(dataset: Dataset, *, on: date) -> Contract:
    """Return the contract that the entry's present fields amount to.

    Codes are those of the code lists that are valid on that day.

    Raises:
        ValueError: the key names no columns, or a column name stands twice.
    """
    items = sorted(dataset.items.all(), key=lambda item: (item.position, item.pk))
    return _contract(dataset, items, standards.codes_by_list(_lists(items), on=on))


def draw_up_contracts(datasets: Sequence[Dataset], *, on: date) -> dict[int, Contract]:
    """Return the contract of each entry by its key, in a constant number of statements."""
    prefetch_related_objects(list(datasets), "items")
    items = [item for dataset in datasets for item in dataset.items.all()]
    codes = standards.codes_by_list(_lists(items), on=on)
    return {
        dataset.pk: _contract(
            dataset, sorted(dataset.items.all(), key=lambda item: (item.position, item.pk)), codes
        )
        for dataset in datasets
    }


def contract_without_codes(dataset: Dataset, items: Sequence[DataItem]) -> Contract | None:
    """Return the contract of an entry that is not saved; enough to tell if a table can follow.

    None when the key names no columns, or a column name stands twice.
    """
    try:
        return _contract(dataset, items, {})
    except ValueError:
        return None


def unfollowable(earlier: Iterable[Contract], wanted: Contract) -> list[tuple[str, str | Promise]]:
    """Return the columns that the entry's table cannot follow, each with why; "" for the key.

    A table takes new columns, keeps those that left the contract, unfilled, and widens a column
    where every value stays what it is. It changes no value: a type that says otherwise, a smaller
    number and another key are refused. `earlier`: every contract that was in force, in order, for a
    column that left long ago is still in the table.

    Source: house rule (design §4)
    """
    found: list[tuple[str, str | Promise]] = []
    known = list(earlier)
    types = {
        column.name: _stored_type(column, contract)
        for contract in known
        for column in contract.columns
    }
    for column in wanted.columns:
        was = types.get(column.name)
        now = _stored_type(column, wanted)
        if was is not None and not widens(was, now):
            found.append((column.name, unfollowed_words(column, was, now)))
    if known and known[-1].key != wanted.key:
        found.append(("", _("主键列与已有数据表不一致，须另编目录")))
    return found


def unfollowed_words(column: Column, was: str, now: str) -> str | Promise:
    """Say why a column of that type cannot become one of the other, and what to do instead."""
    narrower = was.partition("(")[0] == now.partition("(")[0]
    words = (
        _(
            "列 %(column)s（%(label)s）不能由 %(was)s 缩小为 %(now)s：已有的值可能放不下；"
            "整数位和小数位都不少于原来的才能改，否则另用新列名"
        )
        if narrower
        else _(
            "列 %(column)s（%(label)s）的类型不能由 %(was)s 改为 %(now)s：已有的值会变；"
            "另用新列名新增数据项，再移除原来的"
        )
    )
    return words % {
        "column": column.name,
        "label": column.label,
        "was": type_words(was),
        "now": type_words(now),
    }


def _stored_type(column: Column, contract: Contract) -> str:
    return "text" if column.name == contract.key[0] else postgres_type(column)


def _lists(items: Iterable[DataItem]) -> set[int]:
    return {item.code_list_id for item in items if item.code_list_id is not None}


def _contract(dataset: Dataset, items: Sequence[DataItem], codes: Codes) -> Contract:
    return Contract(
        dataset_id=dataset.pk,
        code=dataset.code,
        columns=tuple(_column(item, dataset.key_items, codes) for item in items),
        key=tuple(dataset.key_items),
        dirty_limit_ratio=dataset.dirty_limit_ratio,
        dirty_limit_rows=dataset.dirty_limit_rows,
        dirty_limit_action=dataset.dirty_limit_action,
    )


def _column(item: DataItem, keys: Sequence[str], codes: Codes) -> Column:
    own_codes = codes.get(item.code_list_id, ()) if item.code_list_id is not None else None
    return Column(
        name=item.column_name,
        label=item.name,
        type=item.data_type,
        length=item.length,
        scale=item.scale,
        required=item.required or item.column_name in keys,
        check=item.value_check,
        codes=own_codes,
        pattern=item.pattern,
        minimum=item.minimum or None,
        maximum=item.maximum or None,
        normalise=in_order(item.normalise)
        or normalisers_for(item.data_type, item.value_check, has_codes=own_codes is not None),
        headings=tuple(item.headings),
        mask=item.mask,
        sensitive=item.sensitive,
    )
