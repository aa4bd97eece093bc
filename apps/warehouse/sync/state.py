"""What a front node remembers, in one small SQLite file, so that it may be killed anywhere."""

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass
class Pending:
    """A chunk that was read and is on its way: sent again under the same key until it is over."""

    file: str
    key: str
    rows: int
    checkpoint: dict[str, str] | None
    more: bool
    batch: int | None = None


@dataclass
class Job:
    """One table's progress. counter: how many chunks were read, part of their keys."""

    name: str
    checkpoint: dict[str, str] | None = None
    counter: int = 0
    pending: Pending | None = None
    last_success_at: str = ""
    last_error: str = ""


class State:
    """The jobs in a file; every change is on the disk before the next step."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS job (name text PRIMARY KEY, facts text NOT NULL)"
        )

    def job(self, name: str) -> Job:
        """Return the job as it was left, or a new one."""
        found = self._connection.execute("SELECT facts FROM job WHERE name = ?", (name,)).fetchone()
        if found is None:
            return Job(name)
        facts: dict[str, Any] = json.loads(found[0])
        pending = facts.pop("pending")
        return Job(**facts, pending=Pending(**pending) if pending else None)

    def keep(self, job: Job) -> None:
        self._connection.execute(
            "INSERT INTO job VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET facts = excluded.facts",
            (job.name, json.dumps(asdict(job), ensure_ascii=False)),
        )

    def close(self) -> None:
        self._connection.close()


def stamp() -> str:
    """Return this moment as text."""
    return datetime.now(UTC).isoformat(timespec="seconds")
