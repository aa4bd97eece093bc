"""The masks of schema `mask`, as PostgreSQL runs them."""

from typing import Any

import pytest
from django.db import connection

from apps.core.contracts import Column
from apps.standards.masks import MASKS, masks_for, type_after
from apps.standards.types import DataType, postgres_type

pytestmark = pytest.mark.django_db


def masked(name: str, value: Any, sql_type: str = "text") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT mask.{name}(%s::{sql_type})", [value])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("cover_name", "张三", "张*"),
        ("cover_name", "张小三", "张*三"),
        ("cover_name", "欧阳娜娜", "欧**娜"),
        ("cover_name", "张", "*"),
        ("cover_name", "", ""),
        ("cover_identity", "11010519491231002X", "110105********002X"),
        ("cover_identity", "110105491231002", "110105*****1002"),
        ("cover_identity", "12345", "*****"),
        ("cover_mobile", "13800001234", "138****1234"),
        ("cover_mobile", "1234567", "*******"),
        ("keep_ends", "渝北区", "渝*区"),
        ("keep_ends", "渝北", "**"),
        ("hide", "任何文字", "***"),
        ("hide", "", "***"),
    ],
)
def test_it_covers_texts(name: str, value: str, left: str) -> None:
    assert masked(name, value) == left


@pytest.mark.parametrize(
    ("value", "sql_type", "left"),
    [
        ("35214", "bigint", "30000–40000"),
        ("99", "bigint", "90–100"),
        ("10", "bigint", "10–20"),
        ("9", "bigint", "0–10"),
        ("0", "bigint", "0–10"),
        ("-3", "bigint", "-10–0"),
        ("-35214", "bigint", "-40000–-30000"),
        ("1000000.55", "numeric", "1000000–2000000"),
        ("0.5", "numeric", "0–10"),
        ("123456789012345678901234567890", "numeric", f"1{'0' * 29}–2{'0' * 29}"),
        ("35214.7", "double precision", "30000–40000"),
        ("NaN", "double precision", None),
        ("Infinity", "double precision", None),
    ],
)
def test_it_puts_numbers_into_bands(value: str, sql_type: str, left: str | None) -> None:
    assert masked("band_number", value, sql_type) == left


@pytest.mark.parametrize(
    ("name", "value", "sql_type", "left"),
    [
        ("truncate_to", "2019-05-10", "date", "2019-05-01"),
        ("truncate_to", "2019-05-10 08:30:00", "timestamp", "2019-05-10 00:00:00"),
        ("truncate_to", "106.551556", "numeric", "106.55"),
        ("truncate_to", "29.563009", "double precision", "29.56"),
        ("truncate_to", "35214", "bigint", "35000"),
        ("year_of_date", "2019-05-10", "date", "2019"),
        ("year_of_date", "2019-05-10 08:30:00", "timestamp", "2019"),
    ],
)
def test_it_lowers_precision(name: str, value: str, sql_type: str, left: str) -> None:
    assert str(masked(name, value, sql_type)) == left


def test_it_leaves_nothing_where_nothing_was() -> None:
    for mask in MASKS.values():
        for sql_type in mask.bodies:
            assert masked(mask.name, None, sql_type) is None, (mask.name, sql_type)


def test_it_declares_the_type_that_postgresql_returns() -> None:
    with connection.cursor() as cursor:
        for mask in MASKS.values():
            for letter, result in mask.results.items():
                plain, after = Column("x", "x", letter), Column("x", "x", result)
                assert type_after(plain, mask.name) == result
                cursor.execute(
                    f"SELECT pg_typeof(mask.{mask.function}(NULL::{_sql(plain)})), "
                    f"pg_typeof(NULL::{_sql(after)})"
                )
                declared, returned = cursor.fetchone()
                assert declared == returned, (mask.name, letter)


def _sql(column: Column) -> str:
    return postgres_type(column)


def test_it_defines_functions_that_are_immutable_and_run_in_parallel() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_and(provolatile = 'i' AND proparallel = 's') "
            "FROM pg_proc WHERE pronamespace = 'mask'::regnamespace"
        )
        count, fit = cursor.fetchone()
    assert count == sum(len(mask.bodies) for mask in MASKS.values())
    assert fit


def test_it_is_folded_into_the_view() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (VERBOSE) SELECT mask.cover_mobile(x) FROM (VALUES ('a'), ('b')) v(x)"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "cover_mobile" not in plan


def test_it_offers_for_each_type_only_what_fits() -> None:
    names = {mask.name for mask in masks_for(DataType.DATE)}
    assert names == {"truncate_to", "year_of_date", "hide"}


def test_it_shows_examples_that_are_true() -> None:
    types = {"band_number": "bigint", "truncate_to": "date", "year_of_date": "date"}
    for mask in MASKS.values():
        value, left = mask.example
        assert str(masked(mask.name, value, types.get(mask.name, "text"))) == left
