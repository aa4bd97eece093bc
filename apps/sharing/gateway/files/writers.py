"""What writes the rows of a chunk into a file, in little memory; one for each format.

CSV and Parquet take the lines of a COPY, NDJSON and workbooks rows; the lines are the very bytes
of the streamed export, and those of NDJSON what a page would be.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from apps.sharing.gateway import formats
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.marks import Marks

HASHED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Described:
    """What a writer is told: the question, the columns, and the facts of the manifest by label."""

    query: Query
    columns: list[dict[str, Any]]
    facts: list[tuple[str, str]]
    with_marks: bool


@dataclass(frozen=True, slots=True)
class Whole:
    size_bytes: int
    sha256: str


class Hashed:
    """A new file that is only appended to, and its hash as it grows."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("xb", buffering=0)
        self._digest = hashlib.sha256()
        self._size = 0

    closed = False

    def write(self, block: bytes) -> int:
        view = memoryview(block)
        done = 0
        while done < len(view):
            done += self._file.write(view[done:]) or 0
        self._digest.update(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True
        self._file.close()

    def whole(self) -> Whole:
        return Whole(self._size, self._digest.hexdigest())


class Writer(ABC):
    """takes_lines: of CSV; otherwise rows."""

    takes_lines: ClassVar[bool]

    @abstractmethod
    def write(self, rows: Sequence[Any], marks: Marks) -> None: ...

    @abstractmethod
    def finish(self) -> Whole:
        """Write the file's end; it is whole then."""

    @abstractmethod
    def abandon(self) -> None:
        """Let go of what is open; the file is of no use."""


class CsvWriter(Writer):
    takes_lines = True

    def __init__(self, path: Path, described: Described) -> None:
        self._file = Hashed(path)
        self._file.write(formats.heading(described.query, with_marks=described.with_marks))

    def write(self, rows: Sequence[Any], marks: Marks) -> None:
        self._file.write(b"".join(formats.marked_lines(list(rows), marks)))

    def finish(self) -> Whole:
        self._file.close()
        return self._file.whole()

    def abandon(self) -> None:
        self._file.close()


class LinesWriter(Writer):
    """Lines of JSON."""

    takes_lines = False

    def __init__(self, path: Path, described: Described) -> None:
        self._file = Hashed(path)
        self._query = described.query

    def write(self, rows: Sequence[Any], marks: Marks) -> None:
        self._file.write(formats.json_lines(self._query, rows, marks))

    def finish(self) -> Whole:
        self._file.close()
        return self._file.whole()

    def abandon(self) -> None:
        self._file.close()


def whole_of(path: Path) -> Whole:
    """Return size and hash of a file that was not written from its beginning to its end."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(HASHED_BYTES):
            digest.update(block)
    return Whole(path.stat().st_size, digest.hexdigest())
