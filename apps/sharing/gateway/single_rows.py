"""One record through a grant, for a person or a system that doubts it; who else reads it.

The record is read as the grant's own system reads it, through its view, and recorded as every page
is; one for a system takes of its grant's quota. `quality` asks, without knowing of grants.

Source: 《政务数据共享条例》第二十六条; house rule (design §4)
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset, DatasetVersion
from apps.core import conditions
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput
from apps.quality.readership import ReadRow
from apps.sharing.gateway import allowances, from_within, pages
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.shapes import KEY, Shape, shape_of
from apps.sharing.models import Grant, Mode
from apps.warehouse.models import DataTable

LARGEST_ID = (1 << 63) - 1
ROW_ID = Column(name=KEY, label=KEY, type="I")


class GrantReader:
    """Answers `quality` from the grants that are in force."""

    def datasets_read_by(self, actor: User, at: datetime) -> Sequence[int]:
        grants = _grants_of(actor, at)
        return list(grants.order_by().values_list("dataset", flat=True).distinct())

    def read_row(
        self,
        *,
        actor: User,
        dataset: Dataset,
        at: datetime,
        row_id: int | None = None,
        key: Mapping[str, str] | None = None,
    ) -> ReadRow | None:
        """Read the record under the first grant that shows it.

        Raises:
            InvalidInput: `key_not_readable`, no grant shows all of the key; a value's form.
        """
        refusal: InvalidInput | None = None
        for call, contract in _calls(actor, dataset, at):
            shape = shape_of(call)
            try:
                query = _query(call, shape, contract, row_id, key)
            except InvalidInput as error:
                refusal = error
                continue
            found = _read(call, shape, query)
            if found is not None:
                return found
        if refusal is not None:
            raise refusal
        return None

    def departments_reading(
        self, *, dataset: Dataset, item: str, row_id: int | None, at: datetime
    ) -> Sequence[int]:
        in_force = _in_force(at).filter(dataset=dataset)
        table = DataTable.objects.filter(dataset=dataset).first()
        contract = _contract_of(dataset)
        if table is None or contract is None:
            return []
        covered: dict[str, bool] = {}

        def covers(grant: Grant, row_id: int) -> bool:
            """Ask once for all grants that choose their rows alike; there may be thousands."""
            rows = json.dumps(grant.row_condition, sort_keys=True)
            if rows not in covered:
                covered[rows] = _covers(grant, contract, table, row_id)
            return covered[rows]

        return sorted(
            {
                grant.consumer_id
                for grant in in_force
                if not item or item in {column["name"] for column in grant.columns}
                if row_id is None or covers(grant, row_id)
            }
        )


def _in_force(at: datetime) -> QuerySet[Grant]:
    return Grant.objects.filter(status=Grant.Status.IN_FORCE, starts_at__lte=at, expires_at__gt=at)


def _grants_of(actor: User, at: datetime) -> QuerySet[Grant]:
    """A system's own; a person's department's, of systems that are in service.

    Where a system calls from is not known here, so that no grant is for it that asks for that.
    """
    grants = _in_force(at).filter(system__in=InformationSystem.objects.in_service())
    if actor.kind == User.Kind.SERVICE:
        return grants.filter(system__service_user=actor.pk, allowed_addresses=[])
    return grants.filter(consumer=actor.department_id)


def _calls(actor: User, dataset: Dataset, at: datetime) -> Iterator[tuple[Call, Contract]]:
    """Yield a call for each grant under which the actor may look at the dataset."""
    contract = _contract_of(dataset)
    if contract is None or not DataTable.objects.filter(dataset=dataset).exists():
        return
    readable = _grants_of(actor, at).exclude(mode=Mode.VERIFY)  # whoever only asks sees no record
    for grant in readable.filter(dataset=dataset).order_by("pk"):
        call = from_within.call_of(grant, at=at, user=actor, during_stops=True)
        purpose = str(_("校核：%(purpose)s") % {"purpose": grant.purpose})[:300]
        quota = call.quota if actor.kind == User.Kind.SERVICE else None
        yield replace(call, purpose=purpose, quota=quota), contract


def _query(
    call: Call,
    shape: Shape,
    contract: Contract,
    row_id: int | None,
    key: Mapping[str, str] | None,
) -> Query:
    if row_id is not None:
        if not 0 < row_id <= LARGEST_ID:
            raise InvalidInput(_("_id 是正整数"), code="invalid_value", field="row_id")
        found = [conditions.parse_one(ROW_ID, "eq", str(row_id))]
    else:
        found = list(_key_conditions(shape, contract, key or {}))
    return Query(
        fields=shape.columns,
        known=(ROW_ID, *(readable.column for readable in shape.columns)),
        conditions=tuple(found),
        limit=1,
        cursor="",
        shape="objects",
        format="json",
    )


def _key_conditions(
    shape: Shape, contract: Contract, key: Mapping[str, str]
) -> Iterator[conditions.Condition]:
    unknown = sorted(set(key) - set(contract.key))
    if unknown or not set(contract.key) <= set(key):
        raise InvalidInput(
            _("主键须写全：%(names)s") % {"names": "、".join(contract.key)},
            code="key_incomplete",
            field="key",
        )
    for name in contract.key:
        readable = shape.find(name)
        if readable is None or not readable.is_filterable:
            raise InvalidInput(
                _("授权不含主键数据项“%(name)s”的原值，改用 _id 指明记录")
                % {"name": contract.column(name).label},
                code="key_not_readable",
                field="key",
                item=name,
            )
        yield conditions.parse_one(readable.column, "eq", str(key[name]))


def _read(call: Call, shape: Shape, query: Query) -> ReadRow | None:
    with allowances.counted(call, rows=query.limit, in_full=True) as (counted, _rows):
        page = pages.read_page(counted, query)
    rows: list[dict[str, Any]] = orjson.loads(page.body)["data"]
    if not rows:
        return None
    return ReadRow(
        row_id=rows[0][KEY],
        values={name: rows[0][name] for name in shape.names},
        masked=frozenset(readable.name for readable in shape.columns if readable.is_masked),
        grant_number=call.grant_id,
    )


def _contract_of(dataset: Dataset) -> Contract | None:
    version = DatasetVersion.objects.filter(dataset=dataset).order_by("-number").first()
    return None if version is None else Contract.from_json(version.contract)


def _covers(grant: Grant, contract: Contract, table: DataTable, row_id: int) -> bool:
    """Say whether the record is, or once was, within the rows of the grant."""
    try:
        parsed = conditions.parse(grant.row_condition, contract.columns)
    except InvalidInput:  # an item of the condition was withdrawn since
        return True
    within = conditions.as_literal(parsed, contract.columns)
    statement = sql.SQL(
        "SELECT EXISTS (SELECT FROM {now} WHERE _id = %(row)s AND {within})"
        " OR EXISTS (SELECT FROM {past} WHERE _id = %(row)s AND {within})"
    ).format(
        now=sql.Identifier(table.schema, table.name),
        past=sql.Identifier(table.schema, table.past_name),
        within=sql.SQL(within.as_string().replace("%", "%%")),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"row": row_id})
        (covered,) = cursor.fetchone()
    return bool(covered)
