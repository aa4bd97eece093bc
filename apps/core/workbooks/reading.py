"""Bring the rows of a workbook or a CSV file as text, in bounded memory and time.

Workbooks are parsed by a child process under hard limits: a parser that a hostile file drives mad
dies alone, and the file gets its verdict all the same.
"""

import csv
import io
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import orjson
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.guarding import Form, damaged, form_of
from apps.core.workbooks.refusal import Refusal

SHEETS_LIMIT: Final = 500
ROWS_LIMIT: Final = 200_000
MEMORY_LIMIT_MB: Final = 900
CPU_LIMIT_SECONDS: Final = 60
WALL_LIMIT_SECONDS: Final = 180
FORMULA_MARK: Final = "\ue000"
_CHILD = Path(__file__).with_name("child.py")
_CELL_LIMIT = 32_767
_KEPT_FROM_BEING_A_FORMULA = re.compile(r"'+[=+\-@]")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class SheetBegins:
    """A sheet's name, before its rows; `is_unread` when it lies beyond what is read."""

    name: str
    is_hidden: bool = False
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """number: as the spreadsheet counts it, from 1; cells: texts from column A on."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class RowsLeft:
    """The file goes on beyond the last row that is read."""


Piece = SheetBegins | Row | RowsLeft


@contextmanager
def pieces_of(
    path: Path, file_name: str, *, rows_limit: int = ROWS_LIMIT
) -> Iterator[Iterator[Piece]]:
    """Give the sheets and their rows in the order of the file, at most so many rows in all.

    Raises (on entering or reading):
        Refusal: the file cannot be read; the words say why.
    """
    form = form_of(path, file_name)
    if form == "csv":
        yield _lines(path, file_name)
        return
    with _child(path, rows_limit) as output:
        yield _pieces(output, form)


@contextmanager
def _child(path: Path, rows_limit: int) -> Iterator[IO[bytes]]:
    limits = (MEMORY_LIMIT_MB, CPU_LIMIT_SECONDS, SHEETS_LIMIT, rows_limit)
    process = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(_CHILD), str(path), *map(str, limits)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    watch = threading.Timer(WALL_LIMIT_SECONDS, process.kill)
    watch.start()
    try:
        if process.stdout is None:  # never, with PIPE
            raise damaged()
        yield process.stdout
        process.stdout.read()
        _require_done(process.wait())
    finally:
        watch.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _require_done(code: int) -> None:
    if code == 0:
        return
    if code < 0 or code == 1:  # killed by a limit, or out of memory
        raise Refusal(
            _(
                "工作簿太复杂，在限定的内存和时间内读不完；"
                "删去空白行列、图片和多余的表后另存，再上传"
            ),
            code="workbook_too_heavy",
        )
    raise damaged()


def _pieces(output: IO[bytes], form: Form) -> Iterator[Piece]:
    known: dict[str, str] = {}
    for line in output:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            return  # the child was stopped within a line; its end is judged by `_require_done`
        if isinstance(value, list):
            yield Row(value[0], [known.setdefault(cell, cell) for cell in value[1]])
        elif "problem" in value:
            raise _refused(value)
        elif "sheet" in value:
            yield SheetBegins(value["sheet"], value["hidden"], value["unread"])
        elif value.get("more"):
            yield RowsLeft()


def _refused(value: dict[str, Any]) -> Refusal:
    if value["problem"] == "encrypted":
        return Refusal(
            _("工作簿设有打开密码，不能读取；在表格软件中取消密码后另存，再上传"),
            code="workbook_encrypted",
        )
    return damaged()


def _lines(path: Path, file_name: str) -> Iterator[Piece]:
    text = decoded(path.read_bytes())
    if "\0" in text:
        raise Refusal(
            _("文件“%(name)s”不是表格也不是文本；另存为 xlsx 后再上传") % {"name": file_name},
            code="file_not_as_named",
        )
    yield SheetBegins("CSV")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    known: dict[str, str] = {}
    count = 0
    while True:
        number = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal(
                _("第 %(line)s 行的引号不成对，不能可靠分列；改正后再上传")
                % {"line": f"{number:,}"},
                code="csv_malformed",
            ) from error
        cells = [known.setdefault(cell, cell) for cell in map(_unquoted, record)]
        if not any(cells):
            continue
        count += 1
        if count > ROWS_LIMIT:
            yield RowsLeft()
            return
        yield Row(number, [cell[:_CELL_LIMIT] for cell in cells])


def _unquoted(cell: str) -> str:
    """Take off the apostrophe that keeps an office program from taking a text for a formula."""
    plain = cell.strip()
    return plain[1:] if _KEPT_FROM_BEING_A_FORMULA.match(plain) else plain


def _delimiter(text: str) -> str:
    head = text[:20_000]
    return max((",", "\t", ";"), key=head.count)


def decoded(content: bytes) -> str:
    """Return the text of a CSV file: UTF-8 with or without a mark, UTF-16, GB18030; nothing else.

    Raises:
        Refusal: `encoding_invalid`, with the line of the first byte that is wrong.
    """
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if content.startswith(mark):
            return _strictly(content[len(mark) :], name)
    pairs = len(content) // 2
    if pairs > 1 and content[1 : 2 * pairs : 2].count(0) >= 0.2 * pairs:
        return _strictly(content, "utf-16-le")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(content, "gb18030")


def _strictly(content: bytes, name: str) -> str:
    try:
        return content.decode(name)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refusal(
            _(
                "第 %(line)s 行有不能识别的字节，文件不是有效的 UTF-8 或者 GB18030；"
                "另存为 xlsx 后再上传"
            )
            % {"line": f"{line:,}"},
            code="encoding_invalid",
        ) from error
