"""What did not land, as a file: the columns as they were sent, then line and reasons."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from apps.core.contracts import Contract
from apps.warehouse.landing.encodings import words_of
from apps.warehouse.models import Batch, Rejection

UTF8_MARK = "\ufeff"
# A cell that office software would read as a formula; a number with its sign is none.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.])")


class _Echo:
    def write(self, value: str) -> str:
        return value


def rejected_lines(
    batch: Batch, rejections: QuerySet[Rejection], *, for_office: bool = False
) -> Iterator[str]:
    """Yield the lines of a CSV file: the file's own columns, the line, the reasons.

    A record that could not be split into columns stands whole in the last one. `for_office` marks
    the file as UTF-8 and keeps cells from being read as formulas; programs get them as they are.
    """
    writer = csv.writer(_Echo())
    header, delimiter = form_of(batch)
    own = [str(_("行号")), str(_("未通过原因")), str(_("原文（不能分列的）"))]
    yield (UTF8_MARK if for_office else "") + writer.writerow([*header, *own])
    for rejection in rejections.order_by("record_number").iterator(chunk_size=2_000):
        cells = cells_of(rejection.raw, delimiter)
        is_whole = len(cells) == len(header)
        reasons = "；".join(reason["message"] for reason in rejection.reasons)
        row = [
            *(cells if is_whole else [""] * len(header)),
            str(rejection.line),
            reasons,
            "" if is_whole else rejection.raw,
        ]
        yield writer.writerow([harmless(cell) for cell in row] if for_office else row)


def form_of(batch: Batch) -> tuple[list[str], str]:
    """Return the file's headings and delimiter; the contract's labels where they were not kept."""
    header: Any = batch.details.get("header")
    if header:
        return list(header), str(batch.details["delimiter"])
    if batch.version is None:
        return [], ","
    return [column.label for column in Contract.from_json(batch.version.contract).columns], ","


def encoding_reason(batch: Batch) -> str:
    """Return in words how the file's encoding was decided; "" where that was not written down."""
    found: Any = batch.details.get("encoding") or {}
    return words_of(found.get("why", ""), found.get("facts", {}))


def cells_of(raw: str, delimiter: str) -> list[str]:
    """Return the cells of a record's text."""
    try:
        return next(csv.reader(io.StringIO(raw, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


def harmless(text: str) -> str:
    """Keep office software from reading a cell as a formula."""
    return "'" + text if _FORMULA.match(text) else text
