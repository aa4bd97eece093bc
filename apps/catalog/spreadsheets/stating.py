"""What a sheet says of an entry and its items, as plain values."""

from dataclasses import dataclass, field
from typing import Any

from apps.accounts.models import Department
from apps.catalog.spreadsheets.cells import Read
from apps.catalog.spreadsheets.rows import RawEntry


@dataclass(slots=True)
class StatedItem:
    """What a row says of an item. key: "subject", "key", "" for neither, None when not stated."""

    row: int
    values: dict[str, Any]
    removes: bool = False
    key: str | None = None


@dataclass(slots=True)
class Stated:
    """What the sheet says of an entry; fields that it leaves open are absent.

    values: by `snapshots.DATASET_FIELDS`; classification: a code, "" when not stated; related:
    codes; count: how often the census had been written when the sheet came out, None where it does
    not say; kept_only: values that an entry may keep but not be given, with what is then wrong.
    """

    raw: RawEntry
    values: dict[str, Any] = field(default_factory=dict)
    census: dict[str, str | None] = field(default_factory=dict)
    items: list[StatedItem] = field(default_factory=list)
    department: Department | None = None
    classification: str = ""
    code: str = ""
    version: str = ""
    count: int | None = None
    related: list[str] | None = None
    kept_only: dict[str, Read] = field(default_factory=dict)
