"""Recognise files that are not what their names say, by their first bytes."""

from pathlib import PurePath

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.warehouse.landing.refusal import Refusal

TEXT_SUFFIXES = (".csv", ".txt", ".tsv")

_MAGIC: tuple[tuple[bytes, str | Promise], ...] = (
    (b"PK\x03\x04", _("压缩包或者 Excel、WPS 工作簿（xlsx、et、docx、zip）")),
    (b"PK\x05\x06", _("空的压缩包（zip）")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _("旧版 Excel 或者 Word 文件（xls、et、doc）")),
    (b"%PDF-", _("PDF 文件")),
    (b"%!PS", _("PostScript 文件")),
    (b"\x1f\x8b", _("gzip 压缩文件")),
    (b"BZh", _("bzip2 压缩文件")),
    (b"\xfd7zXZ\x00", _("xz 压缩文件")),
    (b"\x28\xb5\x2f\xfd", _("zstd 压缩文件")),
    (b"7z\xbc\xaf\x27\x1c", _("7z 压缩文件")),
    (b"Rar!\x1a\x07", _("RAR 压缩文件")),
    (b"PAR1", _("Parquet 文件")),
    (b"ORC\x00", _("ORC 文件")),
    (b"SQLite format 3\x00", _("SQLite 数据库")),
    (b"\x00\x01\x00\x00Standard ", _("Access 数据库")),
    (b"\x89PNG\r\n\x1a\n", _("PNG 图片")),
    (b"\xff\xd8\xff", _("JPEG 图片")),
    (b"GIF8", _("GIF 图片")),
    (b"\x7fELF", _("可执行程序")),
    (b"{\\rtf", _("RTF 文档")),
)
_MARKUP: tuple[tuple[bytes, str | Promise], ...] = (
    (b"<!doctype html", _("网页（HTML）")),
    (b"<html", _("网页（HTML）")),
    (b"<table", _("网页（HTML）")),
    (b"<?xml", _("XML 文件")),
)


def require_text(head: bytes, file_name: str) -> None:
    """Refuse a file whose first bytes show that it is no delimited text.

    Raises:
        Refusal: `file_not_as_named`, saying what the file is; `file_type_unknown` for a suffix
            that no reader takes.
    """
    suffix = PurePath(file_name).suffix.lower()
    found = _kind(head)
    if found is not None:
        raise Refusal(
            _("文件“%(name)s”的内容是%(kind)s，不是文本表格；另存为 CSV（UTF-8）后再提交")
            % {"name": file_name, "kind": found},
            code="file_not_as_named",
        )
    if suffix and suffix not in TEXT_SUFFIXES:
        raise Refusal(
            _("不接收 %(suffix)s 文件；提交 CSV 或者 TSV 文件") % {"suffix": suffix},
            code="file_type_unknown",
        )


def _kind(head: bytes) -> str | Promise | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if len(head) > 262 and head[257:262] == b"ustar":
        return _("tar 归档文件")
    if is_json(head):
        return _("JSON 文件")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    for magic, kind in _MARKUP:
        if start.startswith(magic):
            return kind
    return None


def is_json(head: bytes) -> bool:
    """Say whether text begins as JSON does: an object, or an array of objects."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b'{"', b"{}", b"[{", b"[]")) or (
        start[:1] in (b"{", b"[") and start[1:].lstrip()[:1] in (b'"', b"{", b"}", b"]")
    )
