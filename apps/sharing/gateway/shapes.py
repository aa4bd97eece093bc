"""What a grant shows: its columns in order, their types as read, and which may be filtered."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from apps.catalog import queries as catalog
from apps.core.contracts import Column
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.contracts import contract_of_version
from apps.sharing.models import Grant
from apps.standards import masks, types

KEY = "_id"  # every row carries it: later versions and deletions name the row by it


@dataclass(frozen=True, slots=True)
class Readable:
    """One granted column: `column` as the contract has it, `type` as the consumer reads it.

    dropped: of a column that the entry lists no more, when it was left out. Until when it is served
    follows the calendar, so it is not kept here.
    """

    column: Column
    type: str
    is_masked: bool
    dropped: catalog.Dropped | None = None

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def digits(self) -> tuple[int, int] | None:
        """Digits in all and after the point, of a decimal; None of anything else."""
        return types.digits(self.column) if self.type in types.DECIMAL_TYPES else None

    @property
    def is_filterable(self) -> bool:
        """Masked values are not compared: an answer would give the true value away."""
        return not self.is_masked and types.is_filterable(self.column)


@dataclass(frozen=True, slots=True)
class Shape:
    columns: tuple[Readable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(readable.name for readable in self.columns)

    @property
    def dropped(self) -> tuple[catalog.Dropped, ...]:
        """Those columns that the entry lists no more."""
        return tuple(readable.dropped for readable in self.columns if readable.dropped)

    def find(self, name: str) -> Readable | None:
        """Return the granted column; what is not granted is as if it did not exist."""
        return next((readable for readable in self.columns if readable.name == name), None)


def shape_of(call: Call) -> Shape:
    """Return the shape of the call's grant."""
    if call.trial:
        return _shape_in_trial(call.trial.columns, call.contract_id)
    return _shape(call.grant_id, call.grant_version, call.contract_id)


def shape_as_landed(call: Call) -> Shape:
    """Return the shape under the contract that the table follows: how values are written now.

    A new version of the entry reaches the table with its first batch.
    """
    if call.trial:
        return shape_of(call)
    return _shape(call.grant_id, call.grant_version, call.landed_contract_id or call.contract_id)


def fingerprint_of(call: Call) -> int:
    """Return 32 bits that change when the granted values come to be written in another way.

    Widening a column does so without a batch: a day becomes a moment, a price gets a third decimal.
    """
    return _fingerprint(call.grant_id, call.grant_version, shape_as_landed(call))


@lru_cache(maxsize=4096)
def _fingerprint(_grant_id: int, _version: int, shape: Shape) -> int:
    written = [(each.name, each.type, each.digits) for each in shape.columns]
    return zlib.crc32(json.dumps(written).encode())


@lru_cache(maxsize=4096)
def _shape(grant_id: int, _version: int, contract_id: int) -> Shape:
    # Versions of grants and contracts never change, so what was drawn from them stays true.
    granted = Grant.objects.values_list("columns", flat=True).get(pk=grant_id)
    return _drawn([(c["name"], c.get("mask", "")) for c in granted], contract_id)


@lru_cache(maxsize=1024)
def _shape_in_trial(columns: tuple[tuple[str, str], ...], contract_id: int) -> Shape:
    return _drawn(columns, contract_id)


def _drawn(granted: Sequence[tuple[str, str]], contract_id: int) -> Shape:
    contract = contract_of_version(contract_id)
    known = {column.name: column for column in contract.columns}
    missing = {name for name, _mask in granted} - set(known)
    dropped = (
        catalog.dropped_columns(contract.dataset_id, missing, version=contract_id)
        if missing
        else {}
    )
    return Shape(
        tuple(
            _readable(name, mask or "", known.get(name), dropped.get(name))
            for name, mask in granted
        )
    )


def _readable(
    name: str, mask: str, listed: Column | None, dropped: catalog.Dropped | None
) -> Readable:
    column = listed or (dropped.column if dropped else _unknown(name))
    seen = masks.MASKS[mask].results.get(column.type, "C") if mask else column.type
    return Readable(column, seen, is_masked=bool(mask), dropped=dropped)


def _unknown(name: str) -> Column:
    """A column of which no version tells: written as text."""
    return Column(name=name, label=name, type="G")
