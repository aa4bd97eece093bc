"""Who uses a table: asked here, answered by the sharing system, which lies above.

Sharing registers itself when it is loaded; without it nobody uses anything.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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


@dataclass(frozen=True, slots=True)
class Bound:
    """One right that shows columns which are to be dropped, or chooses its rows by them.

    until: the last day on which it would be served with them if they went now; None without end.
    """

    right: str
    department: str
    system: str
    columns: str
    chooses_rows: bool
    until: date | None
    url: str


Teller = Callable[[int, datetime], Sequence[Use]]
BoundTeller = Callable[[int, Collection[str], datetime], Sequence[Bound]]

_tellers: list[Teller] = []
_bound_tellers: list[BoundTeller] = []


def register(teller: Teller) -> None:
    """Have a function of (dataset, moment) tell the uses; the same one counts once."""
    if teller not in _tellers:
        _tellers.append(teller)


def of_dataset(dataset_id: int, at: datetime) -> list[Use]:
    return [use for tell in _tellers for use in tell(dataset_id, at)]


def register_bound(teller: BoundTeller) -> None:
    """Have a function of (dataset, columns, moment) tell what the columns bind; once each."""
    if teller not in _bound_tellers:
        _bound_tellers.append(teller)


def bound_by(dataset_id: int, columns: Collection[str], at: datetime) -> list[Bound]:
    """Return the rights that would be touched if these columns were dropped at that time."""
    return [bound for tell in _bound_tellers for bound in tell(dataset_id, columns, at)]
