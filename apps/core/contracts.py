"""What a dataset's provider promises about its table: the data contract.

Published by `catalog`, obeyed by `warehouse` on the way in and by `sharing` on the way out.
A contract is a value: frozen, comparable, kept as JSON with the version that was published.
"""

from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Column:
    """One item of a dataset as the database and the API know it.

    name: column name, `^[a-z][a-z0-9_]{0,50}$`; label: the item's Chinese name.
    type: one letter of the catalogue's data types (C N Y D T L M G B I F).
    length: characters of a text or digits of a number; scale: digits after the point.
    check: name of an identifier check in `standards`; codes: the values of its code list.
    normalise: names of normalisers, applied in this order before any check.
    headings: other headings under which files may carry the column.
    mask: the mask that a grant applies unless the approver says otherwise.
    """

    name: str
    label: str
    type: str
    length: int | None = None
    scale: int | None = None
    required: bool = False
    check: str = ""
    codes: tuple[str, ...] | None = None
    pattern: str = ""
    minimum: str | None = None
    maximum: str | None = None
    normalise: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    mask: str = ""
    sensitive: bool = False

    def to_json(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        known = {field.name for field in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        for name in ("codes", "normalise", "headings"):
            if kept.get(name) is not None:
                kept[name] = tuple(kept[name])
        return cls(**kept)


@dataclass(frozen=True, slots=True)
class Contract:
    """The columns, the business key and the limit of unclean rows of one published version.

    key: column names; the first is the subject key, stored as `text NOT NULL`.
    dirty_limit_ratio: share of rejected rows (0–1) that is still in order; dirty_limit_action says
    what becomes of a batch with more: "stop" refuses it, "quarantine" lands its sound rows.
    """

    dataset_id: int
    code: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    dirty_limit_ratio: float = 0.1
    dirty_limit_rows: int | None = None
    dirty_limit_action: str = "stop"

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.code}: a column name stands twice")
        if not self.key or not set(self.key) <= set(names):
            raise ValueError(f"{self.code}: the key must name columns")

    @property
    def subject_key(self) -> Column:
        return self.column(self.key[0])

    def column(self, name: str) -> Column:
        """Return the column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> dict[str, Any]:
        # `asdict` copies deeply and is far slower; everything in here is immutable.
        written = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**written, "columns": [column.to_json() for column in self.columns]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(
            dataset_id=values["dataset_id"],
            code=values["code"],
            columns=tuple(Column.from_json(column) for column in values["columns"]),
            key=tuple(values["key"]),
            dirty_limit_ratio=values.get("dirty_limit_ratio", 0.1),
            dirty_limit_rows=values.get("dirty_limit_rows"),
            dirty_limit_action=values.get("dirty_limit_action", "stop"),
        )
