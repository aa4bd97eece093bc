"""What did not land, as a file: the columns as they were sent, then line and reasons."""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, override

from apps.core.contracts import Contract
from apps.warehouse.landing.encodings import words_of
from apps.warehouse.landing.header import known_headings, plain
from apps.warehouse.landing.layout import Layout, guarded
from apps.warehouse.models import Batch, Rejection

UTF8_MARK = "\ufeff"
_OWN: Final = (gettext_noop("行号"), gettext_noop("未通过原因"), gettext_noop("原文（不能分列的）"))


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
    own = [_(word) for word in _OWN]
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
        yield writer.writerow([guarded(cell) for cell in row] if for_office else row)


class Mending:
    """Reads a batch's rejected records as the contract in force has them, to be corrected.

    columns: those that a file of mended records must have; in mode `delete` the key's alone.
    """

    def __init__(self, batch: Batch, contract: Contract) -> None:
        self.contract = contract
        only_key = batch.mode == Batch.Mode.DELETE
        self.columns = [
            column for column in contract.columns if not only_key or column.name in contract.key
        ]
        header, self._delimiter = form_of(batch)
        known = known_headings(contract.columns)
        self._names = [known.get(plain(heading), "") for heading in header]

    def cells_sent(self, rejection: Rejection) -> dict[str, str]:
        """Return the record's cells by column as they were sent, as far as it has them."""
        sent = dict(zip(self._names, cells_of(rejection.raw, self._delimiter), strict=False))
        return {column.name: sent.get(column.name, "") for column in self.columns}

    def cells_now(self, rejection: Rejection) -> dict[str, str]:
        """Return the cells with what was typed since."""
        sent = self.cells_sent(rejection)
        mended = getattr(rejection, "mended", None)
        return sent if mended is None else {**sent, **_among(mended.cells, sent)}

    def is_whole(self, rejection: Rejection) -> bool:
        """Say whether the record has as many cells as the file has headings."""
        return len(cells_of(rejection.raw, self._delimiter)) == len(self._names)


def _among(cells: dict[str, str], names: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in cells.items() if name in names}


def returned_layout(contract: Contract, *, is_guarded: bool = True) -> Layout:
    """Return how such a file is laid out when it comes back mended: without its own columns."""
    known = known_headings(contract.columns)
    words = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            words += [_(word) for word in _OWN]
    own = {word: "" for word in words if plain(word) not in known}
    return Layout(columns=own, is_returned=is_guarded)


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
