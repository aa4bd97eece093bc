"""Delimited text whose table does not begin in its first line: titles above, totals below."""

import csv
from contextlib import ExitStack
from pathlib import Path

from apps.core.contracts import Contract
from apps.warehouse.landing.forms.sheet import Sheet, Table
from apps.warehouse.landing.layout import Layout
from apps.warehouse.landing.survey import Survey

FIELD_LIMIT = 32 << 20


def write_table(
    survey: Survey, target: Path, *, contract: Contract, layout: Layout, only_key: bool = False
) -> Table | None:
    """Write the table of a surveyed text anew; None when no line of it is a heading.

    Raises:
        Refusal: a column without a heading holds values.
    """
    csv.field_size_limit(FIELD_LIMIT)
    with ExitStack() as opened, survey.path.open(encoding="utf-8", newline="") as file:
        sheet = Sheet("", target, contract, layout, opened, only_key=only_key)
        reader = csv.reader(file, delimiter=survey.delimiter)
        try:
            while True:
                number = reader.line_num + 1
                cells = next(reader, None)
                if cells is None:
                    break
                sheet.feed((number, [cell.strip() for cell in cells]))
        except csv.Error:
            return None
        return next(iter(sheet.finish()), None)
