"""The pass before the reader: prove what a file is, count its records, locate what is wrong.

Text that is already UTF-8 with plain line feeds is only looked at; anything else is written anew
as such, block by block, whatever its size. NUL bytes and stray carriage returns become visible
signs in the copy (␀, ␍) and their records are remembered: those records are rejected, not repaired.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing import encodings
from apps.warehouse.landing.counting import FoundRecord, RecordCounter, RecordIndex
from apps.warehouse.landing.encodings import BLOCK_BYTES, Encoding

NUL_SIGN = "\u2400".encode()
CR_SIGN = "\u240d".encode()
_DELIMITERS = (b",", b"\t", b";", b"|")
_FAULT_LIMIT = 100_000
_HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known of a file before it is read.

    path: the text as UTF-8 with line feeds, the file itself or a copy. original: the file as it was
    handed in. record_count: without the header. faults: record number → codes of what is wrong with
    it as text. leading_blanks: empty lines before the header. lines: of each record, where it
    stands in the sheet or list that the text was made of; None where the text is the file.
    """

    path: Path
    original: Path
    sha256: str
    encoding: Encoding
    delimiter: str
    header: str
    record_count: int
    line_count: int
    blank_count: int
    leading_blanks: int
    longest_bytes: int
    has_quoted_line_ends: bool
    index: RecordIndex
    faults: dict[int, list[str]] = field(default_factory=dict)
    lines: Sequence[int] | None = None

    def line_of(self, record: FoundRecord) -> int:
        """Return the line of a record as the clerk sees it in the file."""
        return record.line if self.lines is None else self.lines[record.number - 1]


class _NeedsCopyError(Exception):
    """The file is not UTF-8 with plain line feeds."""


def survey(
    path: Path,
    *,
    workplace: Path,
    original: Path | None = None,
    lines: Sequence[int] | None = None,
    said: str = "",
) -> Survey:
    """Read the text once and say what it is; `sha256` is that of the file it was made of.

    said: the encoding that a person named; then no other is tried.

    Raises:
        Refusal: empty, in no accepted encoding, or with a quote left open.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf\r\n \t\x00"):
        raise Refusal(_("文件是空的，没有可以入库的内容"), code="file_empty")
    with ThreadPoolExecutor(1) as beside:
        digest = beside.submit(_sha256, original or path)
        if said:
            encoding = encodings.said_encoding(path, said)
        else:
            encoding = encodings.presumed_encoding(path)
        try:
            counted = _look(path, encoding)
        except _NeedsCopyError:
            counted = _copy(path, encoding, workplace / "text.csv")
        return replace(_summed_up(counted, original or path, digest.result()), lines=lines)


@dataclass(slots=True)
class _Counted:
    path: Path
    encoding: Encoding
    delimiter: bytes
    counter: RecordCounter
    nul_offsets: list[int]
    cr_offsets: list[int]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _look(path: Path, encoding: Encoding) -> _Counted:
    """Count a file that may be read as it lies; raise at the first sign that it may not."""
    if not encoding.is_utf8 or encoding.bom_bytes:
        raise _NeedsCopyError
    counter: RecordCounter | None = None
    delimiter = b","
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            if b"\r" in block or b"\0" in block:
                raise _NeedsCopyError
            if counter is None:
                delimiter = _delimiter(block)
                counter = RecordCounter(delimiter)
            rest = _prove_utf8(rest, block)
            counter.feed(block)
    if rest or counter is None:
        raise _NeedsCopyError
    counter.finish()
    return _Counted(path, encoding, delimiter, counter, [], [])


def _prove_utf8(rest: bytes, block: bytes) -> bytes:
    """Return the beginning of a character that the next block completes."""
    if not rest and block.isascii():
        return b""
    text = rest + block if rest else block
    cut = _character_boundary(text)
    if not encodings.is_valid_utf8(text[:cut] if cut < len(text) else text):
        raise _NeedsCopyError
    return text[cut:]


def _character_boundary(text: bytes) -> int:
    for back in range(1, min(4, len(text)) + 1):
        value = text[-back]
        if value < 0x80:
            return len(text)
        if value >= 0xC0:
            length = 2 if value < 0xE0 else 3 if value < 0xF0 else 4
            return len(text) - back if length > back else len(text)
    return len(text)


def _copy(path: Path, encoding: Encoding, target: Path) -> _Counted:
    """Write the text anew as UTF-8 with line feeds and count it on the way."""
    if encoding.is_utf8 and not _is_utf8(path, encoding.bom_bytes):
        if encoding.why == "said":
            raise encodings.refusal_of(path, encoding)
        encoding = encodings.encoding_of_invalid_utf8(path, start=encoding.bom_bytes)
    rewriter = _Rewriter(path, encoding)
    counter: RecordCounter | None = None
    delimiter = b","
    with target.open("wb") as copy:
        for block in rewriter.blocks():
            if counter is None:
                delimiter = _delimiter(block)
                counter = RecordCounter(delimiter)
            copy.write(block)
            counter.feed(block)
    if counter is None:
        raise Refusal(_("文件是空的，没有可以入库的内容"), code="file_empty")
    counter.finish()
    return _Counted(target, encoding, delimiter, counter, rewriter.nul_offsets, rewriter.cr_offsets)


def _is_utf8(path: Path, start: int) -> bool:
    rest = b""
    with path.open("rb") as file:
        file.seek(start)
        try:
            while block := file.read(BLOCK_BYTES):
                rest = _prove_utf8(rest, block)
        except _NeedsCopyError:
            return False
    return not rest


class _Rewriter:
    """Yields text as UTF-8 with line feeds; notes where in the copy NULs and stray CRs stood."""

    def __init__(self, path: Path, encoding: Encoding) -> None:
        self._path = path
        self._encoding = encoding
        self._written = 0
        self.nul_offsets: list[int] = []
        self.cr_offsets: list[int] = []

    def blocks(self) -> Iterator[bytes]:
        has_only_cr = self._ends_lines_with_cr()
        held = b""
        for raw in self._bytes():
            block = held + raw
            held = b""
            if has_only_cr:
                block = block.replace(b"\r", b"\n")
            elif block.endswith(b"\r"):
                block, held = block[:-1], b"\r"
            block = block.replace(b"\r\n", b"\n") if b"\r" in block else block
            yield self._marked(block)
        if held:
            yield self._marked(b"\n")

    def _bytes(self) -> Iterator[bytes]:
        if not self._encoding.is_utf8:
            for text in encodings.decoded(self._path, self._encoding):
                if text:  # an empty block would count as an empty line
                    yield text.encode()
            return
        with self._path.open("rb") as file:
            file.seek(self._encoding.bom_bytes)
            while block := file.read(BLOCK_BYTES):
                yield block

    def _ends_lines_with_cr(self) -> bool:
        first = next(self._bytes(), b"")
        return b"\r" in first and b"\n" not in first

    def _marked(self, block: bytes) -> bytes:
        if b"\0" in block or b"\r" in block:
            block = self._with_signs(block)
        self._written += len(block)
        return block

    def _with_signs(self, block: bytes) -> bytes:
        parts: list[bytes] = []
        start, written = 0, self._written
        for place, value in enumerate(block):
            if value not in (0, 13):
                continue
            parts.append(block[start:place])
            written += place - start
            offsets, sign = (
                (self.nul_offsets, NUL_SIGN) if value == 0 else (self.cr_offsets, CR_SIGN)
            )
            offsets.append(written)
            parts.append(sign)
            written += len(sign)
            start = place + 1
        parts.append(block[start:])
        if len(self.nul_offsets) + len(self.cr_offsets) > _FAULT_LIMIT:
            raise Refusal(
                _("文件里有超过 %(limit)s 个空字节或者单独的回车符，不是完整的文本文件")
                % {"limit": f"{_FAULT_LIMIT:,}"},
                code="text_damaged",
            )
        return b"".join(parts)


def _delimiter(block: bytes) -> bytes:
    """Return what separates the headings of the first line: comma unless another is commoner."""
    first = block.lstrip(b"\n").split(b"\n", 1)[0]
    unquoted = b"".join(first.split(b'"')[::2])
    return max(_DELIMITERS, key=unquoted.count)


def _summed_up(counted: _Counted, original: Path, sha256: str) -> Survey:
    counter = counted.counter
    index = RecordIndex(counted.path, counter.marks, counted.delimiter)
    header = next(index.find([0]), None)
    if header is None:
        raise Refusal(_("文件是空的，没有可以入库的内容"), code="file_empty")
    faults: dict[int, list[str]] = {}
    for code, offsets in (
        ("nul_byte", counted.nul_offsets),
        ("stray_carriage_return", counted.cr_offsets),
    ):
        for number in index.numbers_at(offsets):
            codes = faults.setdefault(number, [])
            if code not in codes:
                codes.append(code)
    if 0 in faults:
        raise Refusal(_("表头里有空字节或者单独的回车符"), code="header_damaged")
    return Survey(
        path=counted.path,
        original=original,
        sha256=sha256,
        encoding=counted.encoding,
        delimiter=counted.delimiter.decode(),
        header=header.raw.decode(),
        record_count=counter.records - 1,
        line_count=counter.lines,
        blank_count=counter.blanks,
        leading_blanks=header.line - 1,
        longest_bytes=counter.longest_bytes,
        has_quoted_line_ends=counter.has_quoted_line_ends,
        index=index,
        faults=faults,
    )
