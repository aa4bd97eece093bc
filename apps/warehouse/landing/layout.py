"""Where in a sheet the table lies: its heading, its rows, and what around it is no record.

Departments send titles above the heading, headings of two rows with merged cells, group rows,
totals and signatures below, a first column that only counts. What is passed over is told, by row;
it is never a row that names its key.
"""

import re
import unicodedata
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from apps.core.contracts import Contract
from apps.warehouse.landing.header import known_headings, plain

HEADER_WITHIN: Final = 30
"""Rows of a sheet among which the heading is looked for."""

PASSED_OVER_KEPT: Final = 50
_TOTAL: Final = re.compile(
    r"^[（(]?[一二三四五六七八九十\d]*[、.)）]?\s*(合\s*计|总\s*计|小\s*计|累\s*计)"
)
_FOOT: Final = re.compile(
    r"^(备\s*注|注|说\s*明|附\s*注|制\s*表|填\s*表|填\s*报|审\s*核|复\s*核|单位负责人|负责人|"
    r"联系人|联系电话|数据来源|资料来源|打印)\s*(人|单位|日期|时间)?\s*[:：]"
)
# A cell that office software would read as a formula; a number with its sign is none.
_FORMULA: Final = re.compile(r"[=@\t\r]|[+-](?![\d.])")
_COUNTING: Final = frozenset({"", "序号", "序", "行号", "no", "no."})


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is laid out, as a person said it; what is not said is found.

    sheet: its name; header_row: where the heading begins, as the sheet counts rows, from 1;
    header_rows: over how many rows it goes (1 or 2); columns: heading → an item's column name, or
    "" for a column that is to be left out; encoding: a name of `encodings.SAID`, for text;
    is_returned: the file is one of rejected records that came back mended, whose cells may bear the
    guard against formulas.
    """

    sheet: str = ""
    header_row: int = 0
    header_rows: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    is_returned: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "sheet": self.sheet,
            "header_row": self.header_row,
            "header_rows": self.header_rows,
            "columns": dict(self.columns),
            "encoding": self.encoding,
            **({"is_returned": True} if self.is_returned else {}),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            sheet=str(values.get("sheet", "")),
            header_row=int(values.get("header_row") or 0),
            header_rows=int(values.get("header_rows") or 0),
            columns={str(key): str(value) for key, value in (values.get("columns") or {}).items()},
            encoding=str(values.get("encoding", "")),
            is_returned=bool(values.get("is_returned")),
        )


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that was found: its row and height, its words, and the item under each (or "")."""

    row: int
    height: int
    words: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def found(self) -> int:
        return len({name for name in self.names if name})


Numbered = tuple[int, Sequence[str]]
"""A row of a sheet: its number, its cells as text."""


def find_heading(
    rows: Sequence[Numbered], contract: Contract, layout: Layout, *, only_key: bool = False
) -> Heading | None:
    """Return the heading that names most items, the highest among equals; None where none does.

    One that lies in two rows is taken only if it names more than either row alone.
    """
    known = known_headings(contract.columns)
    wanted = set(contract.key) if only_key else {column.name for column in contract.columns}
    best: Heading | None = None
    for place, (number, cells) in enumerate(rows):
        if layout.header_row and number != layout.header_row:
            continue
        below = rows[place + 1][1] if place + 1 < len(rows) else ()
        lower = len({_name_of(word, known, layout, wanted) for word in below} - {""})
        for height, words in ((1, list(cells)), (2, joined(cells, below, known))):
            if layout.header_rows not in (0, height):
                continue
            names = tuple(_name_of(word, known, layout, wanted) for word in words)
            heading = Heading(number, height, tuple(words), names)
            if height == 2 and not layout.header_row and heading.found <= lower:
                continue  # a title above a heading adds nothing to it
            if best is None or heading.found > best.found:
                best = heading
    return best if best is not None and (best.found or layout.header_row) else None


def joined(above: Sequence[str], below: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Return the headings of two rows as one: the lower word, after the upper where that is known.

    A cell merged downwards stands in both rows, one merged across in every column that it covers.
    """
    width = max(len(above), len(below))
    words = []
    for place in range(width):
        upper = above[place] if place < len(above) else ""
        lower = below[place] if place < len(below) else ""
        both = f"{upper}{lower}"
        if not lower or upper == lower:
            words.append(upper)
        elif upper and plain(both) in known:
            words.append(both)
        else:
            words.append(lower)
    return words


def _name_of(
    word: str, known: Mapping[str, str], layout: Layout, wanted: set[str] | frozenset[str]
) -> str:
    if word in layout.columns:
        return layout.columns[word]
    name = known.get(plain(word), "")
    return name if name in wanted else ""


class Body:
    """The rows below a heading: which are records, which are passed over and why.

    lines: the sheet's row number of each record, in order.
    """

    def __init__(self, heading: Heading, contract: Contract, layout: Layout) -> None:
        self.lines = array("L")
        self.passed_over: list[dict[str, Any]] = []
        self.passed_over_count = 0
        left_out = {word for word, name in layout.columns.items() if not name}
        self._counting = [
            place
            for place, (word, name) in enumerate(zip(heading.words, heading.names, strict=True))
            if not name and plain(word) in _COUNTING
        ]
        self.places = [
            place
            for place, word in enumerate(heading.words)
            if place not in self._counting and word not in left_out
        ]
        self.left_out = [
            heading.words[place] for place in range(len(heading.words)) if place not in self.places
        ]
        self.headings = [heading.names[place] or heading.words[place] for place in self.places]
        self._key = [
            place for place, name in enumerate(heading.names) if name and name in contract.key
        ]
        self._counted = dict.fromkeys(self._counting, 0)
        self._width = len(heading.words)
        self._is_returned = layout.is_returned

    def record(self, number: int, cells: Sequence[str]) -> list[str] | None:
        """Return the record's cells under the headings; None for a row that is none.

        Raises:
            StrayColumnError: a column without a heading holds more than a running number.
        """
        why = self._why_none(cells)
        if why:
            self.passed_over_count += 1
            if len(self.passed_over) < PASSED_OVER_KEPT:
                text = " ".join(dict.fromkeys(cell for cell in cells if cell))[:80]
                self.passed_over.append({"line": number, "why": why, "text": text})
            return None
        self._watch_counting(cells)
        self.lines.append(number)
        row = [cells[place] if place < len(cells) else "" for place in self.places]
        if self._is_returned:
            row = [unguarded(cell) for cell in row]
        beyond = [cell for cell in cells[self._width :] if cell]
        return row + beyond

    def _why_none(self, cells: Sequence[str]) -> str:
        filled = [cell for cell in cells if cell]
        if not filled:
            return "blank"
        first = unicodedata.normalize("NFKC", filled[0])
        keys = [cells[place] if place < len(cells) else "" for place in self._key]
        is_keyless = not any(key and key != filled[0] for key in keys)
        if is_keyless and _TOTAL.match(first):
            return "total"
        distinct = set(filled)
        if is_keyless and len(distinct) <= 2 and _FOOT.match(filled[0]):
            return "footer"
        # Merged across the whole table, or alone in a row without a key.
        is_across = len(distinct) == 1 and len(filled) >= max(3, self._width)
        is_alone = len(filled) == 1 and not any(keys) and self._width > 1
        return "group" if is_keyless and (is_across or is_alone) else ""

    def _watch_counting(self, cells: Sequence[str]) -> None:
        for place in self._counting:
            text = cells[place].strip() if place < len(cells) else ""
            if text and not text.isdigit():
                raise StrayColumnError(place)


def guarded(text: str) -> str:
    """Keep office software from reading a cell as a formula."""
    return "'" + text if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """Take the guard off again."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text[1:]) else text


class StrayColumnError(Exception):
    """A column that no heading names holds values."""

    def __init__(self, place: int) -> None:
        super().__init__(place)
        self.place = place
