"""Where the operations of accounts report what was done.

The ledger lies above accounts and may not be imported here; it registers its recorder when it
starts, and then writes each event in the operation's own transaction.

Source: house rule (design §3.7)
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol


class Recorder(Protocol):
    def __call__(
        self,
        by: Any,
        verb: str,
        subject: Any,
        *,
        at: datetime,
        details: dict[str, Any] | None = None,
        department: Any = None,
    ) -> Any: ...


_recorders: list[Recorder] = []


def register(recorder: Recorder) -> None:
    """Have every later act reported to `recorder`; registering it again changes nothing."""
    if recorder not in _recorders:
        _recorders.append(recorder)


def record(
    by: Any,
    verb: str,
    subject: Any,
    *,
    at: datetime,
    details: Mapping[str, Any] | None = None,
    department: Any = None,
) -> None:
    """Report one act, inside the transaction that makes it true."""
    for recorder in _recorders:
        recorder(by, verb, subject, at=at, details=dict(details or {}), department=department)
