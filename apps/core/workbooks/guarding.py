"""Look at a file before anything parses it: what it is, and whether it may be opened at all.

Nothing here reads more than names, sizes and the first bytes of a part, so no bomb goes off.
"""

import re
import struct
import zipfile
from pathlib import Path, PurePath
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal

Form = Literal["xlsx", "xls", "ods", "csv"]
LIMIT_BYTES: Final = 50 << 20
UNPACKED_LIMIT_BYTES: Final = 400 << 20
PARTS_LIMIT: Final = 3_000
# A sheet of the whole city shrinks to a twelfth; what shrinks to a three-hundredth holds nothing.
_BOMB_RATIO, _BOMB_FROM_BYTES = 300, 20 << 20
_DIRECTORY_LIMIT_BYTES = 4 << 20
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_HEAD_BYTES = 4096
_MANIFEST_BYTES = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FORMS: Final[dict[str, Form]] = {
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsx",
    "content.xml": "ods",
}
_TABLES = (".xlsx", ".xls", ".et", ".csv", ".ods", ".zip")
_OTHERS: tuple[tuple[bytes, str | Promise], ...] = (
    (b"%PDF-", _("PDF 文件")),
    (b"\x1f\x8b", _("gzip 压缩文件")),
    (b"7z\xbc\xaf\x27\x1c", _("7z 压缩文件")),
    (b"Rar!\x1a\x07", _("RAR 压缩文件")),
    (b"\x89PNG", _("图片")),
    (b"\xff\xd8\xff", _("图片")),
    (b"GIF8", _("图片")),
    (b"{\\rtf", _("RTF 文档")),
    (b"\x7fELF", _("可执行程序")),
    (b"MZ", _("可执行程序")),
)
# Before its root a part has a declaration and remarks; what else stands there defines something.
_PLAIN_START = re.compile(r"(?>\s|<\?.*?\?>|<!--.*?-->)*+<[^!?\s\0]", re.DOTALL)
_DECLARED = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)""")
_WIDE_STARTS = (
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
# Encodings in which a letter of ASCII is that letter, so that nothing hides from the look.
_SEEN_THROUGH = {"utf-8", "utf-16", "us-ascii", "iso-8859-1", "gb2312", "gbk", "gb18030"}
# The records with which an old workbook begins, BIFF5 and BIFF8, and the one that locks it.
_OLD_BEGINNING = re.compile(rb"\x09\x08[\x08\x10]\0\0[\x05\x06]\x05\0")
_RECORD = struct.Struct("<HH")
_WRITE_PROTECT, _FILE_PASS = 0x86, 0x2F
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<?xml", b"<head", b"<meta")


def form_of(path: Path, file_name: str) -> Form:
    """Return how the file is to be read, judged by what it is and not by its name.

    Raises:
        Refusal: it is empty, too large, encrypted, a bomb, damaged, or no table at all.
    """
    size = path.stat().st_size
    if size == 0:
        raise Refusal(_("文件是空的；重新保存后再上传"), code="file_empty")
    if size > LIMIT_BYTES:
        raise Refusal(
            _("文件超过 %(limit)s MB；分成几个文件上传") % {"limit": LIMIT_BYTES >> 20},
            code="file_too_large",
        )
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _form_of_archive(path)
    if head.startswith(_OLE):
        return _form_of_container(path)
    for magic, kind in _OTHERS:
        if head.startswith(magic):
            raise _not_a_table(file_name, kind)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    if start.startswith(_MARKUP):
        raise _not_a_table(file_name, _("网页（HTML）"))
    return "csv"


def suffix_warning(form: Form, file_name: str) -> str:
    """Say that the name promises something else than what was found; empty when it does not."""
    suffix = PurePath(file_name).suffix.lower()
    fitting = {"csv": (".csv", ".txt", ".tsv"), "xls": (".xls", ".et"), "ods": (".ods",)}
    if not suffix or suffix in fitting.get(form, (".xlsx", ".xlsm", ".xlsb", ".et")):
        return ""
    return str(
        _("文件扩展名是 %(suffix)s，内容却是 %(form)s，已按内容读取")
        % {"suffix": suffix, "form": form}
    )


def _not_a_table(file_name: str, kind: str | Promise) -> Refusal:
    return Refusal(
        _("文件“%(name)s”的内容是%(kind)s，不是表格；另存为 xlsx 后再上传")
        % {"name": file_name, "kind": kind},
        code="file_not_as_named",
    )


def _form_of_container(path: Path) -> Form:
    """An old workbook; or a new one that a password turned into a container."""
    content = path.read_bytes()
    if "EncryptedPackage".encode("utf-16-le") in content or _is_locked(content):
        raise encrypted()
    if "WordDocument".encode("utf-16-le") in content:
        raise _not_a_table(path.name[:8], _("Word 文档"))
    return "xls"


def _is_locked(content: bytes) -> bool:
    """Whether the records of an old workbook begin with the one of its password.

    Source: [MS-XLS] 2.1.7.20.3 (BOF, WriteProtect where there is one, FilePass)
    """
    beginning = _OLD_BEGINNING.search(content)
    at = beginning.start() if beginning else len(content)
    for _record in range(3):
        if at + _RECORD.size > len(content):
            return False
        kind, length = _RECORD.unpack_from(content, at)
        if kind == _FILE_PASS:
            return True
        at += _RECORD.size + length
    return False


def encrypted() -> Refusal:
    return Refusal(
        _("工作簿设有打开密码，不能读取；在表格软件中取消密码后另存，再上传"),
        code="workbook_encrypted",
    )


def _form_of_archive(path: Path) -> Form:
    _require_small_directory(path)
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _require_bounded(parts)
            _require_unlocked(archive, parts)
            form = next((_FORMS[part.filename] for part in parts if part.filename in _FORMS), None)
            if form is None:
                raise _no_workbook(parts)
            _require_plain_xml(archive, parts)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise damaged() from error
    return form


def damaged() -> Refusal:
    return Refusal(
        _("文件不完整或者已经损坏，不能打开；在表格软件中打开后另存，再上传"),
        code="workbook_damaged",
    )


def _require_small_directory(path: Path) -> None:
    """Judge the list of parts by its own length before it is read into memory."""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - (1 << 16) - _END_OF_DIRECTORY.size))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END_OF_DIRECTORY.size:
        raise damaged()
    fields = _END_OF_DIRECTORY.unpack_from(tail, at)
    count, length = fields[4], fields[5]
    if count > PARTS_LIMIT or length > _DIRECTORY_LIMIT_BYTES:
        raise _bomb()


def _require_bounded(parts: list[zipfile.ZipInfo]) -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise Refusal(_("压缩包设有密码，不能读取；取消密码后再上传"), code="workbook_encrypted")
    swollen = any(
        part.file_size > _BOMB_FROM_BYTES
        and part.file_size > _BOMB_RATIO * max(1, part.compress_size)
        for part in parts
    )
    if swollen or len(parts) > PARTS_LIMIT:
        raise _bomb()
    if sum(part.file_size for part in parts) > UNPACKED_LIMIT_BYTES:
        raise _bomb()


def _require_unlocked(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse an OpenDocument whose parts a password keeps; its manifest says so."""
    if any(part.filename == "META-INF/manifest.xml" for part in parts):
        with archive.open("META-INF/manifest.xml") as stream:
            if b"encryption-data" in stream.read(_MANIFEST_BYTES):
                raise encrypted()


def _bomb() -> Refusal:
    return Refusal(
        _("文件解开后异常地大（超过 %(limit)s MB），没有打开；删去空白行列和图片后另存，再上传")
        % {"limit": UNPACKED_LIMIT_BYTES >> 20},
        code="workbook_too_heavy",
    )


def _no_workbook(parts: list[zipfile.ZipInfo]) -> Refusal:
    inside = [part.filename for part in parts if part.filename.lower().endswith(_TABLES)]
    if inside:
        return Refusal(
            _("这是一个压缩包，里面有 %(count)s 个文件；解压后逐个上传") % {"count": len(inside)},
            code="archive_uploaded",
        )
    return Refusal(
        _("这个文件不是工作簿（可能是 Word 文档或者压缩包）；另存为 xlsx 后再上传"),
        code="file_not_as_named",
    )


def _require_plain_xml(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Refuse parts that define entities of their own, in any encoding: a workbook never does."""
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels")):
            continue
        with archive.open(part) as stream:
            head = stream.read(_HEAD_BYTES)
        if head and not _is_plain(head):
            raise Refusal(
                _(
                    "文件内含自定义的 XML 实体或者不认识的编码，正常的工作簿不会有，没有打开；"
                    "用表格软件另存后再上传"
                ),
                code="workbook_suspicious",
            )


def _is_plain(head: bytes) -> bool:
    """Whether a part begins as XML without definitions, in an encoding that hides none."""
    encoding = next((name for mark, name in _WIDE_STARTS if head.startswith(mark)), "latin-1")
    text = head.removeprefix(b"\xef\xbb\xbf").decode(encoding, "ignore").removeprefix("\ufeff")
    declared = _DECLARED.match(text)
    if declared and declared[1].lower() not in _SEEN_THROUGH:
        return False
    return _PLAIN_START.match(text) is not None
