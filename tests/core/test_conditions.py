"""Conditions: structured in, leakproof SQL out, clear refusals."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from apps.core.conditions import (
    CASTS,
    COMPARISONS,
    Condition,
    as_literal,
    as_parameters,
    parse,
    parse_one,
)
from apps.core.contracts import Column, Contract
from apps.core.errors import InvalidInput

NAME = Column(name="name", label="名称", type="C", length=50)
AMOUNT = Column(name="amount", label="金额", type="Y")
BORN = Column(name="born", label="出生日期", type="D")
COUNT = Column(name="number", label="数量", type="I")
COLUMNS = (NAME, AMOUNT, BORN, COUNT)


def rendered(compiled: sql.Composable) -> str:
    with connection.cursor() as cursor:
        return compiled.as_string(cursor.connection)


def test_it_types_values_by_the_column(db: None) -> None:
    (condition,) = parse([{"item": "born", "operator": "gte", "value": "2020-02-29"}], COLUMNS)
    assert condition == Condition("born", "gte", date(2020, 2, 29))


@pytest.mark.parametrize(
    ("column", "operator", "value", "code"),
    [
        (BORN, "eq", "2019-13-05", "invalid_value"),
        (COUNT, "eq", "9" * 30, "invalid_value"),
        (COUNT, "eq", "", "invalid_value"),
        (AMOUNT, "eq", "NaN", "invalid_value"),
        (AMOUNT, "gte", "1e999999", "invalid_value"),
        (AMOUNT, "gte", "1e-20000", "invalid_value"),
        (AMOUNT, "gte", "0." + "1" * 20_000, "invalid_value"),
        (NAME, "eq", "a\x00b", "invalid_value"),
        (NAME, "eq", "a\ud800b", "invalid_value"),
        (NAME, "in", [], "invalid_value"),
        (NAME, "in", "", "invalid_value"),
        (NAME, "in", [" ", ""], "invalid_value"),
        (NAME, "in", 5, "invalid_value"),
        (NAME, "in", None, "invalid_value"),
        (NAME, "in", {"a": 1}, "invalid_value"),
        (NAME, "in", [["a"]], "invalid_value"),
        (NAME, "eq", ["a"], "invalid_value"),
        (AMOUNT, "eq", "1e999999", "invalid_value"),
        (AMOUNT, "eq", "1e-999999", "invalid_value"),
        (NAME, "like", "x", "unknown_operator"),
        (COUNT, "prefix", "1", "unknown_operator"),
        (NAME, "is_null", "maybe", "invalid_value"),
    ],
)
def test_it_refuses_what_cannot_be_meant(
    column: Column, operator: str, value: Any, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_one(column, operator, value)
    assert refusal.value.code == code
    assert refusal.value.details["item"] == column.name
    assert "\x00" not in str(refusal.value)


def test_it_names_an_item_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse([{"item": "secret\x00", "operator": "eq", "value": 1}], COLUMNS)
    assert refusal.value.code == "unknown_item"
    assert "\x00" not in str(refusal.value)


def test_it_quotes_literals_so_that_no_value_becomes_sql(db: None) -> None:
    condition = parse_one(NAME, "eq", "'; DROP TABLE x; --")
    assert rendered(as_literal([condition], COLUMNS)) == "\"name\" = '''; DROP TABLE x; --'::text"


def test_no_condition_is_true(db: None) -> None:
    assert rendered(as_literal([], COLUMNS)) == "TRUE"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5))
def test_a_prefix_is_a_range_of_text(prefix: str) -> None:
    _, values = as_parameters([Condition("name", "prefix", prefix)], COLUMNS)
    assert values[0] == prefix
    if len(values) == 2:
        assert values[1] > prefix
        assert not values[1].startswith(prefix)


@pytest.mark.django_db
@pytest.mark.parametrize(("prefix", "matches"), [("重庆", 2), ("重", 3), ("北", 0)])
def test_a_prefix_finds_what_begins_with_it(prefix: str, matches: int) -> None:
    names = ["重庆市", "重庆", "重工", "成都"]
    compiled, values = as_parameters([Condition("name", "prefix", prefix)], COLUMNS)
    query = sql.SQL("SELECT count(*) FROM unnest(%s::text[]) AS t(name) WHERE {}").format(compiled)
    with connection.cursor() as cursor:
        cursor.execute(rendered(query), [names, *values])
        assert cursor.fetchone() == (matches,)


# numeric has no leakproof comparison: money is filterable but never by an index.
NOT_LEAKPROOF = {"numeric"}


@pytest.mark.django_db
@pytest.mark.parametrize("cast", sorted(set(CASTS.values()) - NOT_LEAKPROOF))
def test_every_operator_we_compile_is_leakproof(cast: str) -> None:
    """A leaky operator could not be pushed below a grant's policy and would lose the index."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT o.oprname, p.proleakproof FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
            WHERE o.oprleft = %s::regtype AND o.oprright = %s::regtype AND o.oprname = ANY(%s)
            """,
            [cast, cast, list(COMPARISONS.values())],
        )
        found = dict(cursor.fetchall())
    assert set(found) == set(COMPARISONS.values())
    assert all(found.values())


def test_a_contract_survives_json() -> None:
    contract = Contract(
        dataset_id=7, code="307001/000001", columns=(NAME, BORN), key=("name",), dirty_limit_rows=3
    )
    assert Contract.from_json(contract.to_json()) == contract


def test_a_contract_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="key"):
        Contract(dataset_id=7, code="x", columns=(NAME,), key=("missing",))
