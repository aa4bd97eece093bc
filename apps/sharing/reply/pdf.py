"""The letter as PDF. Its font is named, not carried: readers of PDF bring 宋体 for Chinese.

Source: GB/T 9704-2012 (党政机关公文格式) for margins; house rule for the rest
"""

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import CondPageBreak, KeepTogether, PageBreak, SimpleDocTemplate, Spacer
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Frame

from apps.sharing.reply.letter import Block, Facts, Grid, Heading, Letter, Paragraph

FONT: Final = "STSong-Light"
LINE: Final = 156 * mm
BEYOND: Final = re.compile("[\U00010000-\U0010ffff]")
LINES_ON_A_PAGE: Final = 32
ROOM_BELOW: Final = 40 * mm  # what must be left of a page for a heading to begin on it

registerFont(UnicodeCIDFont(FONT))


def _style(size: float, leading: float, **more: Any) -> ParagraphStyle:
    # Chinese breaks between any two characters, but not before a closing mark.
    return ParagraphStyle(
        f"{size}-{sorted(more)}",
        fontName=FONT,
        fontSize=size,
        leading=leading,
        wordWrap="CJK",
        **more,
    )


TITLE: Final = _style(22, 32, alignment=TA_CENTER)
NUMBER: Final = _style(12, 24, alignment=TA_CENTER, spaceAfter=10)
HEADING: Final = _style(14, 26, spaceBefore=8)
BODY: Final = _style(14, 26, firstLineIndent=28)
ADDRESS: Final = _style(14, 26, spaceBefore=4)
SMALL: Final = _style(10.5, 16)
CELL: Final = _style(10.5, 15)
SIGNED: Final = _style(14, 26, alignment=TA_RIGHT)


def as_pdf(letter: Letter) -> bytes:
    """Return the letter as a PDF file; the same letter gives the same bytes."""
    stream = BytesIO()
    document = SimpleDocTemplate(
        stream,
        pagesize=A4,
        topMargin=37 * mm,
        bottomMargin=35 * mm,
        leftMargin=28 * mm,
        rightMargin=26 * mm,
        title=letter.title,
        author=letter.author,
        keywords=list(letter.keywords),
        invariant=1,
    )
    parts: list[Any] = [_text(letter.title, TITLE), _text(letter.number, NUMBER)]
    for block in letter.blocks:
        parts += _write(block)
    signature = [_text(line, SIGNED) for line in letter.signature]
    parts.append(KeepTogether([Spacer(1, 24), *signature]))
    if letter.annex:
        parts.append(PageBreak())
    for block in letter.annex:
        parts += _write(block)

    def foot(canvas: Any, _document: Any) -> None:
        canvas.setFont(FONT, 9)
        canvas.drawCentredString(A4[0] / 2, 22 * mm, f"{letter.foot}  — {canvas.getPageNumber()} —")

    document.build(parts, onFirstPage=foot, onLaterPages=foot)
    return stream.getvalue()


def _write(block: Block) -> list[Any]:
    match block:
        case Heading(text):
            return [CondPageBreak(ROOM_BELOW), _text(text, HEADING)]
        case Paragraph(text, is_indented, is_small):
            style = SMALL if is_small else BODY
            return [_text(text, style if is_indented else ADDRESS)]
        case Facts(rows):
            return [_table(rows, (0.2, 0.8)), Spacer(1, 8)]
        case Grid(head, rows, widths):
            return [_table([head, *rows], widths, has_head=True), Spacer(1, 8)]


def _table(
    rows: Sequence[Sequence[str]], widths: Sequence[float], *, has_head: bool = False
) -> Frame:
    look: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    if has_head:
        look.append(("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke))
    return Frame(
        [[_text(value, CELL) for value in row] for row in rows],
        colWidths=[LINE * share for share in widths],
        repeatRows=int(has_head),
        splitInRow=int(_is_tall(rows, widths)),
        style=look,
    )


def _is_tall(rows: Sequence[Sequence[str]], widths: Sequence[float]) -> bool:
    """Whether some row might not fit on a page, so that it has to be torn: a very long reason."""
    return any(
        sum(1 + len(part) * CELL.fontSize / (LINE * share) for part in str(value).split("\n"))
        > LINES_ON_A_PAGE
        for row in rows
        for value, share in zip(row, widths, strict=True)
    )


def _text(text: str, style: ParagraphStyle) -> Text:
    """Return running text; what people wrote is text, never markup.

    The font has no characters beyond the first plane: 〓 stands for them, as in print.
    """
    shown = BEYOND.sub("〓", str(text))
    return Text(escape(shown).replace("\n", "<br/>"), style)
