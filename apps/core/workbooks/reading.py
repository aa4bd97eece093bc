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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal

import orjson
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.guarding import damaged, encrypted, form_of
from apps.core.workbooks.refusal import Refusal

SHEETS_LIMIT: Final = 500
ROWS_LIMIT: Final = 200_000
CELLS_LIMIT: Final = 4_000_000  # that hold something; the whole city has 900,000
MEMORY_LIMIT_MB: Final = 900
CPU_LIMIT_SECONDS: Final = 60
WALL_LIMIT_SECONDS: Final = 180
FORMULA_MARK: Final = "\ue000"
_CHILD = Path(__file__).with_name("child.py")
_CELL_LIMIT = 32_767
_SHARED_LIMIT = 200_000
_KEPT_FROM_BEING_A_FORMULA = re.compile(r"'+[=+\-@]")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, slots=True)
class SheetBegins:
    """A sheet's name, before its rows."""

    name: str
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """number: as the spreadsheet counts it, from 1; cells: texts from column A on."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Excess:
    """The file holds more than is read; the last of its pieces, of a unit or two.

    count: how many there are, of rows and cells those that hold something; limit: how many of
    them were given.
    """

    unit: Literal["sheets", "rows", "cells"]
    count: int
    limit: int


Piece = SheetBegins | Row | Excess


@contextmanager
def pieces_of(
    path: Path, file_name: str, *, rows_limit: int | None = None, cells_limit: int | None = None
) -> Iterator[Iterator[Piece]]:
    """Give the sheets and their rows in the order of the file; whoever has enough may stop.

    rows_limit, cells_limit: of a workbook in all, where they are not the usual ones.

    Raises (on entering or reading):
        Refusal: the file cannot be read; the words say why.
    """
    form = form_of(path, file_name)
    if form == "csv":
        yield _lines(path, file_name)
        return
    with _child(path, rows_limit or ROWS_LIMIT, cells_limit or CELLS_LIMIT) as process:
        yield _pieces(process)


@contextmanager
def _child(path: Path, rows_limit: int, cells_limit: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the parser; it ends with its reader, however much of the workbook is left."""
    limits = (MEMORY_LIMIT_MB, CPU_LIMIT_SECONDS, SHEETS_LIMIT, rows_limit, cells_limit)
    process = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(_CHILD), str(path), *map(str, limits)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    watch = threading.Timer(WALL_LIMIT_SECONDS, process.kill)
    watch.start()
    try:
        yield process
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
                "删去空白行列、图片和多余的表后另存，或者分成几个文件，再上传"
            ),
            code="workbook_too_heavy",
        )
    raise damaged()


def _pieces(process: subprocess.Popen[bytes]) -> Iterator[Piece]:
    known: dict[str, str] = {}
    output: IO[bytes] | tuple[()] = process.stdout or ()
    for line in output:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            break  # the child was stopped within a line
        if isinstance(value, list):
            yield Row(value[0], _shared(known, value[1]))
        elif "problem" in value:
            raise _refused(value)
        elif "sheet" in value:
            yield SheetBegins(value["sheet"], value["hidden"])
        else:
            yield Excess(value["excess"], value["count"], value["limit"])
    _require_done(process.wait())


def _shared(known: dict[str, str], cells: Iterable[str]) -> list[str]:
    """Keep one copy of texts that recur; where every one is another, that is given up."""
    if len(known) < _SHARED_LIMIT:
        return [known.setdefault(cell, cell) for cell in cells]
    return [known.get(cell, cell) for cell in cells]


def _refused(value: dict[str, Any]) -> Refusal:
    if value["problem"] == "encrypted":
        return encrypted()
    return damaged()


def _lines(path: Path, file_name: str) -> Iterator[Piece]:
    text = decoded(path.read_bytes())
    if "\0" in text:
        raise Refusal(
            _("文件“%(name)s”不是表格也不是文本；另存为 xlsx 后再上传") % {"name": file_name},
            code="file_not_as_named",
        )
    yield SheetBegins("CSV")
    known: dict[str, str] = {}
    rows = filled = 0
    for number, record in _records(text):
        cells = _shared(known, map(_unquoted, record))
        if not any(cells):
            continue
        rows, filled = rows + 1, filled + len(cells) - cells.count("")
        if rows <= ROWS_LIMIT and filled <= CELLS_LIMIT:
            yield Row(number, [cell[:_CELL_LIMIT] for cell in cells])
    if rows > ROWS_LIMIT:
        yield Excess("rows", rows, ROWS_LIMIT)
    elif filled > CELLS_LIMIT:
        yield Excess("cells", filled, CELLS_LIMIT)


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records with the number of the line on which each begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal(
                _("第 %(line)s 行的引号不成对，不能可靠分列；改正后再上传")
                % {"line": f"{number:,}"},
                code="csv_malformed",
            ) from error


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
