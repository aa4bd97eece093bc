"""The invented rows under a grant's terms, or a request's, and how they are read."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from psycopg import sql

from apps.core import conditions
from apps.core.contracts import Contract
from apps.sharing import naming, provisioning, terms_sql
from apps.sharing.gateway.contracts import contract_of_version
from apps.sharing.gateway.trial import invented
from apps.sharing.models import Grant, RequestedItem, SharingRequest, TrialSample
from apps.sharing.terms_sql import GrantedColumn, Terms
from apps.standards import types

LIVE: Final = (Grant.Status.IN_FORCE, Grant.Status.SUSPENDED, Grant.Status.DELIVERING)
ASKED: Final = (
    *("form_check", "supplement", "reviewing", "awaiting_second_review", "awaiting_signature"),
    "agreed",
)
HORIZON: Final = 1
_MADE_BY: Final = 3  # raise it when other rows are to be invented from the same contract

Granted = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """Under which terms invented rows are read: granted columns with masks, and the relations.

    grant_id and version are 0 where the terms are those of a request that nobody decided yet.
    """

    grant_id: int
    version: int
    mode: str
    columns: Granted
    relation: str
    past_relation: str


@dataclass(frozen=True, slots=True)
class _Terms:
    grant_id: int
    version: int
    mode: str
    columns: Granted
    row_condition: Sequence[dict[str, Any]]


def trial_of(system_id: int, dataset_id: int, contract_id: int, *, at: datetime) -> Trial | None:
    """Return how the system tries the dataset: by its grant, else by what it asked for; or None."""
    terms = _of_grant(system_id, dataset_id) or _of_request(system_id, dataset_id)
    if terms is None:
        return None
    contract = contract_of_version(contract_id)
    known = {column.name for column in contract.columns}
    columns = tuple(pair for pair in terms.columns if pair[0] in known)
    condition = [entry for entry in terms.row_condition if entry.get("item") in known]
    sample = _sample(contract, condition, at=at)
    relation = _relation(sample, contract, columns)
    return Trial(
        terms.grant_id,
        terms.version,
        terms.mode,
        columns,
        relation,
        f"(SELECT *, 0::bigint AS _until_batch FROM {relation} AS once WHERE FALSE)",  # noqa: S608
    )


def _of_grant(system_id: int, dataset_id: int) -> _Terms | None:
    grants = Grant.objects.filter(system=system_id, dataset=dataset_id, status__in=LIVE)
    grant = grants.order_by("-pk").first()
    if grant is None:
        return None
    columns = tuple((str(c["name"]), str(c.get("mask") or "")) for c in grant.columns)
    return _Terms(grant.pk, grant.version, grant.mode, columns, grant.row_condition)


def _of_request(system_id: int, dataset_id: int) -> _Terms | None:
    """What its provider has received and not refused."""
    asked = SharingRequest.objects.filter(system=system_id, dataset=dataset_id, status__in=ASKED)
    request = asked.order_by("-pk").first()
    if request is None:
        return None
    items = RequestedItem.objects.filter(request=request).select_related("item")
    columns = tuple((each.item.column_name, each.mask) for each in items)
    return _Terms(0, 0, request.mode, columns, request.row_condition)


def _sample(contract: Contract, row_condition: Sequence[dict[str, Any]], *, at: datetime) -> int:
    """Return the number of the invented rows, which are drawn once for all trials alike."""
    written = json.dumps([_MADE_BY, contract.to_json(), list(row_condition)], sort_keys=True)
    digest = hashlib.sha256(written.encode()).hexdigest()
    found = TrialSample.objects.filter(digest=digest).values_list("pk", flat=True).first()
    if found is not None:
        return int(found)
    provisioning.persistently(provisioning.ensure_foundation)
    parsed = conditions.parse(row_condition, contract.columns)
    rows = [invented.as_json(row) for row in invented.rows_of(contract, parsed)]
    sample, _made = TrialSample.objects.get_or_create(
        digest=digest, defaults={"rows": rows, "made_at": at}
    )
    return int(sample.pk)


@lru_cache(maxsize=1024)
def _relation(sample: int, contract: Contract, columns: Granted) -> str:
    """Return the SELECT that stands for the grant's view: the same columns, types and masks."""
    typed = [
        sql.SQL("{} {}").format(sql.Identifier(each.name), sql.SQL(types.postgres_type(each)))
        for each in contract.columns
    ]
    rows = sql.SQL(
        "(SELECT each.place AS _id, {horizon}::bigint AS _batch, invented.* FROM {table} AS kept,"
        " jsonb_array_elements(kept.rows) WITH ORDINALITY AS each (value, place),"
        " jsonb_to_record(each.value) AS invented ({typed}) WHERE kept.id = {sample}) AS invented"
    ).format(
        horizon=sql.Literal(HORIZON),
        table=sql.Identifier("public", TrialSample._meta.db_table),
        typed=sql.SQL(", ").join(typed),
        sample=sql.Literal(sample),
    )
    terms = Terms(tuple(GrantedColumn(*pair) for pair in columns), (), contract.columns)
    shown = terms_sql.over(terms, rows, naming.SYSTEM_COLUMNS)
    return sql.SQL("({})").format(shown).as_string()
