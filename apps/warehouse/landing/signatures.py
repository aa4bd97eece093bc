"""Recognise files that hold no table, by their first bytes."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_MAGIC: tuple[tuple[bytes, str | Promise], ...] = (
    (b"%PDF-", _("PDF 文件")),
    (b"%!PS", _("PostScript 文件")),
    (b"BZh", _("bzip2 压缩文件")),
    (b"\xfd7zXZ\x00", _("xz 压缩文件")),
    (b"\x28\xb5\x2f\xfd", _("zstd 压缩文件")),
    (b"7z\xbc\xaf\x27\x1c", _("7z 压缩文件")),
    (b"Rar!\x1a\x07", _("RAR 压缩文件")),
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


def foreign_kind(head: bytes) -> str | Promise | None:
    """Return what a file is that no reader of ours takes; None where it may be a table."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if len(head) > 262 and head[257:262] == b"ustar":
        return _("tar 归档文件")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower()
    for magic, kind in _MARKUP:
        if start.startswith(magic):
            return kind
    return None


def is_json(head: bytes) -> bool:
    """Say whether text begins as JSON does: an object, or an array of objects."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b'{"', b"{}", b"[{", b"[]")) or (
        start[:1] in (b"{", b"[") and start[1:].lstrip()[:1] in (b'"', b"{", b"}", b"[", b"]")
    )
