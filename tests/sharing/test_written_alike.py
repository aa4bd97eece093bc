"""A value that passes for settled is one that the engine leaves as it is."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.core.contracts import Column
from apps.sharing.gateway.written_alike import _by_engine, is_settled, written_alike
from apps.standards.normalisers import NORMALISERS

TYPES = "CMGID"
NORMALISED = [
    Column("item", "数据项", kind, length=18, normalise=(name,))
    for kind, name in product(TYPES, NORMALISERS)
    if kind in NORMALISERS[name].types
]
VALUES = some.one_of(
    some.from_regex(r"[0-9A-Z一-龥]{1,20}", fullmatch=True),
    some.from_regex(r"-?[0-9]{1,20}", fullmatch=True),
    some.from_regex(r"(19|20|00)[0-9]{2}-[01][0-9]-[0-3][0-9]", fullmatch=True),
    some.text(max_size=8),
    some.none(),
)


@given(values=some.lists(VALUES, min_size=1, max_size=6), column=some.sampled_from(NORMALISED))
def test_what_is_settled_comes_back_from_the_engine_unchanged(
    values: list[str | None], column: Column
) -> None:
    values = [value for value in values if is_settled(column, [value])] or [None]
    given_values = {"item": values}
    assert _by_engine([column], given_values)["item"] == (values, [True] * len(values))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (Column("item", "数据项", "C", normalise=("trim",)), " A"),
        (Column("item", "数据项", "C", normalise=("upper",)), "x"),
        (Column("item", "数据项", "C", length=6, normalise=("zeros",)), "12"),
        (Column("item", "数据项", "C", normalise=("mobile",)), "8613800000001"),
        (Column("item", "数据项", "I"), "007"),
        (Column("item", "数据项", "I", normalise=("number",)), "1,000"),
        (Column("item", "数据项", "D"), "2026-02-30"),
        (Column("item", "数据项", "N", length=9, scale=2), "1.5"),
    ],
    ids=str,
)
def test_the_engine_is_asked_about_all_else(column: Column, value: str) -> None:
    assert not is_settled(column, [value])
    other = Column("other", "另一项", "C")
    assert is_settled(other, ["A"])
    written = written_alike([column, other], {"item": [value], "other": ["A"]})
    assert [*written] == ["item", "other"], "in the order of the columns"
    assert written["other"] == (["A"], [True])
    assert written["item"] == _by_engine([column], {"item": [value]})["item"]
