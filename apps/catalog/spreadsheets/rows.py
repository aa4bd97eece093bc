"""Put together the rows that belong to one entry, as people write them.

The entry's own columns stand once, or are repeated, or merged down; its code and name tell which
rows are its. What contradicts itself is a fault at the cell.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.translation import gettext as _

from apps.catalog.spreadsheets.columns import BY_NAME, PER_ITEM, label_of
from apps.catalog.spreadsheets.faults import Fault
from apps.catalog.spreadsheets.footings import is_footing
from apps.catalog.spreadsheets.headings import SEARCHED_ROWS, Table, table_of
from apps.catalog.surroundings import significant
from apps.core.workbooks.reading import FORMULA_MARK, Excess, Piece, Row, SheetBegins
from apps.core.workbooks.refusal import Refusal, cell_name

ITEMS_LIMIT: Final = 1_000
_TOLD = 5
_COUNTED_UP = re.compile(r"^(.*?)(\d+)(\D{0,3})$", re.DOTALL)
_IGNORED = ("version", "item.operation")
_ITEM_FIELDS: Final = {name: name[5:] for name in BY_NAME if name.startswith("item.")}
"""The columns about an item, with its fields: one string for each, not one for each cell."""


@dataclass(slots=True)
class RawItem:
    """One row about an item: texts by field."""

    row: int
    cells: dict[str, str]


@dataclass(slots=True)
class RawEntry:
    """The rows of one entry. cells: text and row by the entry's fields, as first stated."""

    table: Table
    first_row: int
    last_row: int
    cells: dict[str, tuple[str, int]] = field(default_factory=dict)
    items: list[RawItem] = field(default_factory=list)
    per_item: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    contradictions: dict[str, int] = field(default_factory=dict)
    counted_from: str = ""
    """The name above, when this one only counts its last number up."""

    def text(self, name: str) -> str:
        return self.cells.get(name, ("", 0))[0]

    def cell(self, name: str, row: int = 0) -> str:
        place = row or self.cells.get(name, ("", self.first_row))[1]
        return cell_name(self.table.places.get(name), place)

    def fault(self, level: str, name: str, message: str, remedy: str = "", *, row: int = 0) -> None:
        """Note a fault at the field's cell, in that row or where the entry first states it."""
        number = row or self.cells.get(name, ("", self.first_row))[1]
        self.faults.append(
            Fault(level, name, message, remedy, self.cell(name, number), number)  # type: ignore[arg-type]
        )


@dataclass(slots=True)
class Book:
    """Everything that was read. notes: about sheets and columns, in words."""

    entries: list[RawEntry] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0


def book_of(pieces: Iterable[Piece]) -> Book:
    """Read the pieces of a file into entries with their items, all of it or nothing.

    Raises:
        Refusal: it holds more than is read; half of an entry would look like all of it.
    """
    binding = _Binding()
    for piece in pieces:
        if isinstance(piece, Row):
            binding.take(piece)
        elif isinstance(piece, SheetBegins):
            binding.begin(piece)
        else:
            raise _too_much(piece)
    binding.end()
    return binding.book


def _too_much(excess: Excess) -> Refusal:
    numbers = {"count": f"{excess.count:,}", "limit": f"{excess.limit:,}"}
    if excess.unit == "sheets":
        message = _(
            "工作簿有 %(count)s 张表，一次最多 %(limit)s 张，全部没有读取；"
            "删去多余的表，或者分成几个文件上传"
        )
        return Refusal(message % numbers, code="sheets_too_many")
    if excess.unit == "rows":
        message = _(
            "文件有 %(count)s 行内容，一次最多 %(limit)s 行，全部没有读取；"
            "按部门或者系统分成几个文件上传"
        )
        return Refusal(message % numbers, code="rows_too_many")
    message = _(
        "文件有 %(count)s 个填了内容的单元格，一次最多 %(limit)s 个，全部没有读取；"
        "删去与目录无关的列，或者分成几个文件上传"
    )
    return Refusal(message % numbers, code="cells_too_many")


class _Binding:
    """Sheet after sheet: first its headings are looked for, then its rows gathered."""

    def __init__(self) -> None:
        self.book = Book()
        self._sheet: SheetBegins | None = None
        self._head: list[tuple[int, list[str]]] = []
        self._gathering: _Gathering | None = None
        self._is_open = False

    def begin(self, sheet: SheetBegins) -> None:
        self.end()
        self._sheet, self._head, self._gathering = sheet, [], None
        self._is_open = True

    def take(self, row: Row) -> None:
        if self._gathering is not None:
            self._gathering.take(row)
        elif self._is_open:
            self._head.append((row.number, row.cells))
            if len(self._head) == SEARCHED_ROWS:
                self._decide()

    def end(self) -> None:
        if self._gathering is None and self._head and self._is_open:
            self._decide()
        if self._gathering is not None:
            _mark_counting_up(self._gathering.entries)
            self._gathering.tell_footings()
            self.book.entries += self._gathering.entries
            self._gathering = None

    def _decide(self) -> None:
        self._gathering = _begin(self.book, self._sheet, self._head)
        self._is_open = False


def _begin(
    book: Book, sheet: SheetBegins | None, head: Sequence[tuple[int, list[str]]]
) -> "_Gathering | None":
    """Begin to gather below the headings; a sheet without any is told of and passed over."""
    name = sheet.name if sheet else ""
    table = table_of(name, head)
    if table is None:
        if not (sheet and sheet.is_hidden) and not name.startswith(("填写说明", "说明", "选项")):
            book.notes.append(
                _(
                    "表“%(name)s”的前 %(rows)s 行没有找到表头"
                    "（如“信息资源名称”“信息项名称”），没有读取"
                )
                % {"name": name, "rows": SEARCHED_ROWS}
            )
        return None
    book.tables.append(table)
    for cell, heading in table.unknown:
        book.notes.append(
            _("表“%(sheet)s”的列“%(heading)s”（%(cell)s）不认识，没有读取")
            % {"sheet": name, "heading": heading, "cell": cell}
        )
    for cell, heading in table.doubled:
        book.notes.append(
            _("表“%(sheet)s”的列“%(heading)s”（%(cell)s）重复，只读取第一列")
            % {"sheet": name, "heading": heading, "cell": cell}
        )
    gathering = _Gathering(book, table)
    for number, cells in head:
        if number > table.last_row:
            gathering.take(Row(number, cells))
    return gathering


class _Gathering:
    """The entries of one sheet, as its rows come."""

    def __init__(self, book: Book, table: Table) -> None:
        self.book = book
        self.table = table
        self.entries: list[RawEntry] = []
        self._by_code: dict[str, RawEntry] = {}
        self._by_name: dict[tuple[str, str], RawEntry] = {}
        self._current: RawEntry | None = None
        self._provider = ""
        self._footings: list[int] = []

    def take(self, row: Row) -> None:
        self.book.rows += 1
        width = len(row.cells)
        cells = {
            name: row.cells[place]
            for name, place in self.table.places.items()
            if place < width and row.cells[place]
        }
        if is_footing(row.cells) and not self._is_item(cells):
            self._footings.append(row.number)
            return
        if not cells or set(cells) <= {"item.operation"}:
            return
        entry = self._entry(row.number, cells)
        if entry is None:
            return
        entry.last_row = max(entry.last_row, row.number)
        item = {_ITEM_FIELDS[name]: text for name, text in cells.items() if name in _ITEM_FIELDS}
        for name, text in cells.items():
            if name not in _ITEM_FIELDS:
                _state(entry, name, text, row.number, has_item=bool(item))
        if item:
            _add_item(entry, RawItem(row.number, item))

    def _is_item(self, cells: dict[str, str]) -> bool:
        """An item may be called 合计; it has a type then, where the sheet has types at all."""
        name, kind = cells.get("item.name", ""), cells.get("item.data_type", "")
        if "item.data_type" in self.table.places:
            return bool(name) and kind not in {"", name}
        return bool(name)

    def _entry(self, number: int, cells: dict[str, str]) -> RawEntry | None:
        """Find the entry that the row belongs to, or begin one."""
        code, name = cells.get("code", ""), cells.get("name", "")
        code = "" if code.startswith(FORMULA_MARK) else _plain_code(code)
        self._provider = cells.get("provider") or cells.get("provider_code") or self._provider
        if not code and not name:
            if self._current is None:
                self._current = self._new(number, cells)
            return self._current
        key = (self._provider, significant(name)) if name else None
        found = self._find(key, code, cells.get("abstract", "")) or self._new(number, cells)
        known = _plain_code(found.text("code"))
        if code and known not in {"", code}:
            self._tell_two_codes(found, number, cells["code"])
        elif code:
            self._by_code[code] = found
        if key is not None:
            self._by_name[key] = found
        self._current = found
        return found

    def tell_footings(self) -> None:
        for number in self._footings[:_TOLD]:
            self.book.notes.append(
                _("表“%(sheet)s”第 %(row)s 行是合计、落款或者说明，没有读取")
                % {"sheet": self.table.sheet, "row": number}
            )

    def _find(self, key: tuple[str, str] | None, code: str, abstract: str) -> RawEntry | None:
        """Find the row's entry by its code, else by its name.

        Where the two name different entries the code decides; but a row right below its namesakes
        is theirs, and its code is wrong, unless another abstract tells them apart.
        """
        by_code = self._by_code.get(code) if code else None
        by_name = self._by_name.get(key) if key else None
        if not code or key is None or by_name is None or by_name is by_code:
            return by_code or by_name
        if by_code is None and not by_name.text("code"):
            return by_name
        goes_on = by_name is self._current and abstract in {"", by_name.text("abstract")}
        if goes_on and (by_code is None or significant(by_code.text("name")) != key[1]):
            return by_name
        return by_code

    def _new(self, number: int, cells: dict[str, str]) -> RawEntry:
        entry = RawEntry(self.table, number, number)
        self.entries.append(entry)
        return entry

    def _tell_two_codes(self, entry: RawEntry, number: int, code: str) -> None:
        told = entry.contradictions.get("code", 0)
        entry.contradictions["code"] = told + 1
        if told < _TOLD:
            entry.fault(
                "error",
                "code",
                _("同一目录用了两个代码：%(first)s（%(cell)s）和 %(other)s")
                % {"first": entry.text("code"), "cell": entry.cell("code"), "other": code},
                _("一条目录的所有行填同一个代码；拖动填充会使代码逐行递增"),
                row=number,
            )


def _add_item(entry: RawEntry, item: RawItem) -> None:
    if len(entry.items) == ITEMS_LIMIT:
        entry.fault(
            "error",
            "item.name",
            _("一条目录的数据项超过 %(limit)s 个") % {"limit": ITEMS_LIMIT},
            _("核对目录名称和代码是否漏填，把各目录的行分开"),
            row=item.row,
        )
    if len(entry.items) < ITEMS_LIMIT + 1:
        entry.items.append(item)


def _plain_code(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("-", "/").replace(" ", "")


def _state(entry: RawEntry, name: str, text: str, row: int, *, has_item: bool) -> None:
    """Take the entry's own cell; another value further down is a contradiction."""
    if name in PER_ITEM and has_item:
        entry.per_item.setdefault(name, []).append((len(entry.items), text))
    known = entry.cells.get(name)
    if known is None:
        entry.cells[name] = (text, row)
        return
    if known[0] == text or name in PER_ITEM or name in _IGNORED:
        return
    if name == "code":
        return  # told of where the row was placed
    told = entry.contradictions.get(name, 0)
    entry.contradictions[name] = told + 1
    if told < _TOLD:
        _contradict(entry, name, known[0], text, row)


def _contradict(entry: RawEntry, name: str, first: str, text: str, row: int) -> None:
    places = {
        "label": label_of(name),
        "first": first[:40],
        "cell": entry.cell(name),
        "other": text[:40],
    }
    if significant(first) == significant(text):
        entry.fault(
            "error" if name == "name" else "warning",
            name,
            _("“%(label)s”各行只差空格或标点：“%(first)s”（%(cell)s）和“%(other)s”") % places,
            _("改成完全相同的写法"),
            row=row,
        )
    elif _counts_up(first, text):
        entry.fault(
            "error",
            name,
            _("“%(label)s”各行的数字不同：“%(first)s”（%(cell)s）和“%(other)s”，像是拖动填充所致")
            % places,
            _("把各行改成同一个值，或者只在第一行填写"),
            row=row,
        )
    else:
        entry.fault(
            "error",
            name,
            _("同一目录各行的“%(label)s”不一致：“%(first)s”（%(cell)s）和“%(other)s”") % places,
            _("把各行改成同一个值，或者只在第一行填写；本来是两条目录的，分别填写名称和代码"),
            row=row,
        )


def _counts_up(one: str, other: str) -> bool:
    first, second = _COUNTED_UP.match(one), _COUNTED_UP.match(other)
    if first is None or second is None:
        return False
    return (first[1], first[3]) == (second[1], second[3]) and first[2] != second[2]


def _mark_counting_up(entries: Sequence[RawEntry]) -> None:
    """Mark names that a dragged cell made: one stem, and a number that grows by one."""
    for before, entry in itertools.pairwise(entries):
        older, newer = before.text("name"), entry.text("name")
        first, second = _COUNTED_UP.match(older), _COUNTED_UP.match(newer)
        if first is None or second is None or not first[1]:
            continue
        if (first[1], first[3]) == (second[1], second[3]) and int(second[2][-15:]) == (
            int(first[2][-15:]) + 1
        ):
            entry.counted_from = older


def columns_present(entry: RawEntry) -> set[str]:
    """Return the fields for which the entry's sheet has a column."""
    return {name for name in entry.table.places if name in BY_NAME}
