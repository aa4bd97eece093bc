"""Count the records of delimited text without trusting its reader, and find them again.

A record ends at a line feed outside quotes; an empty line is no record. Quotes count where a field
begins and are doubled inside, as the reader has it (RFC 4180, tolerating quotes inside an unquoted
field). Text passes in blocks; a mark is kept per block, so that any record is found again by
reading one block.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal

RECORD_LIMIT_BYTES = 32 << 20
_NOT_QUOTE_OR_END = bytes(value for value in range(256) if value not in b'"\n')


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands before a block: bytes, records and lines; whether it begins inside quotes."""

    offset: int
    records: int
    lines: int
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """number: 0 is the header; line: where it begins, from 1; raw: its bytes without line end."""

    number: int
    line: int
    raw: bytes


class RecordCounter:
    """Takes text in blocks of any size; `marks`, `records`, `lines`, `blanks` grow with it."""

    def __init__(self, delimiter: bytes) -> None:
        self.records = 0
        self.lines = 0
        self.blanks = 0
        self.longest_bytes = 0
        self.has_quoted_line_ends = False
        self.marks: list[Mark] = []
        self._opening = re.compile(b"(?:^|" + re.escape(delimiter) + b') *"')
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._offset = 0
        self._is_quoted = False
        self._opened_line = 0
        self._opened_offset = 0

    def feed(self, block: bytes) -> None:
        """Take the next bytes.

        Raises:
            Refusal: `record_too_long` or `quote_unterminated`, naming the line.
        """
        cut = block.rfind(b"\n") + 1
        if not cut:
            self._hold(block)
            return
        whole = b"".join([*self._held, block[:cut]]) if self._held else block[:cut]
        self._held, self._held_bytes = [], 0
        self._count(whole)
        if cut < len(block):
            self._hold(block[cut:])

    def finish(self) -> None:
        """Take the last line, which may lack its line end.

        Raises:
            Refusal: `quote_unterminated`, naming the line where the quote was opened.
        """
        if self._held:
            self._count(b"".join(self._held) + b"\n")
            self._held = []
        if self._is_quoted:
            raise self._unterminated()

    def _hold(self, rest: bytes) -> None:
        self._held.append(rest)
        self._held_bytes += len(rest)
        if self._held_bytes > RECORD_LIMIT_BYTES:
            if self._is_quoted:
                raise self._unterminated()
            raise Refusal(
                _("第 %(line)s 行超过 %(limit)s MB，不能读取；核对文件是否缺少换行")
                % {"line": f"{self.lines + 1:,}", "limit": RECORD_LIMIT_BYTES >> 20},
                code="record_too_long",
                line=self.lines + 1,
            )

    def _count(self, block: bytes) -> None:
        """Count a block that ends with a line end."""
        self.marks.append(Mark(self._offset, self.records, self.lines, self._is_quoted))
        self.longest_bytes = max(self.longest_bytes, len(block))
        if not self._is_quoted and b'"' not in block:
            self._count_unquoted(block)
        elif self._is_quoted or not is_plain(block):
            self._count_line_by_line(block)
        else:
            ends = block.count(b"\n")
            self.records += ends
            self.lines += ends
            self._offset += len(block)

    def _count_unquoted(self, block: bytes) -> None:
        """Count lines that hold no quote: every one that is not empty is a record."""
        ends = block.count(b"\n")
        filled = ends
        if b"\n\n" in block or block.startswith(b"\n"):
            filled = sum(map(bool, block.split(b"\n")))
        self.records += filled
        self.blanks += ends - filled
        self.lines += ends
        self._offset += len(block)

    def _count_line_by_line(self, block: bytes) -> None:
        for line in block.split(b"\n")[:-1]:
            was_quoted = self._is_quoted
            self._is_quoted = ends_quoted(line, self._opening, is_quoted=was_quoted)
            self.lines += 1
            if self._is_quoted and not was_quoted:
                self._opened_line, self._opened_offset = self.lines, self._offset
                self.has_quoted_line_ends = True
            self._offset += len(line) + 1
            if self._is_quoted:
                self._watch_length()
            elif line or was_quoted:
                self.records += 1
                if was_quoted:
                    length = self._offset - self._opened_offset
                    self.longest_bytes = max(self.longest_bytes, length)
            else:
                self.blanks += 1

    def _watch_length(self) -> None:
        if self._offset - self._opened_offset > RECORD_LIMIT_BYTES:
            raise self._unterminated()

    def _unterminated(self) -> Refusal:
        return Refusal(
            _("第 %(line)s 行有一个双引号没有配对，其后的内容无法分行；补上引号后再提交")
            % {"line": f"{self._opened_line:,}"},
            code="quote_unterminated",
            line=self._opened_line,
        )


def is_plain(block: bytes) -> bool:
    """Say whether every line of the block is one record: no empty line, quotes paired in each.

    Deleting all but quotes and line ends, then every pair of neighbouring quotes, leaves one quote
    in just those lines that have an odd number: far quicker than looking at each line.
    """
    if b"\n\n" in block or block.startswith(b"\n"):
        return False
    if b'"' not in block:
        return True
    return b'"' not in block.translate(None, _NOT_QUOTE_OR_END).replace(b'""', b"")


def ends_quoted(line: bytes, opening: re.Pattern[bytes], *, is_quoted: bool) -> bool:
    """Say whether quotes are open at the end of a line, given whether they were at its start."""
    quotes = line.count(b'"')
    if not quotes or (not is_quoted and quotes % 2 == 0):
        return is_quoted
    place = 0
    while True:
        if not is_quoted:
            opened = opening.search(line, place)
            if opened is None:
                return False
            is_quoted, place = True, opened.end()
        closing = line.find(b'"', place)
        if closing < 0:
            return True
        if line[closing + 1 : closing + 2] == b'"':
            place = closing + 2
        else:
            is_quoted, place = False, closing + 1


class RecordIndex:
    """Finds records of a counted file again: by number, or by a byte that lies in them."""

    def __init__(self, path: Path, marks: Sequence[Mark], delimiter: bytes) -> None:
        self._path = path
        self._marks = marks
        self._offsets = [mark.offset for mark in marks]
        self._counts = [mark.records for mark in marks]
        self._opening = re.compile(b"(?:^|" + re.escape(delimiter) + b') *"')

    def numbers_at(self, offsets: Sequence[int]) -> list[int]:
        """Return the number of the record in which each byte offset lies; offsets ascend."""
        numbers: list[int] = []
        waiting = list(reversed(offsets))
        for place in sorted({bisect_right(self._offsets, offset) - 1 for offset in offsets}):
            mark, block = self._marks[place], self._block(place)
            end = mark.offset + len(block)
            record, start, is_quoted = mark.records, mark.offset, mark.is_quoted
            for line in block.split(b"\n"):
                start += len(line) + 1
                while waiting and waiting[-1] < min(start, end):
                    numbers.append(record)
                    waiting.pop()
                was_quoted = is_quoted
                is_quoted = ends_quoted(line, self._opening, is_quoted=is_quoted)
                if not is_quoted and (line or was_quoted):
                    record += 1
        return numbers

    def find(self, numbers: Sequence[int]) -> Iterator[FoundRecord]:
        """Yield the records of these ascending numbers; a number out of range yields nothing."""
        place, position = -1, 0
        while position < len(numbers):
            place = max(place + 1, bisect_right(self._counts, numbers[position]) - 1)
            if place >= len(self._marks):
                return
            while place and self._marks[place].is_quoted:
                place -= 1
            through = place
            block = self._block(place)
            while through + 1 < len(self._marks) and self._marks[through + 1].is_quoted:
                through += 1
                block += self._block(through)
            for record in _records(block, self._marks[place], self._opening):
                if position < len(numbers) and record.number == numbers[position]:
                    position += 1
                    yield record
            place = through

    def _block(self, place: int) -> bytes:
        start = self._offsets[place]
        with self._path.open("rb") as file:
            file.seek(start)
            if place + 1 < len(self._offsets):
                return file.read(self._offsets[place + 1] - start)
            return file.read()


def _records(block: bytes, mark: Mark, opening: re.Pattern[bytes]) -> Iterator[FoundRecord]:
    """Yield the records of text that begins outside quotes."""
    number, line_number, is_quoted = mark.records, mark.lines, False
    parts: list[bytes] = []
    started = 0
    lines = block.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    for line in lines:
        line_number += 1
        if not parts:
            started = line_number
        is_quoted = ends_quoted(line, opening, is_quoted=is_quoted)
        if is_quoted or parts:
            parts.append(line)
        if is_quoted:
            continue
        if parts or line:
            yield FoundRecord(number, started, b"\n".join(parts) if parts else line)
            number += 1
        parts = []
