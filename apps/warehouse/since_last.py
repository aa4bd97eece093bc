"""Which lines are new since the last batch, where the table holds what that one said."""

from datetime import date
from pathlib import Path
from typing import Any, Final

from apps.core.contracts import Contract
from apps.core.workbooks.refusal import Refusal
from apps.standards import checks
from apps.warehouse import added_rules
from apps.warehouse.arriving import Arrived, arrived, layout_of
from apps.warehouse.landing.difference import Difference, difference
from apps.warehouse.landing.layout import Layout
from apps.warehouse.landing.rules import Rule
from apps.warehouse.models import Batch, DataTable

Mode = Batch.Mode

FEWEST_RECORDS: Final = 20_000  # reading less is quicker than comparing it
_ALIKE: Final = 0.5  # files of which one has fewer than this share of the other's records are not


def is_judged_alike(
    last: Batch, batch: Batch, table: DataTable, added: list[Rule], *, on: date
) -> bool:
    """Say whether the last batch was applied under the contract and all else that judges this."""
    return last.version_id == table.version_id and last.details.get("judged_by") == judged_by(
        batch, added, on=on
    )


def judged_by(batch: Batch, added: list[Rule], *, on: date) -> dict[str, Any]:
    """Return what else the landing of a file depends on, beside the contract, as a batch notes it:
    the program's normalisers and checks on that day, rules beyond the contract's, the layout."""
    layout = layout_of(batch)
    return {
        "checks": checks.signature(on=on),
        "added_rules": added_rules.signature(added),
        "layout": {} if layout == Layout() else layout.to_json(),
    }


def difference_since(
    last: Batch, batch: Batch, table: DataTable, file: Arrived, contract: Contract, workplace: Path
) -> Difference | None:
    """Compare the batch's file with that of the last applied batch, which is judged alike.

    None where the last file does not tell what is in the table, or is gone, or is no text, or where
    comparing is not worth it.
    """
    if not _tells_the_table(last, batch, table) or not _is_worth_it(last, file):
        return None
    beside = workplace / "before"
    beside.mkdir(exist_ok=True)
    try:
        earlier = arrived(last, contract, beside)
    except Refusal:
        return None
    is_alike = earlier.columns == file.columns and earlier.survey.lines is None
    if not is_alike or earlier.survey.encoding.label[:20] != last.encoding:
        return None
    return difference(file.survey, earlier.survey, workplace=beside)


def _tells_the_table(last: Batch, batch: Batch, table: DataTable) -> bool:
    """Say whether every record of the last batch is a row, and for a snapshot the only rows."""
    if Mode.DELETE in (last.mode, batch.mode) or last.rejected or last.duplicate:
        return False
    return batch.mode != Mode.SNAPSHOT or table.row_count == last.declared


def _is_worth_it(last: Batch, file: Arrived) -> bool:
    counts = sorted((last.declared or 0, file.survey.record_count))
    is_text = file.survey.lines is None and last.form == file.form
    return is_text and counts[0] >= FEWEST_RECORDS and counts[0] >= _ALIKE * counts[1]
