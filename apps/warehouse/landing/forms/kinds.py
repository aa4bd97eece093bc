"""Say what a file is by its first bytes; its name only explains a refusal.

Source: house rule (design §5: never a silent guess)
"""

import zipfile
from pathlib import Path
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks import guarding
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.signatures import foreign_kind, is_json

Kind = Literal["text", "xlsx", "xls", "ods", "json", "parquet", "zip", "gz"]
LABELS: Final[dict[Kind, str]] = {
    "text": "CSV",
    "xlsx": "XLSX",
    "xls": "XLS",
    "ods": "ODS",
    "json": "JSON",
    "parquet": "Parquet",
    "zip": "ZIP",
    "gz": "GZ",
}
WORKBOOKS: Final = ("xlsx", "xls", "ods")
_HEAD_BYTES = 1 << 16
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DOCUMENT_PARTS = ("word/", "ppt/")
_WORKBOOK_PARTS = ("xl/workbook.xml", "xl/workbook.bin", "content.xml")


def kind_of(path: Path, file_name: str) -> Kind:
    """Return what the file is.

    Raises:
        Refusal: `file_empty`; `file_not_as_named`, saying what it is, when no reader takes it; what
            the guard of workbooks refuses (encrypted, damaged, a bomb).
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\r\n \t\x00"):
        raise Refusal(_("文件是空的，没有可以入库的内容"), code="file_empty")
    if head.startswith(_ZIP):
        return _archive(path, file_name)
    if head.startswith(_OLE):
        return _workbook(path, file_name)
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    if head.startswith(b"PAR1"):
        return "parquet"
    if is_json(head):
        return "json"
    found = foreign_kind(head)
    if found is not None:
        raise _no_table(file_name, found)
    return "text"


def _archive(path: Path, file_name: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise Refusal(
            _("文件“%(name)s”不完整或者已经损坏，不能打开") % {"name": file_name},
            code="file_damaged",
        ) from error
    if names & set(_WORKBOOK_PARTS):
        return _workbook(path, file_name)
    if any(name.startswith(_DOCUMENT_PARTS) for name in names):
        raise _no_table(file_name, _("Word 或者 PPT 文档"))
    return "zip"


def _no_table(file_name: str, what: str | Promise) -> Refusal:
    return Refusal(
        _("文件“%(name)s”的内容是%(kind)s，不是数据表；另存为 XLSX 或者 CSV 后再提交")
        % {"name": file_name, "kind": what},
        code="file_not_as_named",
    )


def _workbook(path: Path, file_name: str) -> Kind:
    form = guarding.form_of(path, file_name)
    if form == "csv":  # it begins as a workbook does, so the guard never says this
        raise Refusal(code="file_not_as_named")
    return form
