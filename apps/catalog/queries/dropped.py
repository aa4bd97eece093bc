"""Columns that an entry had in an earlier version and has no more, told from its versions alone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from apps.catalog.models import Dataset, DatasetVersion
from apps.catalog.queries.datasets import contract_of
from apps.core.contracts import Column, Contract


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column as the last version with it had it, and the version that left it out.

    replaced_by: the column that carries the same label from that version on; "" where none does.
    """

    column: Column
    dropped_at: datetime
    version: int
    replaced_by: str = ""


@dataclass(frozen=True, slots=True)
class _Published:
    number: int
    at: datetime
    contract: Contract


def dropped_columns(
    dataset_id: int, names: Collection[str] | None = None, *, version: int | None = None
) -> dict[str, Dropped]:
    """Return the columns that were dropped and are not back, by name; of these names, or all.

    version: the key of the version to look from, else the one in force. One statement.
    """
    found = DatasetVersion.objects.filter(dataset=dataset_id).order_by("number")
    if version is not None:
        found = found.filter(number__lte=DatasetVersion.objects.filter(pk=version).values("number"))
    rows = found.values_list("number", "published_at", "contract")
    return _dropped(
        [_Published(number, at, Contract.from_json(contract)) for number, at, contract in rows],
        names,
    )


def contract_with(dataset: Dataset, names: Iterable[str]) -> Contract:
    """Return the contract in force and, after its own columns, those of the names it dropped.

    Raises:
        NotFound: the entry was never published.
    """
    contract = contract_of(dataset)
    missing = set(names) - {column.name for column in contract.columns}
    if not missing:
        return contract
    dropped = dropped_columns(dataset.pk, missing)
    return replace(
        contract, columns=(*contract.columns, *(each.column for each in dropped.values()))
    )


def _dropped(versions: list[_Published], names: Collection[str] | None) -> dict[str, Dropped]:
    found: dict[str, Dropped] = {}
    for before, after in pairwise(versions):
        staying = {column.name for column in after.contract.columns}
        for name in staying & set(found):
            del found[name]
        for column in before.contract.columns:
            if column.name not in staying and (names is None or column.name in names):
                replaced_by = _of_same_label(column, before.contract, after.contract)
                found[column.name] = Dropped(column, after.at, after.number, replaced_by)
    return found


def _of_same_label(column: Column, before: Contract, after: Contract) -> str:
    known = {each.name for each in before.columns}
    added = (each for each in after.columns if each.name not in known)
    return next((each.name for each in added if each.label == column.label), "")
