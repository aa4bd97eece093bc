"""Take the one table out of a ZIP or a GZ, in bounded time and space."""

import gzip
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal

UNPACKED_LIMIT_BYTES: Final = 8 << 30
BOMB_RATIO: Final = 1_000
BOMB_FROM_BYTES: Final = 256 << 20
_PARTS_LIMIT = 1_000
_BLOCK = 1 << 20


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def unpack(path: Path, kind: str, file_name: str, target: Path) -> str:
    """Write the packed table to `target`; return its own name.

    Raises:
        Refusal: damaged, encrypted, holding no table or several, or swelling like a bomb.
    """
    if kind == "gz":
        with gzip.open(path) as packed:
            _pour(packed, target, path.stat().st_size)
        return file_name.removesuffix(".gz")
    with zipfile.ZipFile(path) as archive:
        part = _only_table(archive)
        with archive.open(part) as packed:
            _pour(packed, target, part.compress_size)
        return PurePosixPath(part.filename).name


def _only_table(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    parts = [
        part
        for part in archive.infolist()[:_PARTS_LIMIT]
        if not part.is_dir()
        and not part.filename.startswith("__MACOSX/")
        and not PurePosixPath(part.filename).name.startswith(".")
    ]
    if len(parts) != 1:
        names = "、".join(PurePosixPath(part.filename).name for part in parts[:10])
        raise Refusal(
            _("压缩包里有 %(count)s 个文件（%(names)s），分不清入哪一个；每个数据表单独压缩提交")
            % {"count": len(parts), "names": names}
            if parts
            else _("压缩包里没有文件"),
            code="archive_not_one_table",
            count=len(parts),
        )
    if parts[0].flag_bits & 1:
        raise Refusal(_("压缩包设有密码，不能读取；取消密码后再提交"), code="archive_encrypted")
    return parts[0]


def _pour(packed: _Readable, target: Path, packed_bytes: int) -> None:
    written = 0
    try:
        with target.open("wb") as file:
            while block := packed.read(_BLOCK):
                written += len(block)
                _require_bounded(written, packed_bytes)
                file.write(block)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise Refusal(_("压缩包不完整或者已经损坏，不能解开"), code="file_damaged") from error


def _require_bounded(written: int, packed_bytes: int) -> None:
    swollen = written > BOMB_FROM_BYTES and written > BOMB_RATIO * max(1, packed_bytes)
    if swollen or written > UNPACKED_LIMIT_BYTES:
        raise Refusal(
            _("压缩包解开后异常地大，没有继续；确是数据的，分成几个文件提交"),
            code="archive_too_heavy",
        )
