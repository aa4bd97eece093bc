"""Values as departments write them."""

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest
from stdnum.cn import ric

from apps.core.contracts import Column
from apps.standards.normalisers import NORMALISERS, fault_of, in_order, normalisers_for
from apps.standards.rewritings import REWRITINGS
from apps.standards.types import DataType, cast_sql, duckdb_type, json_type, postgres_type

Answer = Callable[[str, Sequence[str | None]], list[Any]]
EXCEL_DAY_ZERO = date(1899, 12, 30)


def ways_to_write(day: date) -> list[str]:
    return [
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year} 年 {day.month:02d} 月 {day.day:02d} 日",
        f" {day:%Y/%m/%d} ",
        f"{day.isoformat()} 00:00:00",
        f"{day.isoformat()}T00:00:00",
        str((day - EXCEL_DAY_ZERO).days),
        f"{(day - EXCEL_DAY_ZERO).days}.0",
        day.isoformat().translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
    ]


def test_it_reads_every_way_of_writing_a_day(answer: Answer) -> None:
    days = [date(1960, 1, 1) + timedelta(days=37 * number) for number in range(800)]
    written = [text for day in days for text in ways_to_write(day)]
    expected = [day.isoformat() for day in days for _ in ways_to_write(day)]
    assert answer("norm_date", written) == expected


@pytest.mark.parametrize(
    "text",
    ["2019-05-10 08:30:00", "2019年", "19", "5月10日", "10/05/2019", "", "无", "99999999999"],
)
def test_it_leaves_alone_what_is_no_day(answer: Answer, text: str) -> None:
    assert answer("norm_date", [text]) == [text]


def test_it_shows_an_impossible_day_in_the_usual_form(answer: Answer) -> None:
    assert answer("norm_date", ["2019/13/5"]) == ["2019-13-05"]


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2019-05-10 08:30:00", "2019-05-10 08:30:00"),
        ("20190510083005", "2019-05-10 08:30:05"),
        ("2019/5/10 8:5", "2019-05-10 08:05:00"),
        ("2019-05-10T08:30:15.123+08:00", "2019-05-10 08:30:15"),
        ("2019-05-10T00:30:00Z", "2019-05-10 08:30:00"),
        ("2019年5月10日8时30分5秒", "2019-05-10 08:30:05"),
        ("2019年5月10日 8时30分", "2019-05-10 08:30:00"),
        ("2019.5.10", "2019-05-10 00:00:00"),
        ("２０１９-05-10　08:30", "2019-05-10 08:30:00"),
        ("明天", "明天"),
        ("", ""),
    ],
)
def test_it_reads_instants(answer: Answer, written: str, instant: str) -> None:
    assert answer("norm_datetime", [written]) == [instant]


def test_it_reads_excel_instants(answer: Answer) -> None:
    chance = random.Random(7)
    start = datetime(1960, 1, 1)  # noqa: DTZ001 (local time without zone, as in the tables)
    instants = [start + timedelta(seconds=chance.randint(1, 2 * 10**9)) for _ in range(500)]
    zero = datetime(1899, 12, 30)  # noqa: DTZ001
    written = [f"{(instant - zero) / timedelta(days=1):.8f}" for instant in instants]
    assert answer("norm_datetime", written) == [f"{i:%Y-%m-%d %H:%M:%S}" for i in instants]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,234,567.80", "1234567.80"),
        ("１，２３４", "1234"),
        ("+5", "5"),
        ("-.5", "-0.5"),
        (".5", "0.5"),
        ("5.", "5"),
        (" 42 ", "42"),
        ("12,34", "12,34"),
        ("5.001E+17", "5.001E+17"),
        ("100元", "100元"),
    ],
)
def test_it_reads_numbers(answer: Answer, written: str, number: str) -> None:
    assert answer("norm_number", [written]) == [number]


def test_it_reads_numbers_with_separators(answer: Answer) -> None:
    chance = random.Random(3)
    numbers = [chance.randint(-(10**12), 10**12) for _ in range(1_000)]
    assert answer("norm_number", [f"{n:,}" for n in numbers]) == [str(n) for n in numbers]


@pytest.mark.parametrize(
    ("macro", "written", "kept"),
    [
        ("norm_identifier", " 1101 0519491231002ｘ", "11010519491231002X"),
        ("norm_identifier", "９１３５０１００m000100y43", "91350100M000100Y43"),
        ("norm_mobile", "+86 138-0000-0000", "13800000000"),
        ("norm_mobile", "008613800000000", "13800000000"),
        ("norm_trim", "\ufeff\u3000 渝北 区\u00a0\n", "渝北 区"),
        ("norm_half_width", "ＡＢＣ１２３（’）", "ABC123(’)"),
        ("norm_upper", "abc", "ABC"),
        ("norm_boolean", "是", "true"),
        ("norm_boolean", "Ｎ", "false"),
        ("norm_boolean", "不详", "不详"),
    ],
)
def test_it_writes_values_alike(answer: Answer, macro: str, written: str, kept: str) -> None:
    assert answer(macro, [written]) == [kept]


def test_it_changes_nothing_the_second_time(answer: Answer) -> None:
    written = ["2019/5/10", "1,234.50", "+86 13800000000", "Ａ b", "20190510083000", "是", "43595"]
    for normaliser in NORMALISERS.values():
        once = answer(normaliser.macro, written)
        assert answer(normaliser.macro, once) == once, normaliser.name


def test_it_leaves_nothing_as_nothing(answer: Answer) -> None:
    for normaliser in NORMALISERS.values():
        assert answer(normaliser.macro, [None]) == [None], normaliser.name


def test_it_chooses_normalisers_by_check_then_type() -> None:
    assert normalisers_for(DataType.TEXT, "identity_number") == ("identifier",)
    assert normalisers_for(DataType.TEXT, "date") == ("date",)
    assert normalisers_for(DataType.MONEY) == ("number",)
    assert normalisers_for(DataType.TEXT) == ("trim",)
    assert normalisers_for(DataType.TEXT, has_codes=True) == ("half_width", "trim")


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (Column("x", "x", "N", length=6, scale=2), "1234.50", "1234.50"),
        (Column("x", "x", "N", length=6, scale=2), "1234.567", None),
        (Column("x", "x", "N", length=6, scale=2), "1234.5000", "1234.50"),
        (Column("x", "x", "N", length=6, scale=2), "123456", None),
        (Column("x", "x", "N", length=3), "12.0", "12"),
        (Column("x", "x", "N", length=3), "12.5", None),
        (Column("x", "x", "I"), "12", "12"),
        (Column("x", "x", "I"), "12.5", None),
        (Column("x", "x", "I"), "99999999999999999999", None),
        (Column("x", "x", "Y"), "0.10", "0.10"),
        (Column("x", "x", "D"), "2019-02-30", None),
        (Column("x", "x", "T"), "2019-02-28 08:00:00", "2019-02-28 08:00:00"),
        (Column("x", "x", "L"), "true", "true"),
        (Column("x", "x", "C", length=3), "渝北区政府", "渝北区政府"),
    ],
)
def test_it_casts_without_losing_anything(
    answer: Answer, engine: Any, column: Column, text: str, value: str | None
) -> None:
    sql = f"SELECT CAST({cast_sql(column, 'x')} AS VARCHAR) FROM (SELECT ? AS x)"
    assert engine.execute(sql, [text]).fetchone()[0] == value


def test_it_maps_every_type(engine: Any) -> None:
    for letter in DataType.values:
        column = Column("x", "x", letter, length=10)
        engine.execute(f"SELECT NULL::{duckdb_type(column)}")
        assert postgres_type(column)
        assert json_type(column) in {"string", "integer", "number", "boolean"}


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("800万人民币", "8000000"),
        ("1,200.5元", "1200.5"),
        ("3.2亿元", "320000000"),
        ("８００万元整", "8000000"),
        ("¥1,200.50", "1200.50"),
        ("人民币 1.23456789万", "12345.6789"),
        ("-3.5万", "-35000"),
        ("12个", "12"),
        ("0.000000000001万亿", "1"),
        ("12345678901234567890.12亿", "1234567890123456789012000000"),
        ("5000美元", "5000美元"),
        ("800公顷", "800公顷"),
        ("12%", "12%"),
        ("万", "万"),
    ],
)
def test_it_reads_amounts_with_their_units(answer: Answer, written: str, number: str) -> None:
    assert answer("norm_unit", [written]) == [number]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("800万人民币", "800"),
        ("8000000元", "800"),
        ("8,000,000.50元整", "800.00005"),
        ("3.2亿元", "32000"),
        ("５００千", "50"),
        ("-3.5万", "-3.5"),
        ("1元", "0.0001"),
        ("12个", "0.0012"),
        ("12345678901234567890.12亿", "123456789012345678901200"),
        ("800", "800"),
        ("¥800", "¥800"),  # could be either
        ("800人民币", "800人民币"),
        ("5000美元", "5000美元"),
        ("万", "万"),
    ],
)
def test_it_reads_amounts_for_items_in_ten_thousands(
    answer: Answer, written: str, number: str
) -> None:
    assert answer("norm_unit_wan", [written]) == [number]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.23456E+5", "123456"),
        ("5.00103199001011232E+17", "500103199001011232"),
        ("1.2345e2", "123.45"),
        ("1.5E-3", "0.0015"),
        ("-5E0", "-5"),
        ("5.001E+17", "5.001E+17"),
        ("ABE1", "ABE1"),
    ],
)
def test_it_restores_only_numbers_of_which_every_digit_is_there(
    answer: Answer, written: str, number: str
) -> None:
    assert answer("norm_scientific", [written]) == [number]


def test_it_gives_a_code_of_fixed_length_its_noughts_back(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    statement = (
        "SELECT norm_zeros(x, n := 6) FROM (SELECT unnest(['12','000012','1234567','1a','']) AS x)"
    )
    rows = engine.execute(statement).fetchall()
    assert [row[0] for row in rows] == ["000012", "000012", "1234567", "1a", ""]


def test_it_makes_old_identity_numbers_valid_new_ones(answer: Answer) -> None:
    chance = random.Random(5)
    old = []
    for _ in range(300):
        day = date(1930, 1, 1) + timedelta(days=chance.randint(0, 22_000))
        old.append(f"500103{day:%y%m%d}{chance.randint(1, 999):03d}")
    new = answer("norm_identity_18", old)
    assert [number[17] for number in new] == [ric.calc_check_digit(number) for number in new]
    assert [number[:6] + number[8:17] for number in new] == old
    assert {number[6:8] for number in new} == {"19"}


def test_it_leaves_alone_what_is_no_old_identity_number(answer: Answer) -> None:
    written = ["110105499931002", "11010519491231002X", "1101", ""]
    assert answer("norm_identity_18", written) == written


def test_it_knows_what_every_normaliser_may_do() -> None:
    for normaliser in NORMALISERS.values():
        assert set(normaliser.effects) <= set(REWRITINGS)


def test_it_says_what_does_not_fit_a_column() -> None:
    assert fault_of(["unit"], "C", None)
    assert fault_of(["zeros"], "C", None)
    assert fault_of(["unit", "unit_wan"], "Y", 18)
    assert not fault_of(["number", "unit_wan"], "Y", 18)
    assert fault_of(["as_is", "trim"], "C", None)
    assert fault_of(["nothing"], "C", None)
    assert not fault_of(["trim", "zeros"], "C", 6)
    assert in_order(["zeros", "trim"]) == ("trim", "zeros")
