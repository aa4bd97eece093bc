"""Rules about rows among other rows, as statements of PostgreSQL.

Each asks one table, and reads whole only what it must: after a batch, the rows that are alike to
those that were touched, or were found wanting before.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from psycopg import sql

from apps.core.contracts import Contract
from apps.quality.models import QualityRule, RuleKind
from apps.quality.models.findings import LIVE_FINDINGS
from apps.quality.row_rules import CannotCompile
from apps.standards.types import postgres_type
from apps.warehouse.models import DataTable


@dataclass(frozen=True, slots=True)
class SetRule:
    """failing: SELECT of `_id` and `_batch` of the rows that break the rule.

    applies: condition on a row `t` of which the rule speaks. fingerprint: the state of the other
    table; another one means that every row is to be looked at again.
    """

    rule: QualityRule
    failing: sql.Composable
    applies: sql.Composable
    fingerprint: str = ""


def compile_set_rule(
    rule: QualityRule,
    table: DataTable,
    *,
    since: int | None,
    counterpart: tuple[DataTable, Contract] | None = None,
    contract: Contract,
) -> SetRule:
    """Compile a rule about sets; `since`: the `_batch` up to which it was answered before.

    Raises:
        CannotCompile: one of the tables has not the columns that the rule names.
    """
    for name in rule.columns:
        if name not in table.column_names:
            raise CannotCompile(name)
    if rule.kind == RuleKind.UNIQUE:
        return _unique(rule, table, since)
    if counterpart is None:
        raise CannotCompile(rule.parameters.get("dataset", ""))
    return _cross_table(rule, table, contract, *counterpart, since=since)


def place_of(table: DataTable) -> sql.Composable:
    return sql.Identifier(table.schema, table.name)


def touched(since: int | None, rule: QualityRule) -> sql.Composable:
    """The condition on `t` that the row changed since, or was found wanting before."""
    if since is None:
        return sql.SQL("true")
    return sql.SQL("(t._batch > {since} OR t._id IN ({known}))").format(
        since=sql.Literal(since), known=_known(rule)
    )


def _known(rule: QualityRule) -> sql.Composable:
    return sql.SQL(
        "SELECT row_id FROM quality_finding WHERE rule_id = {rule} AND status = ANY({live})"
    ).format(rule=sql.Literal(rule.pk), live=sql.Literal(list(LIVE_FINDINGS)))


def _unique(rule: QualityRule, table: DataTable, since: int | None) -> SetRule:
    """Rows of the table that are alike in all of the columns, of which none may be empty."""
    names = [sql.Identifier(name) for name in rule.columns]
    listed = sql.SQL(", ").join(names)
    filled = _filled(rule.columns)
    alike = sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in names)
    if since is None:
        groups = sql.SQL(
            "SELECT {listed} FROM {table} t WHERE {filled} GROUP BY {listed} HAVING count(*) > 1"
        ).format(listed=listed, table=place_of(table), filled=filled)
        failing = sql.SQL("SELECT t._id, t._batch FROM {table} t JOIN ({groups}) g ON {same}")
        return SetRule(
            rule,
            failing.format(table=place_of(table), groups=groups, same=_same(rule.columns)),
            filled,
        )
    # A row that kept what must be unique makes none alike that were not.
    kept = sql.SQL(" AND ").join(sql.SQL("p.{0} = t.{0}").format(name) for name in names)
    seeds = sql.SQL(
        "SELECT {alike} FROM {table} t WHERE t._batch > {since} AND {filled}"
        " AND NOT EXISTS (SELECT FROM {past} p WHERE p._id = t._id AND {kept}"
        " AND p._batch <= {since} AND p._until_batch > {since})"
        " UNION SELECT {alike} FROM {table} t JOIN ({known}) k ON t._id = k.row_id WHERE {filled}"
    ).format(
        alike=alike,
        table=place_of(table),
        past=sql.Identifier(table.schema, table.past_name),
        since=sql.Literal(since),
        filled=filled,
        kept=kept,
        known=_known(rule),
    )
    several = sql.SQL(
        "SELECT _id, _batch FROM ("
        "SELECT t._id, t._batch, count(*) OVER (PARTITION BY {alike}) AS times"
        " FROM {table} t JOIN ({seeds}) g ON {same}) AS counted WHERE times > 1"
    ).format(alike=alike, table=place_of(table), seeds=seeds, same=_same(rule.columns))
    return SetRule(rule, several, filled)


def _cross_table(
    rule: QualityRule,
    table: DataTable,
    contract: Contract,
    other: DataTable,
    other_contract: Contract,
    *,
    since: int | None,
) -> SetRule:
    """A counterpart must exist; or, with `same`, whatever has one must agree with one."""
    match, same = rule.parameters["match"], rule.parameters.get("same", {})
    for name in (*match.values(), *same.values()):
        if name not in other.column_names:
            raise CannotCompile(name)
    pair = sql.SQL(" AND ").join(
        _equal(contract, own, other_contract, theirs) for own, theirs in match.items()
    )
    counterpart = sql.SQL("EXISTS (SELECT 1 FROM {other} o WHERE {pair})").format(
        other=place_of(other), pair=pair
    )
    filled = _filled(match)
    applies: sql.Composable = filled
    broken: sql.Composable = sql.SQL("NOT {}").format(counterpart)
    if same:
        agree = sql.SQL(" AND ").join(
            sql.SQL("t.{}::text IS NOT DISTINCT FROM o.{}::text").format(
                sql.Identifier(own), sql.Identifier(theirs)
            )
            for own, theirs in same.items()
        )
        agreeing = sql.SQL("EXISTS (SELECT 1 FROM {other} o WHERE {pair} AND {agree})").format(
            other=place_of(other), pair=pair, agree=agree
        )
        applies = sql.SQL("{} AND {}").format(filled, counterpart)
        broken = sql.SQL("NOT {}").format(agreeing)
    failing = sql.SQL(
        "SELECT t._id, t._batch FROM {table} t WHERE {touched} AND {applies} AND {broken}"
    ).format(table=place_of(table), touched=touched(since, rule), applies=applies, broken=broken)
    return SetRule(rule, failing, applies, f"{other.pk}:{other.batch_counter}")


def _equal(left: Contract, own: str, right: Contract, theirs: str) -> sql.Composable:
    """Compare as the columns are where their types agree, else as text."""
    plain = _type(left, own) == _type(right, theirs)
    template = "t.{} = o.{}" if plain else "t.{}::text = o.{}::text"
    return sql.SQL(template).format(sql.Identifier(own), sql.Identifier(theirs))


def _type(contract: Contract, name: str) -> str:
    try:
        return "text" if name == contract.key[0] else postgres_type(contract.column(name))
    except KeyError as error:
        raise CannotCompile(name) from error


def _filled(names: Iterable[str]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(name)) for name in names
    )


def _same(names: list[str]) -> sql.Composable:
    return sql.SQL(" AND ").join(
        sql.SQL("t.{0} = g.{0}").format(sql.Identifier(name)) for name in names
    )
