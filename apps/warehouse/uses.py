"""Who uses a table: asked here, answered by the sharing system, which lies above.

Sharing registers itself when it is loaded; without it nobody uses anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

USED_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Use:
    """One right in force: whose, until when, and how it was used in the last `USED_DAYS` days.

    calls, rows: of those days; last_call_at: in them, None when there was none.
    """

    department: str
    system: str
    mode: str
    expires_at: datetime
    last_call_at: datetime | None
    calls: int
    rows: int
    url: str


Teller = Callable[[int, datetime], Sequence[Use]]

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have a function of (dataset, moment) tell the uses; the same one counts once."""
    if teller not in _tellers:
        _tellers.append(teller)


def of_dataset(dataset_id: int, at: datetime) -> list[Use]:
    return [use for tell in _tellers for use in tell(dataset_id, at)]
