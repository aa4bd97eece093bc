"""Decide a file's encoding strictly, with evidence, or refuse it at the byte that is wrong.

There is no fallback that accepts anything: text that is neither valid UTF-8 nor plausible
GB18030 (of which GBK is a part) nor UTF-16 is refused with offset and line.
"""

import codecs
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.refusal import Refusal

BLOCK_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 16
# Chinese text is mostly punctuation and the 3,755 commonest characters, which GB2312 keeps in rows
# of their own: of 10 place names 0.9 or more; read as GB18030, Big5 has 0.5 at most, Western and
# Japanese text none, Korean a tenth.
_COMMON_SHARE = 0.6
_COMMON_ROWS = (*range(0xA1, 0xA4), *range(0xB0, 0xD8))
# So many well-formed characters before the first bad byte prove that the text is meant as UTF-8.
_UTF8_PROOF_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class Encoding:
    """name: for Python's codecs; label: for people; bom_bytes: what to skip at the beginning.

    why: what decided it, a key of `WHY`, with the facts that its words need.
    """

    name: str
    label: str
    bom_bytes: int = 0
    why: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_utf8(self) -> bool:
        return self.name == "utf-8"

    def to_json(self) -> dict[str, object]:
        """Return what a batch keeps of it: in which words it stands, and why."""
        return {"label": self.label, "why": self.why, "facts": dict(self.facts)}


UTF8 = Encoding("utf-8", "UTF-8", why="proved")
WHY: Final[dict[str, str | Promise]] = {
    "mark": _("文件开头有这种编码的标记（BOM）"),
    "proved": _("没有标记；全文逐字节核对，都是有效的 UTF-8"),
    "zeros": _("没有标记；零字节的位置说明每个字符占两个字节"),
    "common": _(
        "没有标记；第 %(line)s 行起不是有效的 UTF-8，全文是有效的 GB18030，"
        "抽查的汉字有 %(share)s 是常用字"
    ),
    "said": _("由提交人指定，全文核对有效"),
    "form": _("不是文本文件，编码由文件格式规定"),
}
SAID: Final[dict[str, str]] = {
    "utf-8": "UTF-8",
    "gb18030": "GB18030（含 GBK）",
    "big5": "Big5（繁体中文）",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}
"""What a person may say that a file is written in, when what was decided is not so."""

_MARKED = (
    (codecs.BOM_UTF8, Encoding("utf-8", "UTF-8（带 BOM）", 3, "mark")),
    (codecs.BOM_UTF16_LE, Encoding("utf-16-le", "UTF-16 LE", 2, "mark")),
    (codecs.BOM_UTF16_BE, Encoding("utf-16-be", "UTF-16 BE", 2, "mark")),
)
_GB18030_MARK = b"\x84\x31\x95\x33"


def presumed_encoding(path: Path) -> Encoding:
    """Return what the first bytes say; UTF-8 when they say nothing, to be proved by reading."""
    with path.open("rb") as file:
        head = file.read(_SAMPLE_BYTES)
    for mark, encoding in _MARKED:
        if head.startswith(mark):
            return encoding
    if head.startswith(_GB18030_MARK):
        return Encoding("gb18030", "GB18030", 4, "mark")
    return _unmarked_utf16(head) or UTF8


def _unmarked_utf16(head: bytes) -> Encoding | None:
    """UTF-16 without a mark: delimiters and line ends are one NUL and one ASCII byte each."""
    pairs = len(head) // 2
    if pairs < 2:
        return None
    for offset, encoding in (
        (1, Encoding("utf-16-le", "UTF-16 LE", why="zeros")),
        (0, Encoding("utf-16-be", "UTF-16 BE", why="zeros")),
    ):
        zeros = head[offset : 2 * pairs : 2].count(0)
        others = head[1 - offset : 2 * pairs : 2].count(0)
        if zeros >= 0.2 * pairs and others == 0:
            return encoding
    return None


def is_valid_utf8(block: bytes) -> bool:
    """Say whether the block is valid UTF-8; Arrow does it several times faster than decoding."""
    ends = pa.py_buffer(struct.pack("<qq", 0, len(block)))
    array = pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(block)])
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def encoding_of_invalid_utf8(path: Path, *, start: int) -> Encoding:
    """Return the encoding of a file that proved not to be UTF-8.

    Raises:
        Refusal: `encoding_invalid`, with offset and line of the first byte that is wrong.
    """
    utf8 = _first_fault(path, "utf-8", start)
    if utf8 is not None and utf8.characters >= _UTF8_PROOF_CHARACTERS:
        raise _refused(utf8, "UTF-8")
    gb18030 = _first_fault(path, "gb18030", start)
    if gb18030 is not None:
        worst = gb18030 if gb18030.offset > (utf8.offset if utf8 else 0) else utf8 or gb18030
        raise _refused(worst, "UTF-8、GB18030")
    share = _common_share(path)
    if share < _COMMON_SHARE:
        raise _refused(utf8 or _Fault(0, 1, b"", 0), "UTF-8、GB18030")
    facts = {"line": f"{utf8.line if utf8 else 1:,}", "share": f"{share:.0%}"}
    return Encoding("gb18030", "GB18030（含 GBK）", why="common", facts=facts)


def said_encoding(path: Path, name: str) -> Encoding:
    """Return the encoding that a person named; its mark, where the file has one, is skipped."""
    with path.open("rb") as file:
        head = file.read(4)
    marks = [(mark, encoding.name) for mark, encoding in _MARKED] + [(_GB18030_MARK, "gb18030")]
    found = (len(mark) for mark, marked in marks if marked == name and head.startswith(mark))
    return Encoding(name, SAID[name], next(found, 0), "said")


def refusal_of(path: Path, encoding: Encoding) -> Refusal:
    """Return why a file is not in the encoding that a person named: at which byte."""
    fault = _first_fault(path, encoding.name, encoding.bom_bytes)
    return _refused(fault or _Fault(0, 1, b"", 0), encoding.label)


def words_of(why: str, facts: Mapping[str, str]) -> str:
    """Return in words what decided an encoding; "" where it was not written down."""
    return str(WHY[why]) % dict(facts) if why in WHY else ""


def decoded(path: Path, encoding: Encoding) -> Iterator[str]:
    """Yield the text in blocks.

    Raises:
        Refusal: `encoding_invalid`, with offset and line.
    """
    decoder = codecs.getincrementaldecoder(encoding.name)("strict")
    with path.open("rb") as file:
        file.seek(encoding.bom_bytes)
        try:
            while block := file.read(BLOCK_BYTES):
                yield decoder.decode(block)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            fault = _first_fault(path, encoding.name, encoding.bom_bytes)
            raise _refused(fault or _Fault(0, 1, b"", 0), encoding.label) from None


@dataclass(frozen=True, slots=True)
class _Fault:
    """offset: bytes from the beginning of the file; characters: non-ASCII ones before it."""

    offset: int
    line: int
    bad: bytes
    characters: int


def _first_fault(path: Path, name: str, start: int) -> _Fault | None:
    decoder = codecs.getincrementaldecoder(name)("strict")
    offset, line, characters = start, 1, 0
    with path.open("rb") as file:
        file.seek(start)
        while True:
            block = file.read(BLOCK_BYTES)
            held = _held(decoder)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode(name)
                return _Fault(
                    offset - len(held) + error.start,
                    line + good.count("\n"),
                    error.object[error.start : error.start + 1],
                    characters + _non_ascii(good),
                )
            if not block:
                return None
            offset += len(block)
            line += text.count("\n")
            characters += _non_ascii(text)


def _held(decoder: codecs.IncrementalDecoder) -> bytes:
    return decoder.getstate()[0]


def _non_ascii(text: str) -> int:
    return 0 if text.isascii() else len(text) - len(text.encode("ascii", "ignore"))


def _common_share(path: Path) -> float:
    """Return the share of common Chinese characters among the first non-ASCII ones."""
    with path.open("rb") as file:
        sample = _first_non_ascii(file)
    text = sample.decode("gb18030", "ignore")
    wide = list(islice((character for character in text if ord(character) > 127), _SAMPLE_BYTES))
    if not wide:
        return 0.0
    pairs = (character.encode("gb2312", "ignore") for character in wide)
    return sum(len(pair) == 2 and pair[0] in _COMMON_ROWS for pair in pairs) / len(wide)


def _first_non_ascii(file: BinaryIO) -> bytes:
    while block := file.read(BLOCK_BYTES):
        if not block.isascii():
            cut = block.rfind(b"\n")
            return block[: cut + 1] if cut >= 0 else block
    return b""


def _refused(fault: _Fault, tried: str) -> Refusal:
    return Refusal(
        _(
            "第 %(line)s 行（文件第 %(offset)s 字节）有不能识别的字节 %(bad)s，"
            "文件不是有效的 %(tried)s；另存为 UTF-8 后再提交"
        )
        % {
            "line": f"{fault.line:,}",
            "offset": f"{fault.offset + 1:,}",
            "bad": f"0x{fault.bad.hex().upper()}" if fault.bad else "",
            "tried": tried,
        },
        code="encoding_invalid",
        line=fault.line,
        offset=fault.offset,
    )
