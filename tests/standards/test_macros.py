"""A small statement is given the macros that it names, and no others."""

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pytest

from apps.standards.checks import CHECKS, macros_sql
from apps.standards.normalisers import NORMALISERS
from tests.standards.conftest import LANDED_ON

TEXTS = (
    "11010519491231002X",
    "500103",
    " 500105 ",
    "2026-02-30",
    "三十万元",
    "1.5e3",
    "是",
    "",
    None,
)


@pytest.mark.parametrize("rule", [*NORMALISERS.values(), *CHECKS.values()], ids=lambda r: r.macro)
def test_it_answers_as_with_all_of_them(
    rule: Any, answer: Callable[[str, Sequence[str | None]], list[Any]]
) -> None:
    statement = f"SELECT {rule.macro}(x) FROM (SELECT unnest(?::VARCHAR[]) AS x)"
    with duckdb.connect() as connection:
        connection.execute(macros_sql(on=LANDED_ON, named_in=statement))
        alone = connection.execute(statement, [list(TEXTS)]).fetchall()
    assert [row[0] for row in alone] == answer(rule.macro, TEXTS)


def test_what_is_not_named_is_not_defined() -> None:
    defined = macros_sql(on=LANDED_ON, named_in="SELECT check_chongqing_district(?)")
    assert [part.split("(")[0].split()[-1] for part in defined.split(";\n")] == [
        "landed_on",
        "division_in_force",
        "check_chongqing_district",
    ]
    with duckdb.connect() as connection:
        connection.execute(macros_sql(on=LANDED_ON, named_in="SELECT 1"))
        with pytest.raises(duckdb.CatalogException):
            connection.execute("SELECT check_mobile('13800000000')")
