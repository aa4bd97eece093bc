"""Which column of the file is which column of the contract."""

import csv
import unicodedata
from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Column, Contract
from apps.core.workbooks.refusal import Refusal


def match_header(
    header: str, *, delimiter: str, contract: Contract, only_key: bool = False
) -> list[str]:
    """Return, for each column of the file, the contract column that it carries.

    A heading is a column's name, its Chinese name, or one of its further headings; width and case
    do not matter. With `only_key` the key's columns suffice (mode delete).

    Raises:
        Refusal: `columns_missing`, `columns_unknown` or `columns_repeated`, naming them all.
    """
    headings = headings_of(header, delimiter)
    known = known_headings(contract.columns)
    found = [known.get(plain(heading)) for heading in headings]
    _refuse_unknown(headings, found)
    _refuse_repeated(headings, found, contract)
    _refuse_missing(found, contract, only_key=only_key)
    return [name for name in found if name is not None]


def headings_of(header: str, delimiter: str) -> list[str]:
    """Return the cells of a file's first record."""
    return next(csv.reader([header], delimiter=delimiter, skipinitialspace=True), [])


def plain(heading: str) -> str:
    """Return a heading without what distinguishes none: width, case, outer blanks, asterisks."""
    return unicodedata.normalize("NFKC", heading).strip(" \t\ufeff\u200b*").casefold()


def known_headings(columns: Sequence[Column]) -> dict[str, str]:
    """Return column names by every plain heading under which files may carry them."""
    known: dict[str, str] = {}
    for column in columns:
        for heading in column.headings:
            known.setdefault(plain(heading), column.name)
    for column in columns:
        known[plain(column.label)] = column.name
    for column in columns:
        known[plain(column.name)] = column.name
    return known


def _refuse_unknown(headings: Sequence[str], found: Sequence[str | None]) -> None:
    unknown = [
        heading.strip() or str(_("第 %(place)s 列（表头为空）") % {"place": place})
        for place, (heading, name) in enumerate(zip(headings, found, strict=True), 1)
        if name is None
    ]
    if unknown:
        raise Refusal(
            _("表头里有目录中没有的列：%(columns)s；改正表头，或者先变更目录")
            % {"columns": _listed(unknown)},
            code="columns_unknown",
            columns=unknown,
        )


def _refuse_repeated(
    headings: Sequence[str], found: Sequence[str | None], contract: Contract
) -> None:
    repeated = sorted({name for name in found if name and found.count(name) > 1})
    if repeated:
        labels = [contract.column(name).label for name in repeated]
        raise Refusal(
            _("表头里有重复的列：%(columns)s") % {"columns": _listed(labels)},
            code="columns_repeated",
            columns=repeated,
        )


def _refuse_missing(found: Sequence[str | None], contract: Contract, *, only_key: bool) -> None:
    wanted = contract.key if only_key else [column.name for column in contract.columns]
    missing = [name for name in wanted if name not in found]
    if missing:
        labels = [contract.column(name).label for name in missing]
        raise Refusal(
            _("文件缺少列：%(columns)s；补齐后再提交") % {"columns": _listed(labels)},
            code="columns_missing",
            columns=missing,
        )


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = "、".join(name if len(name) <= 60 else name[:60] + "…" for name in names[:most])
    if len(names) <= most:
        return shown
    return str(_("%(names)s 等 %(count)s 列") % {"names": shown, "count": len(names)})
