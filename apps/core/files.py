"""Files as they were handed in, kept under their SHA-256 so that no crash leaves half of one."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar
from uuid import uuid4

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError, InvalidInput

LIMIT_BYTES = 8 << 30
_BLOCK_BYTES = 1 << 20
_held: dict[Path, int] = {}


class StorageFull(DomainError):
    """The disk is full, or the quota used up; nothing of the file is left behind."""

    code = "storage_full"
    status: ClassVar[int] = 507
    default_message = _("存放原始文件的空间已满，文件没有保存；请联系运维人员")


@dataclass(frozen=True, slots=True)
class KeptFile:
    sha256: str
    size_bytes: int


def keep(blocks: Iterable[bytes], *, limit: int = LIMIT_BYTES) -> KeptFile:
    """Write the blocks to a file and give it its hash for a name; keeping it again is harmless.

    The file gets its name only when it is whole and on the disk. `limit` is in bytes.

    Raises:
        InvalidInput: it is larger than a file may be.
        StorageFull: there is no room for it.
    """
    folder = _folder("files")
    incoming = _folder("files/incoming") / uuid4().hex
    try:
        kept = _write(blocks, incoming, limit)
        incoming.replace(folder / kept.sha256)
        sync_folder(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull from error
        raise
    finally:
        incoming.unlink(missing_ok=True)
    return kept


def _write(blocks: Iterable[bytes], path: Path, limit: int) -> KeptFile:
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as file:
        for block in blocks:
            digest.update(block)
            size += file.write(block)
            if size > limit:
                raise InvalidInput(
                    _("文件超过 %(limit)s；分成几批提交") % {"limit": _size(limit)},
                    code="file_too_large",
                )
        file.flush()
        os.fsync(file.fileno())
    return KeptFile(digest.hexdigest(), size)


def _size(limit: int) -> str:
    return f"{limit >> 30} GB" if limit >= 1 << 30 else f"{limit >> 20} MB"


def blocks_of(file: BinaryIO) -> Iterable[bytes]:
    """Yield a binary file's content from where it stands."""
    while block := file.read(_BLOCK_BYTES):
        yield block


def path_of(sha256: str) -> Path:
    """Return where the file lies, or would lie."""
    return Path(settings.HUILIU_HOME) / "files" / sha256


def make_workplace(name: str) -> Path:
    """Return an empty folder for one attempt, without what attempts that died have left.

    Several may be at the same thing: each has its own, and holds its lock until it is cleared or
    the process is no more.
    """
    clear_left(name)
    place = _folder("work")
    while True:
        folder = place / f"{name}-{uuid4().hex[:8]}"
        lock = _lock_of(folder)
        held = _hold(lock)
        if held is not None:
            break
    folder.mkdir()
    _held[folder] = held
    return folder


def clear_left(name: str) -> None:
    """Remove what attempts that died have left, of all whose name begins so."""
    for lock in _folder("work").glob(f"{name}-*.lock"):
        if (held := _hold(lock)) is not None:
            _remove(lock, held)


def clear_workplace(folder: Path) -> None:
    """Remove the folder of one attempt."""
    _remove(_lock_of(folder), _held.pop(folder))


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _hold(lock: Path) -> int | None:
    """Return the descriptor that holds a lock, None while somebody else does or it is gone.

    Raises:
        OSError: the place of HUILIU_HOME knows no locks.
    """
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    with suppress(BlockingIOError):
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(held).st_nlink:  # nobody removed it meanwhile
            return held
    os.close(held)
    return None


def _remove(lock: Path, held: int) -> None:
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
    os.close(held)


def _folder(name: str) -> Path:
    folder = Path(settings.HUILIU_HOME) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sync_folder(folder: Path) -> None:
    """Make the new name durable; not every system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
