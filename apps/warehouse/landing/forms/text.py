"""Any form as delimited text, with what the form knows beside the cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.contracts import Contract
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.forms import columnar, packed, records, workbooks
from apps.warehouse.landing.forms.kinds import LABELS, WORKBOOKS, Kind, kind_of
from apps.warehouse.landing.layout import Layout


@dataclass(frozen=True, slots=True)
class Text:
    """path: delimited text, the file itself where it is text; form: what it was, for people.

    lines: for each record, the row of the sheet or the number of the object that it was; None
    where the text's own lines say it. notes: what was found and passed over, for the batch.
    """

    path: Path
    form: str
    lines: Sequence[int] | None = None
    notes: dict[str, Any] = field(default_factory=dict)


def text_of(
    path: Path,
    *,
    file_name: str,
    workplace: Path,
    contract: Contract,
    layout: Layout,
    only_key: bool = False,
) -> Text:
    """Return the table of the file as text.

    Raises:
        Refusal: the file holds no table, several, or one that cannot be read.
    """
    kind = kind_of(path, file_name)
    form = LABELS[kind]
    if kind in ("zip", "gz"):
        unpacked = workplace / "unpacked"
        file_name = packed.unpack(path, kind, file_name, unpacked)
        path, inner = unpacked, kind_of(unpacked, file_name)
        if inner in ("zip", "gz"):
            raise Refusal(_("压缩包里还是压缩包；解开一层后再提交"), code="archive_nested")
        kind, form = inner, f"{form} · {LABELS[inner]}"
    return _converted(path, kind, form, workplace, contract, layout, only_key=only_key)


def _converted(
    path: Path,
    kind: Kind,
    form: str,
    workplace: Path,
    contract: Contract,
    layout: Layout,
    *,
    only_key: bool,
) -> Text:
    target = workplace / "table.csv"
    if kind in WORKBOOKS:
        table = workbooks.write_table(
            path, target, contract=contract, layout=layout, only_key=only_key
        )
        return Text(table.path, form, table.lines, table.notes)
    if kind == "json":
        count = records.write_table(path, target)
        return Text(target, form, range(1, count + 1))
    if kind == "parquet":
        count = columnar.write_table(path, target)
        return Text(target, form, range(1, count + 1))
    return Text(path, form)
