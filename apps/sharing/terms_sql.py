"""From a grant's terms to SQL: the row policy, the two views, and the approver's preview.

One builder makes them all, so that what an approver sees before signing is what the consumer reads
afterwards. Pure: no query, no model. Identifiers and values go through `psycopg.sql`.

Source: house rule (design §4)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput
from apps.sharing import naming
from apps.standards import masks


@dataclass(frozen=True, slots=True)
class GrantedColumn:
    """A column that may be read; `mask` is the name of a mask of `standards`, "" for plain text."""

    name: str
    mask: str = ""

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "mask": self.mask}


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be read: columns with their masks, and the rows.

    `known` are all columns of the dataset: a condition may use one that is not granted.
    """

    columns: tuple[GrantedColumn, ...]
    conditions: tuple[Condition, ...]
    known: tuple[Column, ...]

    @classmethod
    def of(
        cls,
        contract: Contract,
        columns: Sequence[dict[str, Any]],
        row_condition: Sequence[dict[str, Any]],
    ) -> Self:
        """Check written terms against the dataset's contract.

        Raises:
            InvalidInput: no column, an unknown one, an unknown or unfitting mask, a bad condition.
        """
        granted = tuple(GrantedColumn(str(c["name"]), str(c.get("mask") or "")) for c in columns)
        if not granted:
            raise InvalidInput(_("至少选择一个数据项"), code="no_items", field="items")
        for column in granted:
            _check(column, contract)
        return cls(granted, conditions.parse(row_condition, contract.columns), contract.columns)


def policy(terms: Terms, *, starts_at: datetime, expires_at: datetime) -> sql.Composable:
    """Return the expression of the row policy: the condition's literals and the period.

    The period stands in the policy itself, so an expired grant reads nothing even if the task that
    tears it down never runs.
    """
    return sql.SQL("{} AND now() >= {}::timestamptz AND now() < {}::timestamptz").format(
        rows(terms),
        sql.Literal(starts_at.isoformat()),
        sql.Literal(expires_at.isoformat()),
    )


def rows(terms: Terms) -> sql.Composable:
    """Return the row condition alone, its values as literals; TRUE when there is none."""
    return sql.SQL("({})").format(conditions.as_literal(terms.conditions, terms.known))


def view(terms: Terms, *, schema: str, table: str) -> sql.Composable:
    """Return the SELECT of the view that a consumer reads."""
    return _select(terms, naming.SYSTEM_COLUMNS, sql.Identifier(schema, table))


def past_view(terms: Terms, *, schema: str, table: str) -> sql.Composable:
    """Return the SELECT of the view over superseded and deleted versions, for the change feed."""
    source = sql.Identifier(schema, naming.past_table(table))
    return _select(terms, naming.PAST_SYSTEM_COLUMNS, source)


def over(terms: Terms, source: sql.Composable, system: Sequence[str]) -> sql.Composable:
    """Return the SELECT of what the terms show of any rows that have the dataset's columns."""
    return sql.SQL("{} WHERE {}").format(_select(terms, system, source), rows(terms))


def preview(terms: Terms, *, schema: str, table: str, limit: int) -> sql.Composable:
    """Return the SELECT of the first rows that the consumer would get, in the order of `_id`.

    The period is left out: it lies in the future while an approver looks.
    """
    return sql.SQL('{} WHERE {} ORDER BY "_id" LIMIT {}').format(
        view(terms, schema=schema, table=table), rows(terms), sql.Literal(limit)
    )


def count(terms: Terms, *, schema: str, table: str) -> sql.Composable:
    """Return the SELECT that counts the rows under the terms."""
    return sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(schema, table), rows(terms)
    )


def granted_columns(terms: Terms, *, past: bool = False) -> sql.Composable:
    """Return the column list of the column privilege on the table or on its twin."""
    system = naming.PAST_SYSTEM_COLUMNS if past else naming.SYSTEM_COLUMNS
    names = [*system, *(column.name for column in terms.columns)]
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _select(terms: Terms, system: Sequence[str], source: sql.Composable) -> sql.Composable:
    parts: list[sql.Composable] = [sql.Identifier(name) for name in system]
    parts += [_expression(column) for column in terms.columns]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), source)


def _expression(column: GrantedColumn) -> sql.Composable:
    name = sql.Identifier(column.name)
    if not column.mask:
        return name
    function = sql.Identifier(naming.MASK_SCHEMA, masks.MASKS[column.mask].function)
    return sql.SQL("{}({}) AS {}").format(function, name, name)


def _check(column: GrantedColumn, contract: Contract) -> None:
    known = {each.name: each for each in contract.columns}
    if column.name not in known:
        raise InvalidInput(
            _("目录中没有数据项“%(item)s”") % {"item": column.name},
            code="unknown_item",
            item=column.name,
        )
    check_mask(column.mask, known[column.name].type, column.name)


def check_mask(mask: str, data_type: str, item: str) -> None:
    """Check that there is such a mask and that it fits the item's type; "" is none.

    Raises:
        InvalidInput: there is none, or it does not fit.
    """
    if mask and mask not in masks.MASKS:
        raise InvalidInput(
            _("没有名为“%(mask)s”的脱敏方式") % {"mask": mask},
            code="unknown_mask",
            field="items",
            item=item,
        )
    if mask and not masks.MASKS[mask].fits(data_type):
        raise InvalidInput(
            _("脱敏方式“%(mask)s”不适用于数据项“%(item)s”的类型")
            % {"mask": masks.MASKS[mask].label, "item": item},
            code="unfit_mask",
            field="items",
            item=item,
        )
