"""Files that were made here, to be handed out for a while; each under a name of its maker's.

A file gets its name only when it is whole and on the disk. Whoever keeps the names removes files,
and what a crash left without one is swept out later.
"""

import os
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from django.conf import settings

from apps.core.files import sync_folder


def put(made: Path, name: str) -> None:
    """Move a finished file to its name, durably; another of that name is replaced."""
    made.chmod(0o600)
    with made.open("rb") as file:
        os.fsync(file.fileno())
    folder = _folder()
    made.replace(folder / name)
    sync_folder(folder)


def opened(name: str) -> BufferedReader:
    """Return the file for reading from its beginning; FileNotFoundError when it is gone."""
    return (_folder() / name).open("rb")


def remove(name: str) -> None:
    """Remove the file; none is no error."""
    (_folder() / name).unlink(missing_ok=True)


def names_older_than(moment: float) -> list[str]:
    """Return the names of the files that were put here before the moment, in seconds of Unix."""
    found = []
    for path in _folder().iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_ctime < moment:
                found.append(path.name)
    return sorted(found)


def _folder() -> Path:
    folder = Path(settings.HUILIU_HOME) / "exports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
