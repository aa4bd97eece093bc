"""What a file may be asked for: fields and filters as of a page, and a format of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from psycopg import Connection

from apps.core import conditions
from apps.core.errors import InvalidInput
from apps.sharing.gateway import pages, statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import Query, one_of, read_query, single
from apps.sharing.gateway.shapes import Shape
from apps.sharing.models import Export
from apps.warehouse.models import DataTable

SHEET_ROWS: Final = 1_048_575  # of a workbook's sheet, below its heading
WORDS: Final = frozenset({"fields"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked question for a file."""

    query: Query
    format: str

    def to_json(self) -> dict[str, Any]:
        """Return the question as the file's row keeps it."""
        asked = self.query.to_json()
        return {"fields": asked["fields"], "where": asked["where"]}


def read_wanted(parameters: Mapping[str, list[str]], shape: Shape) -> Wanted:
    """Check the parameters of an address against what the grant shows.

    Raises:
        InvalidInput: names the parameter that is unknown, doubled or of the wrong shape.
    """
    others = {name: values for name, values in parameters.items() if name != "format"}
    written = single("format", parameters.get("format", [Export.Format.CSV.value]))
    form = one_of("format", written, Export.Format.values)
    return Wanted(read_query(others, shape, accept="text/csv", allowed=WORDS), form)


def kept_query(export: Export, shape: Shape) -> Query:
    """Return the question of a file's row; its terms, and so its columns, are still the same."""
    whole = read_query({}, shape, accept="text/csv", allowed=WORDS)
    wanted = set(export.query["fields"])
    return replace(
        whole,
        fields=tuple(each for each in shape.columns if each.name in wanted),
        conditions=conditions.parse(export.query["where"], whole.known),
    )


def require_fitting(call: Call, wanted: Wanted) -> None:
    """Refuse a workbook of more rows than its sheet holds, before any work begins.

    Raises:
        InvalidInput: `rows_too_many`.
        GrantRefused, Busy, TooSlow: as when a page is read.
    """
    if wanted.format != Export.Format.XLSX:
        return
    table = DataTable.objects.filter(dataset=call.dataset_id).first()
    if table is None or table.row_count <= SHEET_ROWS:
        return

    def count(connection: Connection[Any]) -> int:
        pages.begin_as(connection, call.role)
        text = statements.count_up_to(call.view, wanted.query, SHEET_ROWS + 1)
        found = connection.execute(text.encode()).fetchone()
        connection.execute(statements.COMMIT)
        return int(found[0]) if found else 0

    if pages.guarded(call, count) > SHEET_ROWS:
        raise too_many_rows()


def too_many_rows() -> InvalidInput:
    return InvalidInput(
        _("一个工作表至多 %(limit)s 条，这里放不下；改用 CSV 或 Parquet，或者加筛选条件")
        % {"limit": f"{SHEET_ROWS:,}"},
        code="rows_too_many",
        field="format",
    )
