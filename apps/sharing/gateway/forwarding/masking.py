"""The provider's rows through the grant, in PostgreSQL: the same items, masks and row condition.

The rows are handed over as one value and never stored. They are read as the system's role, after it
proved that it may read the grant's view: what the database would refuse it refuses here.

Source: house rule (design §4)
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from psycopg import Connection, sql

from apps.catalog import queries as catalog
from apps.core import conditions
from apps.core.contracts import Contract
from apps.core.errors import Conflict
from apps.sharing import naming, terms_sql
from apps.sharing.gateway import statements
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import Query
from apps.sharing.gateway.forwarding.reading import Row
from apps.sharing.gateway.forwarding.refusals import ConditionNotAnswered
from apps.sharing.leaving import named_columns
from apps.sharing.models import Grant, Interface
from apps.sharing.provisioning import served
from apps.sharing.terms_sql import Terms

_PLACE = "_place"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is left of the provider's rows. rows: values in the order of the query's fields.

    dropped: rows gone through that the grant's condition does not allow; cut_after: the place of
    the last one shown among those given, where there are more than the query's limit.
    """

    rows: list[tuple[Any, ...]]
    dropped: int
    cut_after: int | None


def terms_of(call: Call) -> tuple[Terms, Contract]:
    """Return the terms of the call's grant and the contract that they were checked against."""
    terms, contract, refusal = _terms(call.grant_id, call.grant_version, call.contract_id)
    if terms is None:
        raise ConditionNotAnswered(refusal)
    return terms, contract


def require_answerable(interface: Interface, terms: Terms, contract: Contract) -> None:
    """Refuse where the grant's condition is on an item that the service does not give.

    Raises:
        ConditionNotAnswered: names the item.
    """
    for condition in terms.conditions:
        if condition.item not in interface.items:
            label = contract.column(condition.item).label
            message = ConditionNotAnswered.default_message % {"item": label}
            raise ConditionNotAnswered(message, item=condition.item)


def shown(connection: Connection[Any], call: Call, query: Query, rows: list[Row]) -> Shown:
    """Return what the grant shows of the rows, as many as the limit.

    Call within a transaction of the system's role.
    """
    terms, contract = terms_of(call)
    view = sql.Identifier(naming.SHARE_SCHEMA, call.view)
    connection.execute(sql.SQL("SELECT FROM {} LIMIT 0").format(view))
    given = orjson.dumps([{_PLACE: place, **row} for place, row in enumerate(rows)]).decode()
    source = _given(contract)
    where, values = conditions.as_parameters(query.conditions, query.known)
    fields = ", ".join(statements.written(each) for each in query.fields) or "NULL"
    found = connection.execute(
        f"{_masking(source, terms)} SELECT {_PLACE}, {fields} FROM shown "  # noqa: S608 (psycopg.sql's)
        f"WHERE {where.as_string()} ORDER BY {_PLACE} LIMIT %s",
        [given, *values, query.limit + 1],
    ).fetchall()
    kept = found[: query.limit]
    cut_after = kept[-1][0] if len(found) > len(kept) else None
    last = len(rows) if cut_after is None else cut_after
    counted = connection.execute(_counting(source, terms), [given, last]).fetchone()
    assert counted is not None
    return Shown([row[1:] for row in kept], int(counted[0]), cut_after)


def _counting(source: str, terms: Terms) -> str:
    within = terms_sql.rows(terms).as_string().replace("%", "%%")
    return (
        f"WITH given AS ({source}) SELECT count(*) FROM given "  # noqa: S608 (psycopg.sql's)
        f"WHERE ({within}) IS NOT TRUE AND {_PLACE} <= %s"
    )


def _masking(source: str, terms: Terms) -> str:
    masked = terms_sql.over(terms, sql.Identifier("given"), (_PLACE,)).as_string()
    return f"WITH given AS ({source}), shown AS ({masked.replace('%', '%%')})"


def _given(contract: Contract) -> str:
    """Return the SELECT of the rows that are bound, with the contract's columns and types."""
    typed = [
        sql.SQL("{} {}").format(sql.Identifier(each.name), sql.SQL(conditions.CASTS[each.type]))
        for each in contract.columns
    ]
    columns = sql.SQL(", ").join([sql.SQL("_place bigint"), *typed]).as_string()
    return f"SELECT * FROM jsonb_to_recordset(%s::jsonb) AS r ({columns})"  # noqa: S608


@lru_cache(maxsize=1024)
def _terms(grant_id: int, _version: int, _contract_id: int) -> tuple[Terms | None, Contract, str]:
    # Versions of grants and contracts never change, so what was drawn from them stays true.
    grant = Grant.objects.select_related("dataset").get(pk=grant_id)
    names = named_columns(grant.columns, grant.row_condition)
    contract = catalog.contract_with(grant.dataset, names)
    try:
        return served.terms_of(grant), contract, ""
    except Conflict as refusal:  # rows chosen by the absence of what the entry dropped
        return None, contract, str(refusal)
