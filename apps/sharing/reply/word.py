"""The letter as a Word document, in the habit of official documents (A4, 仿宋, page numbers).

Source: GB/T 9704-2012 (党政机关公文格式) for margins and type; house rule for the rest
"""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

from apps.sharing.reply.letter import Block, Facts, Grid, Heading, Letter, Paragraph

BODY: Final = "仿宋"
HEAD: Final = "黑体"
LINE: Final = 156  # millimetres between the margins
MARGINS: Final = {"top": 37, "bottom": 35, "left": 28, "right": 26}
UNPRINTABLE: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])
"""Control characters, which XML cannot hold."""


def as_word(letter: Letter, *, written_at: datetime) -> bytes:
    """Return the letter as a .docx file."""
    document: Any = Document()
    _set_up(document)
    _line(document, letter.title, size=22, font=HEAD, alignment=WD_ALIGN_PARAGRAPH.CENTER)
    _line(document, letter.number, size=14, alignment=WD_ALIGN_PARAGRAPH.CENTER)
    for block in letter.blocks:
        _write(document, block)
    for index, text in enumerate(letter.signature):
        line = _line(document, text, alignment=WD_ALIGN_PARAGRAPH.RIGHT)
        line.paragraph_format.keep_with_next = index < len(letter.signature) - 1
        if not index:
            line.paragraph_format.space_before = Pt(24)
    if letter.annex:
        document.add_page_break()
    for block in letter.annex:
        _write(document, block)
    _keep_rows_whole(document)
    _number_pages(document, letter.foot)
    properties = document.core_properties
    properties.author, properties.title = letter.author, letter.title
    properties.keywords, properties.comments = ", ".join(letter.keywords), ""
    properties.created = properties.modified = written_at.astimezone(UTC).replace(tzinfo=None)
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_up(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for side, millimetres in MARGINS.items():
        setattr(section, f"{side}_margin", Mm(millimetres))
    normal = document.styles["Normal"]
    normal.font.size = Pt(16)
    _set_font(normal, BODY)
    normal.paragraph_format.space_after = Pt(0)
    normal.paragraph_format.line_spacing = Pt(28)


def _set_font(target: Any, font: str) -> None:
    """Name the font for Latin and for East Asian characters, which Word keeps apart."""
    target.font.name = font
    properties = target.element.get_or_add_rPr()
    properties.rFonts.set(qn("w:eastAsia"), font)


def _write(document: Any, block: Block) -> None:
    match block:
        case Heading(text, level):
            line = _line(document, text, font=HEAD if level == 1 else "楷体")
            line.paragraph_format.keep_with_next = True
            line.paragraph_format.first_line_indent = Pt(32)
        case Paragraph(text, is_indented, is_small):
            line = _line(document, text, size=12 if is_small else 16)
            line.paragraph_format.first_line_indent = Pt(32) if is_indented else None
        case Facts(rows):
            _table(document, rows, (0.2, 0.8))
        case Grid(head, rows, widths):
            table = _table(document, [head, *rows], widths)
            _repeat_head(document, table)


def _line(
    document: Any, text: str, *, size: float = 16, font: str = BODY, alignment: Any = None
) -> Any:
    line = document.add_paragraph()
    line.alignment = alignment
    run = line.add_run(text.translate(UNPRINTABLE))
    run.font.size = Pt(size)
    _set_font(run, font)
    return line


def _table(document: Any, rows: Any, widths: Any) -> Any:
    table = document.add_table(rows=0, cols=len(widths))
    table.style = "Table Grid"
    table.autofit = False
    for values in rows:
        row = table.add_row()
        for cell, value, share in zip(row.cells, values, widths, strict=True):
            cell.width = Mm(LINE * share)
            line = cell.paragraphs[0]
            line.paragraph_format.line_spacing = Pt(18)
            run = line.add_run(str(value).translate(UNPRINTABLE))
            run.font.size = Pt(10.5)
            _set_font(run, BODY)
    document.add_paragraph().paragraph_format.line_spacing = Pt(10)
    return table


def _repeat_head(document: Any, table: Any) -> None:
    rows = list(document.element.body.iter(qn("w:tbl")))[-1].iter(qn("w:tr"))
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    next(rows).get_or_add_trPr().append(mark)
    for cell in table.rows[0].cells:
        for run in cell.paragraphs[0].runs:
            _set_font(run, HEAD)


def _keep_rows_whole(document: Any) -> None:
    """No row is torn over two pages."""
    for row in document.element.body.iter(qn("w:tr")):
        row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _number_pages(document: Any, foot: str) -> None:
    line = document.sections[0].footer.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    line.paragraph_format.line_spacing = Pt(14)
    for text, field in ((f"{foot}  — ", ""), ("", "PAGE"), (" —", "")):
        run = line.add_run(text)
        run.font.size = Pt(9)
        _set_font(run, BODY)
        if field:
            _add_field(run, field)


def _add_field(run: Any, name: str) -> None:
    for kind, text in (("begin", ""), ("", name), ("end", "")):
        if kind:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        else:
            element = OxmlElement("w:instrText")
            element.text = text
        run.element.append(element)
