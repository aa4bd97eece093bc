"""The approver looks at exactly the rows and masks that the consumer would get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import queries as catalog
from apps.core import access
from apps.core.contracts import Contract
from apps.core.errors import NotAllowed
from apps.ledger import operations as ledger
from apps.quality import queries as quality
from apps.sharing import queries, terms_sql
from apps.sharing.models import SharingRequest
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding.narrowing import narrowed_items
from apps.sharing.terms_sql import Terms
from apps.warehouse import queries as warehouse
from apps.warehouse.models import DataTable

MOST_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows under the terms, how many there are, and the (name, label, mask) of columns.

    table_exists is false while nothing has landed for the dataset. marks: for each row the items
    under correction.
    """

    columns: list[tuple[str, str, str]]
    rows: list[list[Any]]
    total: int
    table_exists: bool
    marks: Sequence[Sequence[str]] = ()

    @property
    def lines(self) -> list[list[tuple[Any, bool]]]:
        """The rows, each value with whether it is under correction."""
        names = [name for name, _label, _mask in self.columns]
        return [
            [(value, name in marked) for name, value in zip(names, row, strict=True)]
            for row, marked in zip_longest(self.rows, self.marks, fillvalue=())
        ]


@attempt("sharing.preview", "request")
def preview(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    limit: int = 20,
) -> Preview:
    """Show what the consumer would read under the terms proposed, asked, or given here.

    The SELECT comes from the builder that makes the grant's policy and view. The look is recorded
    as a read of data.

    Source: house rule (design §4)
    """
    access.require(actor, "preview", request, at=at)
    if actor.department_id == request.consumer_id:
        raise NotAllowed(_("不能办理本部门提出的申请的审核和答复"), code="own_request")
    base = queries.latest_decision(request) or queries.asked_terms(request)
    assert base is not None  # recorded when the request was received
    chosen = narrowed_items(base.items, items)
    contract = catalog.contract_of(request.dataset)
    condition = base.row_condition if row_condition is None else row_condition
    terms = Terms.of(contract, chosen, condition)
    columns = [(entry["name"], entry["label"], entry["mask"]) for entry in chosen]
    table = warehouse.table_of(request.dataset)
    if table is None:
        return Preview(columns, [], 0, table_exists=False)
    rows, total = _read(terms, table, min(limit, MOST_ROWS))
    _record(request, contract, terms, table, rows, actor=actor, at=at)
    values = [list(row[2:]) for row in rows]
    return Preview(columns, values, total, table_exists=True, marks=_marks(table, columns, rows))


def _marks(
    table: DataTable, columns: Sequence[tuple[str, str, str]], rows: Sequence[tuple[Any, ...]]
) -> list[list[str]]:
    """Return for each row which of the columns are under correction."""
    if not rows:
        return []
    found = quality.marks_between(table.dataset_id, rows[0][0], rows[-1][0])
    names = [name for name, _label, _mask in columns]
    return [quality.shown_marks(found.get(row[0], frozenset()), names) for row in rows]


def _read(terms: Terms, table: DataTable, limit: int) -> tuple[list[tuple[Any, ...]], int]:
    place = {"schema": table.schema, "table": table.name}
    with connection.cursor() as cursor:
        cursor.execute(terms_sql.preview(terms, **place, limit=limit))
        rows = cursor.fetchall()
        cursor.execute(terms_sql.count(terms, **place))
        (total,) = cursor.fetchone()
    return rows, int(total)


def _record(
    request: SharingRequest,
    contract: Contract,
    terms: Terms,
    table: DataTable,
    rows: list[tuple[Any, ...]],
    *,
    actor: User,
    at: datetime,
) -> None:
    ledger.record_access(
        opened_at=at,
        grant_id=None,
        grant_version=None,
        system_id=None,
        user_id=actor.pk,
        dataset_id=contract.dataset_id,
        table=str(table),
        kind="preview",
        query={
            "fields": [column.name for column in terms.columns],
            "condition": [condition.to_json() for condition in terms.conditions],
            "request": request.number,
        },
        horizon=table.batch_counter,
        rows=len(rows),
        bytes=sum(len(str(value)) for row in rows for value in row),
        first_id=rows[0][0] if rows else None,
        last_id=rows[-1][0] if rows else None,
        purpose=str(_("审批预览")),
        client_address=None,
    )
