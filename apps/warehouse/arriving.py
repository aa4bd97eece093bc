"""From the file that was kept to a surveyed text whose columns are known."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from apps.core import files
from apps.core.contracts import Contract
from apps.core.workbooks.refusal import Refusal
from apps.warehouse.landing.encodings import Encoding
from apps.warehouse.landing.forms import Text, text_of, titled
from apps.warehouse.landing.header import match_header
from apps.warehouse.landing.layout import Layout
from apps.warehouse.landing.survey import Survey, survey
from apps.warehouse.models import Batch, FileLayout

MISMATCHES = ("columns_missing", "columns_unknown")


@dataclass(frozen=True, slots=True)
class Arrived:
    """The text, the contract's column under each of its headings, and what the file was like.

    notes: sheet, heading and what was passed over; `form` is what the file was.
    """

    survey: Survey
    columns: list[str]
    form: str
    notes: dict[str, Any] = field(default_factory=dict)


def arrived(batch: Batch, contract: Contract, workplace: Path) -> Arrived:
    """Read the batch's file as the table that the contract describes.

    Raises:
        Refusal: the file as a whole cannot land.
    """
    path = files.path_of(batch.file.sha256)
    if not path.is_file():
        raise Refusal(_("原始文件已按保存期限清理，重新提交即可"), code="file_discarded")
    read = read_as_table(
        path,
        file_name=batch.file_name,
        contract=contract,
        layout=layout_of(batch),
        workplace=workplace,
        only_key=batch.mode == Batch.Mode.DELETE,
        sha256=batch.file.sha256,
    )
    _require_declared(batch, read.survey)
    return read


def read_as_table(
    path: Path,
    *,
    file_name: str,
    contract: Contract,
    layout: Layout,
    workplace: Path,
    only_key: bool = False,
    sha256: str = "",
) -> Arrived:
    """Read any file as the table of a contract; `sha256` is what it must be, where it is known.

    Raises:
        Refusal: the file as a whole is no such table.
    """
    text = text_of(
        path,
        file_name=file_name,
        workplace=workplace,
        contract=contract,
        layout=layout,
        only_key=only_key,
    )
    is_text = text.lines is None
    found = survey(
        text.path,
        workplace=workplace,
        original=path,
        lines=text.lines,
        said=layout.encoding if is_text else "",
    )
    if not is_text:
        found = replace(found, encoding=Encoding("", "—", why="form"))
    if sha256 and found.sha256 != sha256:
        raise Refusal(_("存放的文件与收到时不一致，重新提交即可"), code="file_damaged")
    try:
        return matched(found, text, contract, workplace, layout, only_key=only_key)
    except Refusal as refusal:
        # The clerk sees in which encoding the headings were read that did not do.
        refusal.details["encoding"] = found.encoding.to_json()
        raise


def layout_of(batch: Batch) -> Layout:
    """Return the layout that was given with the file, or else the one remembered for its source.

    An encoding alone, named when the file was handed in, goes with what is remembered.
    """
    given = Layout.from_json(batch.layout)
    if given != Layout(encoding=given.encoding):
        return given
    remembered = FileLayout.objects.filter(dataset=batch.dataset_id, source=batch.source_id).first()
    found = Layout.from_json(remembered.layout) if remembered else Layout()
    return replace(found, encoding=given.encoding or found.encoding)


def matched(
    found: Survey,
    text: Text,
    contract: Contract,
    workplace: Path,
    layout: Layout,
    *,
    only_key: bool,
) -> Arrived:
    """Match the headings; text that does not begin with them is looked through for its table."""
    mismatch: Refusal | None = None
    try:
        columns = match_header(
            found.header, delimiter=found.delimiter, contract=contract, only_key=only_key
        )
        if text.lines is not None or not layout.is_returned:
            return Arrived(found, columns, text.form, text.notes)
    except Refusal as refusal:
        if refusal.code not in MISMATCHES or text.lines is not None:
            raise
        mismatch = refusal
    target = workplace / "titled.csv"
    table = titled.write_table(found, target, contract=contract, layout=layout, only_key=only_key)
    if table is None or (table.heading.row == found.leading_blanks + 1 and not layout.columns):
        raise mismatch or Refusal(_("文件不能分成各列，核对引号后再提交"), code="text_damaged")
    again = survey(target, workplace=workplace, original=found.original, lines=table.lines)
    columns = match_header(
        again.header, delimiter=again.delimiter, contract=contract, only_key=only_key
    )
    return Arrived(replace(again, encoding=found.encoding), columns, text.form, table.notes)


def _require_declared(batch: Batch, found: Survey) -> None:
    if not found.record_count:
        raise Refusal(_("文件只有表头，没有数据"), code="file_without_records")
    declared = batch.declared_by_source
    if declared is not None and declared != found.record_count:
        raise Refusal(
            _("申报 %(declared)s 条，文件里有 %(found)s 条；核对后再提交")
            % {"declared": f"{declared:,}", "found": f"{found.record_count:,}"},
            code="declared_mismatch",
            declared=declared,
            found=found.record_count,
        )
