"""What was planned: each change as the verdicts must name it, and what must come of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.round_trip.pages import Entry, Page, Row

State = dict[str, Any]
Effect = Callable[[State], None]


class Note(NamedTuple):
    """One thing that the verdicts name. entry: its code, a new one's name; value: as JSON.

    kind: field, added, removed, order, create, clash, or the level of a fault with its cell as
    `item`.
    """

    kind: str
    entry: str
    item: str = ""
    field: str = ""
    value: str = ""

    @property
    def is_change(self) -> bool:
        return self.kind in {"field", "added", "removed", "order"}


def plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


@dataclass
class _Fault:
    level: str
    entry: str
    row: Row
    field: str
    words: str


@dataclass
class Ledger:
    """Filled in by the edits.

    effects: by entry, how its state changes if the sheet is adopted; created: by name, what a new
    entry holds; decisions: by entry and conflict; counts: how often each kind of edit was made.
    """

    notes: set[Note] = field(default_factory=set)
    faults: list[_Fault] = field(default_factory=list)
    effects: dict[str, list[Effect]] = field(default_factory=dict)
    created: dict[str, State] = field(default_factory=dict)
    decisions: dict[str, dict[str, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def change(self, entry: Entry, name: str, value: Any) -> None:
        """The entry's field gets a value, from the sheet alone."""
        self.notes.add(Note("field", entry.code, "", name, plain(value)))
        self.effect(entry, lambda state: _put(state, name, value))

    def change_item(self, entry: Entry, column: str, name: str, value: Any) -> None:
        self.notes.add(Note("field", entry.code, column, name, plain(value)))
        item = _item_of(entry, column)
        self.effect(entry, lambda state: _present(state, item).update({name: value}))

    def add(self, entry: Entry, values: State) -> None:
        self.notes.add(Note("added", entry.code, "", "", plain(values["name"])))
        self.effect(entry, lambda state: state["items"].append({**values, "pk": None}))

    def remove(self, entry: Entry, column: str) -> None:
        self.notes.add(Note("removed", entry.code, column))
        item = _item_of(entry, column)
        self.effect(entry, lambda state: state["items"].remove(_present(state, item)))

    def order(self, entry: Entry, columns: list[str]) -> None:
        items = [_item_of(entry, column) for column in columns]
        self.notes.add(Note("order", entry.code, "", "", plain([item["name"] for item in items])))
        self.effect(entry, lambda state: arrange(state, items))

    def create(self, name: str, state: State) -> None:
        self.notes.add(Note("create", name))
        self.created[name] = state

    def clash(
        self,
        entry: Entry,
        key: tuple[str, str],
        values: tuple[Any, Any, Any],
        choice: str,
        effect: Effect,
    ) -> None:
        """key: item and field; values: base, yours, current; effect: of choosing "mine"."""
        self.notes.add(Note("clash", entry.code, *key, plain([*values])))
        self.decisions.setdefault(entry.code, {})[".".join(key)] = choice
        if choice == "mine":
            self.effect(entry, effect)

    def fault(self, level: str, entry: Entry | str, row: Row, name: str, words: str) -> None:
        """name: the column; words: a part of what is said."""
        code = entry if isinstance(entry, str) else entry.code
        self.faults.append(_Fault(level, code, row, name, words))

    def effect(self, entry: Entry, effect: Effect) -> None:
        self.effects.setdefault(entry.code, []).append(effect)

    def all_notes(self, page: Page) -> dict[Note, str]:
        """Return every note, of faults with the words that must be in them."""
        found = dict.fromkeys(self.notes, "")
        for fault in self.faults:
            cell = page.cell(fault.row, fault.field)
            found[Note(fault.level, fault.entry, cell, fault.field)] = fault.words
        return found


def arrange(state: State, items: list[State]) -> None:
    """Let the state's items stand as these do."""
    places = {item["pk"]: place for place, item in enumerate(items)}
    state["items"].sort(key=lambda row: places[row["pk"]])


def _put(state: State, name: str, value: Any) -> None:
    if name.startswith("census."):
        state["census"][name[7:]] = value
    else:
        state[name] = value


def _item_of(entry: Entry, column: str) -> State:
    return next(item for item in entry.items if item["column_name"] == column)


def _present(state: State, item: State) -> State:
    """Find the item by its key: its names may have been changed already."""
    found: State = next(row for row in state["items"] if row["pk"] == item["pk"])
    return found
