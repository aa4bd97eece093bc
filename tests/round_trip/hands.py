"""What an edit has in its hands: the page, one entry of it, the ledger, the city around."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.round_trip.ledger import Ledger
from tests.round_trip.pages import Cell, Entry, Page, Row


@dataclass(frozen=True)
class City:
    """What cells may point to.

    systems: by department's code, pairs of code and name; departments: pairs of code and short
    name; elements and code_lists: pairs of code and name; codes: of entries that stay.
    """

    systems: dict[str, list[tuple[str, str]]]
    departments: list[tuple[str, str]]
    elements: list[tuple[str, str]]
    code_lists: list[tuple[str, str]]
    codes: list[str]


@dataclass(frozen=True)
class Hands:
    page: Page
    ledger: Ledger
    entry: Entry
    pick: Random
    city: City

    @property
    def state(self) -> dict[str, Any]:
        return self.entry.state

    def take(self, *keys: str) -> bool:
        return self.entry.take(*keys)

    def set(self, name: str, text: Cell, value: Any) -> bool:
        """Fill a cell of the entry's own with a text that means the value."""
        if self.state[name] == value or not self.take(name):
            return False
        self.entry.write(name, text)
        self.ledger.change(self.entry, name, value)
        return True

    def set_item(self, item: dict[str, Any], name: str, text: Cell, value: Any) -> bool:
        column = item["column_name"]
        if item[name] == value or not self.take(f"{column}.{name}"):
            return False
        self.entry.row_of(column).cells[f"item.{name}"] = text
        self.ledger.change_item(self.entry, column, name, value)
        return True

    def item(self, fits: Callable[[dict[str, Any]], bool] = lambda _item: True) -> Any:
        """Choose an item that fits and is no part of the key; None when there is none."""
        keys = self.state["key_items"]
        found = [
            item
            for item in self.state["items"]
            if item["column_name"] not in keys and not _goes(self.entry, item) and fits(item)
        ]
        return self.pick.choice(found) if found else None

    def warn(self, name: str, words: str, row: Row | None = None) -> None:
        self.ledger.fault("warning", self.entry, row or self.entry.first, name, words)

    def due(self, name: str, words: str, row: Row | None = None) -> None:
        self.ledger.fault("due", self.entry, row or self.entry.first, name, words)

    def wrong(self, name: str, words: str, row: Row | None = None) -> bool:
        self.ledger.fault("error", self.entry, row or self.entry.first, name, words)
        return True


Edit = Callable[[Hands], bool]
"""Changes the page and says so in the ledger; false when the entry is not fit for it."""


def _goes(entry: Entry, item: dict[str, Any]) -> bool:
    return f"{item['column_name']}.removed" in entry.taken
