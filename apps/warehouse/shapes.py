"""What another contract does to a table that is there: step by step, in words, with what stands
in its way. Nothing is changed here; `physical` carries the steps out.

Source: house rule (design §4)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.catalog.contracts import unfollowed_words
from apps.core.contracts import Column, Contract
from apps.core.errors import Conflict
from apps.standards.types import TEXT_TYPES, postgres_type, type_words, widens
from apps.warehouse.models import DataTable

Kind = Literal["add", "widen", "retire", "restore", "rule", "refuse", "key"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens to a table. was, now: the types of PostgreSQL of a widened column.

    kind: `rule` needs no change of the table; `refuse` and `key` cannot be done.
    """

    kind: Kind
    column: str
    label: str
    words: str | Promise
    was: str = ""
    now: str = ""

    @property
    def is_possible(self) -> bool:
        return self.kind not in ("refuse", "key")

    @property
    def touches_readers(self) -> bool:
        """Whether views and policies that stand on the table have to be made anew."""
        return self.kind in ("widen", "retire", "restore")


def steps(table: DataTable, contract: Contract) -> list[Step]:
    """Return what following the contract does to the table, in the order of its columns."""
    former = Contract.from_json(table.version.contract)
    known = {column.name: column for column in former.columns}
    present = present_types(table)
    found: list[Step] = []
    for column in contract.columns:
        found += _column_steps(table, column, contract, known.get(column.name), present)
    staying = {column.name for column in contract.columns}
    found += [_retired(column) for column in former.columns if column.name not in staying]
    if table.is_indexed and _present_key(table) != list(contract.key):
        words = _("主键列与已有数据不一致，须另编目录")
        found.append(Step("key", "", "", words))
    return found


def require_possible(found: Sequence[Step]) -> None:
    """Refuse what the table cannot follow, naming every column and what to do instead.

    Raises:
        Conflict: `table_shape_changed` or `table_key_changed`.
    """
    refused = [step for step in found if not step.is_possible]
    words = "；".join(str(step.words) for step in refused)
    if refused and refused[0].kind == "key":
        raise Conflict(words, code="table_key_changed")
    if refused:
        raise Conflict(words, code="table_shape_changed", column=refused[0].column)


def present_types(table: DataTable) -> dict[str, str]:
    """Return the types of the table's columns as PostgreSQL prints them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [f"{table.schema}.{table.name}"],
        )
        return dict(cursor.fetchall())


def of_duckdb(type_name: str) -> str:
    """Return the type of DuckDB that holds what a column of PostgreSQL's type held."""
    return type_name.replace("numeric", "DECIMAL").upper()


def _column_steps(
    table: DataTable,
    column: Column,
    contract: Contract,
    former: Column | None,
    present: dict[str, str],
) -> Iterator[Step]:
    wanted = "text" if column.name == contract.key[0] else _canonical(postgres_type(column))
    found = present.get(column.name)
    words: str | Promise
    if found is None:
        words = _("新增一列，已有的 %(count)s 条在这一列为空") % {"count": f"{table.row_count:,}"}
        yield Step("add", column.name, column.label, words)
        return
    if not widens(found, wanted):
        yield Step("refuse", column.name, column.label, unfollowed_words(column, found, wanted))
        return
    if found != wanted:
        words = _("由 %(was)s 放宽为 %(now)s，已有的值不变") % {
            "was": type_words(found),
            "now": type_words(wanted),
        }
        yield Step("widen", column.name, column.label, words, found, wanted)
    if former is None:
        words = _("恢复这一列；停用前的值仍在，随以后的入库更新")
        yield Step("restore", column.name, column.label, words)
    else:
        yield from _rule_steps(table, column, former)


def _rule_steps(table: DataTable, column: Column, former: Column) -> Iterator[Step]:
    name = sql.Identifier(column.name)
    words: str | Promise
    if column.required and not former.required:
        empty = _count(table, sql.SQL("{} IS NULL").format(name))
        words = _("改为必填；已有的 %(count)s 条为空，保留原样，再次提交时须填写") % {
            "count": f"{empty:,}"
        }
        yield Step("rule", column.name, column.label, words)
    elif former.required and not column.required:
        yield Step("rule", column.name, column.label, _("改为选填"))
    if column.type not in TEXT_TYPES or column.length == former.length:
        return
    if column.length is None or (former.length is not None and column.length > former.length):
        words = _("长度由 %(was)s 放宽为 %(now)s，数据表不用改") % _lengths(former, column)
    else:
        longer = _count(table, sql.SQL("length({}) > {}").format(name, sql.Literal(column.length)))
        words = _(
            "长度由 %(was)s 缩短为 %(now)s；已有的 %(count)s 条更长，保留原样，再次提交时须改短"
        ) % {**_lengths(former, column), "count": f"{longer:,}"}
    yield Step("rule", column.name, column.label, words)


def _lengths(former: Column, column: Column) -> dict[str, str]:
    unlimited = str(_("不限"))
    return {
        "was": str(former.length or unlimited),
        "now": str(column.length or unlimited),
    }


def _retired(column: Column) -> Step:
    words = _(
        "停用这一列；已有的值留在表中，不再更新，新记录为空；现有授权在保留期内仍可读取，以后可以恢复"
    )
    return Step("retire", column.name, column.label, words)


def _count(table: DataTable, condition: sql.Composable) -> int:
    statement = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(table.schema, table.name), condition
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _present_key(table: DataTable) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.attname FROM pg_index i"
            " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
            " WHERE i.indexrelid = %s::regclass ORDER BY k.place",
            [f"{table.schema}.{table.name}_key"],
        )
        return [name for (name,) in cursor.fetchall()]


def _canonical(type_name: str) -> str:
    """The type as PostgreSQL prints it: `timestamp(0)` is `timestamp(0) without time zone`."""
    name, _open, modifier = type_name.partition("(")
    if name == "timestamp":
        return (
            f"timestamp({modifier} without time zone" if modifier else f"{name} without time zone"
        )
    return type_name
