"""Rejected records as a screen shows them: what identifies a person covered until asked for."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.catalog.covering import cover_rows, screen_masks
from apps.standards.queries import HIDDEN
from apps.warehouse import queries
from apps.warehouse.landing.header import known_headings, plain
from apps.warehouse.models import Batch, Rejection
from apps.warehouse.rejected_file import cells_of, form_of

Pair = tuple[str, str]
NOT_SPLIT: Final = _("不能分列，原文不显示")


@dataclass(frozen=True)
class ShownRejection:
    """One record that did not land: where it stands in the file, why, and its text."""

    number: int
    line: int
    reasons: list[str]
    raw: str
    is_covered: bool


def shown_rejections(
    batch: Batch, rejections: Sequence[Rejection], *, in_clear: bool = False
) -> list[ShownRejection]:
    """Return the records for a page, in a constant number of statements.

    A record that cannot be split into its columns is not shown at all where the dataset has items
    to cover; nor are cells of a heading that the contract does not know.
    """
    masks = screen_masks([batch.dataset_id]).get(batch.dataset_id, {})
    if in_clear or not masks:
        return [_as_it_is(rejection) for rejection in rejections]
    header, delimiter = form_of(batch)
    contract = queries.contract_of(batch.dataset)
    known = known_headings(contract.columns) if contract else {}
    names = [known.get(plain(heading), "") for heading in header]
    split = [cells_of(rejection.raw, delimiter) for rejection in rejections]
    wholes = cover_rows(
        (batch.dataset_id, dict(zip(names, cells, strict=False))) for cells in split
    )
    values = cover_rows(
        (batch.dataset_id, {reason["column"]: reason["value"]})
        for rejection in rejections
        for reason in rejection.reasons
    )
    shown = []
    told = iter(values)
    for rejection, cells, whole in zip(rejections, split, wholes, strict=True):
        reasons = [
            _covered_reason(reason["message"], reason["value"], next(told)[reason["column"]])
            for reason in rejection.reasons
        ]
        is_whole = len(cells) == len(names)
        raw = _covered_text(whole, names, delimiter) if is_whole else str(NOT_SPLIT)
        shown.append(
            ShownRejection(rejection.record_number, rejection.line, reasons, raw, is_covered=True)
        )
    return shown


def cover_pairs(batch: Batch, columns: Sequence[tuple[str, list[Pair]]]) -> list[list[Pair]]:
    """Return for each column its pairs of a value as sent and as kept, covered."""
    covered = iter(
        cover_rows(
            (batch.dataset_id, {column: part})
            for column, pairs in columns
            for pair in pairs
            for part in pair
        )
    )
    return [
        [(next(covered)[column], next(covered)[column]) for _pair in pairs]
        for column, pairs in columns
    ]


def _as_it_is(rejection: Rejection) -> ShownRejection:
    return ShownRejection(
        rejection.record_number,
        rejection.line,
        [reason["message"] for reason in rejection.reasons],
        rejection.raw,
        is_covered=False,
    )


def _covered_reason(message: str, value: str, covered: str) -> str:
    """Return the sentence with its value covered; it follows a blank, and “，” or nothing it."""
    if not value or value == covered:
        return message
    if message.endswith(f" {value}"):
        return message.removesuffix(value) + covered
    before, mark, after = message.partition(f" {value}，")
    return f"{before} {covered}，{after}" if mark else message.replace(value, covered)


def _covered_text(values: Mapping[str, str], names: Sequence[str], delimiter: str) -> str:
    line = io.StringIO()
    cells = [values[name] if name else HIDDEN for name in names]
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()
