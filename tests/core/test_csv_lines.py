"""A cell of an exported CSV cannot be read as a formula."""

import csv

import pytest

from apps.core.csv_lines import Echo, harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_begins_a_formula_is_quoted(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "张三", "a=b", 12, None])
def test_all_else_stays_as_it_is(value: object) -> None:
    assert harmless(value) == str(value)


def test_a_line_comes_back_as_it_is_written() -> None:
    assert csv.writer(Echo()).writerow(["a", "b,c"]) == 'a,"b,c"\r\n'
