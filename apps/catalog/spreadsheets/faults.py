"""The faults of single cells."""

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

Level = Literal["error", "due", "warning"]
FAULTS_KEPT: Final = 200
"""Of one entry; the count goes on."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend, at a cell.

    level: an "error" keeps the entry from being taken over, what is "due" must be mended before the
    entry is submitted, a "warning" says how a doubtful cell was understood.
    cell: as the spreadsheet names it (D17), with the row; empty when no cell is to blame.
    gist: the message without what is this entry's alone, where it says the same of others too.
    """

    level: Level
    field: str
    message: str
    remedy: str = ""
    cell: str = ""
    row: int = 0
    gist: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
