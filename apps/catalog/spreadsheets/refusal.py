"""A file that cannot be read at all, and the faults of single cells."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from django.utils.functional import Promise

from apps.core.errors import InvalidInput

Level = Literal["error", "due", "warning"]
FAULTS_KEPT: Final = 200
"""Of one entry; the count goes on."""


class Refusal(InvalidInput):
    """Nothing of the file can be judged; the words say why and what to do."""

    code = "sheet_refused"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend, at a cell.

    level: an "error" keeps the entry from being taken over, what is "due" must be mended before the
    entry is submitted, a "warning" says how a doubtful cell was understood.
    cell: as the spreadsheet names it (D17), with the row; empty when no cell is to blame.
    """

    level: Level
    field: str
    message: str
    remedy: str = ""
    cell: str = ""
    row: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def letters(index: int) -> str:
    """Return the letters of a column by its place, from 0: A … Z, AA …"""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell_name(column: int | None, row: int) -> str:
    """Return D17 for column 3 of row 17; nothing where there is no such column."""
    return f"{letters(column)}{row}" if column is not None and row else ""


def words(text: str | Promise) -> str:
    return str(text)
