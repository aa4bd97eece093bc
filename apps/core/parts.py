"""Files that arrive in parts, over days and over broken connections.

The caller's row says how many bytes are certain; whatever lies behind them on the disk was written
by somebody who died before saying so, and is cut off by the next part.
"""

import errno
import os
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from django.conf import settings

from apps.core.files import StorageFull


def append(name: str, block: bytes, *, after: int) -> None:
    """Write the block behind the first `after` bytes, durably; writing it again is harmless.

    Raises:
        StorageFull: there is no room; the bytes that were certain are still there.
    """
    try:
        with _path(name).open("r+b" if after else "wb") as file:
            file.truncate(after)
            file.seek(after)
            file.write(block)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise


def opened(name: str) -> BufferedReader:
    """Return the file for reading from its beginning; FileNotFoundError when it is gone."""
    return _path(name).open("rb")


def size_of(name: str) -> int:
    """Return how many bytes lie on the disk, certain or not; 0 when there is no file."""
    with suppress(FileNotFoundError):
        return _path(name).stat().st_size
    return 0


def discard(name: str) -> None:
    """Remove the file; none is no error."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    folder = Path(settings.HUILIU_HOME) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.part"
