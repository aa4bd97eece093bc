"""What a letter consists of, whatever it is written as."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A numbered heading: 一、 for level 1, （一） for level 2; the number stands in the text."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, indented by two characters unless it is an address or a note."""

    text: str
    is_indented: bool = True
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what stands for them, as a table without a head."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; its head is repeated on every page. widths: shares of the line, adding up to 1."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


Block = Heading | Paragraph | Facts | Grid


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole letter. signature: the lines at its end, the day last; foot: under every page.

    annex: what follows the signature on a page of its own.
    """

    title: str
    number: str
    blocks: Sequence[Block]
    signature: Sequence[str]
    foot: str
    annex: Sequence[Block] = ()
    author: str = ""
    keywords: Sequence[str] = ()
