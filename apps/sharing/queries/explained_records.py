"""Whether one record lies within a grant: in one statement, of which no value comes back."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.sharing.models import Grant
from apps.sharing.queries.explanation import Reason, condition_in_words
from apps.warehouse import queries as warehouse

LARGEST_ID = (1 << 63) - 1
ROW_ID = Column(name="_id", label="_id", type="I")


@dataclass(frozen=True, slots=True)
class Named:
    """A record by its number, or by the whole business key, as conditions on its columns."""

    row_id: int | None
    conditions: tuple[Condition, ...]
    columns: tuple[Column, ...]

    @property
    def key(self) -> list[str]:
        return [] if self.row_id is not None else [str(each.value) for each in self.conditions]


def named(dataset: Dataset, row_id: str, key: Mapping[str, str]) -> Named:
    """Check how a record is named: by `row_id` or by every column of the key, not by both.

    Raises:
        InvalidInput: `key_incomplete`, `invalid_value`.
        NotFound: `not_published`.
    """
    if row_id:
        is_number = row_id.isascii() and row_id.isdigit() and len(row_id) < 20
        if key or not is_number or not 0 < int(row_id) <= LARGEST_ID:
            raise InvalidInput(
                _("_id 是正整数，与主键只填一种"), code="invalid_value", field="row_id"
            )
        condition = conditions.parse_one(ROW_ID, "eq", row_id)
        return Named(int(row_id), (condition,), (ROW_ID,))
    contract = catalog.contract_of(dataset)
    if set(key) != set(contract.key) or not all(key.values()):
        raise InvalidInput(
            _("主键须写全：%(names)s") % {"names": "、".join(contract.key)},
            code="key_incomplete",
            field="key",
        )
    columns = tuple(contract.column(name) for name in contract.key)
    found = tuple(conditions.parse_one(column, "eq", key[column.name]) for column in columns)
    return Named(None, found, columns)


def told_all(grant: Grant, record: Named) -> list[Reason]:
    """Tell who answers for the data: absent, outside of which condition, or within."""
    judged = _judged(grant, record)
    if judged is None:
        return [
            Reason(ok=False, sentence=str(_("数据表中没有这条记录")), rule="record", grant=grant)
        ]
    reasons = [_within(_("数据表中有这条记录"), "record", grant)]
    if not judged:
        reasons.append(_within(_("授权含全部记录"), "row", grant))
    for words, holds in judged:
        text = _("记录在范围内：授权只含%(condition)s的记录")
        if not holds:
            text = _("记录在范围外：授权只含%(condition)s的记录")
        reasons.append(Reason(holds, str(text) % {"condition": words}, "row", grant))
    return reasons


def told_whether(grant: Grant, record: Named) -> list[Reason]:
    """Tell the consumer whether its system reads the record, and never why it does not.

    What does not exist and what was not granted are asked in the same statement and answered in
    the same words. Nobody asks by a key that the grant does not show as it is.

    Raises:
        InvalidInput: `key_not_readable`.
    """
    shown = {column["name"] for column in grant.columns if not column["mask"]}
    if record.row_id is None and not {column.name for column in record.columns} <= shown:
        raise InvalidInput(
            _("授权不含全部主键的原值，改用 _id 指明记录"), code="key_not_readable", field="key"
        )
    judged = _judged(grant, record)
    is_within = judged is not None and all(holds for _words, holds in judged)
    text = _("能读到这条记录") if is_within else _("读不到这条记录：不存在，或者不在授权的范围内")
    return [Reason(is_within, str(text), "record", grant)]


def _within(words: str | Promise, rule: str, grant: Grant) -> Reason:
    return Reason(ok=True, sentence=str(words), rule=rule, grant=grant)


def _judged(grant: Grant, record: Named) -> list[tuple[str, bool]] | None:
    """Return each part of the row condition in words, and whether it holds; None of no record."""
    table = warehouse.table_of(grant.dataset)
    names = [str(entry.get("item")) for entry in grant.row_condition]
    if table is None:
        return None
    contract = catalog.contract_with(grant.dataset, names)
    parts = conditions.parse(grant.row_condition, contract.columns)
    asked = [conditions.as_literal([part], contract.columns) for part in parts]
    statement = sql.SQL("SELECT ARRAY[{asked}]::boolean[] FROM {table} WHERE {record}").format(
        asked=sql.SQL(", ").join(asked),
        table=sql.Identifier(table.schema, table.name),
        record=conditions.as_literal(record.conditions, record.columns),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchone()
    if found is None:
        return None
    words = [condition_in_words(part, contract) for part in parts]
    return list(zip(words, map(bool, found[0]), strict=True))
