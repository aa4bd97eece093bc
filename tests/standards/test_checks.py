"""Every check against python-stdnum, or an oracle of our own, on thousands of generated cases."""

import random
import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from stdnum.cn import ric, uscc

from apps.standards.checks import CHECKS, USCC_ALPHABET

Answer = Callable[[str, Sequence[str | None]], list[Any]]
CASES = 5_000


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261122)


def identity_number(chance: random.Random) -> str:
    """A number that is valid, or off by its check digit, its day, or one character."""
    year, month = chance.randint(1890, 2026), chance.randint(0, 13)
    day = chance.randint(0, 32)
    place = chance.choice(["110105", "500103", "310101", "830000", "000000", "160000", "650102"])
    body = f"{place}{year:04d}{month:02d}{day:02d}{chance.randint(0, 999):03d}"
    number = body + ric.calc_check_digit(body)
    return spoil(number, chance, "0123456789Xx- ")


def credit_code(chance: random.Random) -> str:
    authority = chance.choice(["91", "92", "93", "11", "12", "51", "52", "53", "Y1"])
    organisation = "".join(chance.choices(USCC_ALPHABET, k=9))
    body = f"{authority}{chance.randint(0, 999_999):06d}{organisation}"
    return spoil(body + uscc.calc_check_digit(body), chance, "0123456789ABIOSVZ")


def spoil(number: str, chance: random.Random, letters: str) -> str:
    match chance.randint(0, 5):
        case 0:
            place = chance.randrange(len(number))
            return number[:place] + chance.choice(letters) + number[place + 1 :]
        case 1:
            place = chance.randrange(len(number) - 1)
            return number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        case 2:
            return number[: chance.randint(0, len(number))]
        case _:
            return number


def is_identity_number(text: str) -> bool:
    """The oracle: stdnum's check digit, the calendar's day, GB/T 2260's provinces."""
    provinces = "11-15 21-23 31-37 41-46 50-54 61-65 71-71 81-83 91-99"
    if not re.fullmatch(r"\d{17}[0-9X]", text) or ric.calc_check_digit(text) != text[-1]:
        return False
    spans = [span.split("-") for span in provinces.split()]
    if not any(int(low) <= int(text[:2]) <= int(high) for low, high in spans) and text[0] != "9":
        return False
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    if not (1800 <= year <= 2099 and 1 <= month <= 12):
        return False
    return 1 <= day <= monthrange(year, month)[1]


def test_it_finds_identity_numbers(answer: Answer, chance: random.Random) -> None:
    texts = [identity_number(chance) for _ in range(CASES)]
    found = answer("check_identity_number", texts)
    assert found == [is_identity_number(text) for text in texts]
    assert 500 < sum(found) < CASES - 500


def test_it_accepts_no_identity_number_that_stdnum_refuses(
    answer: Answer, chance: random.Random
) -> None:
    texts = [identity_number(chance) for _ in range(CASES)]
    for text, valid in zip(texts, answer("check_identity_number", texts), strict=True):
        if valid and text[:6] in ("110105", "500103", "310101"):
            assert ric.is_valid(text), text


def test_it_finds_credit_codes(answer: Answer, chance: random.Random) -> None:
    texts = [credit_code(chance) for _ in range(CASES)]
    found = answer("check_uscc", texts)
    # stdnum upper-cases and strips first; the macro sees what is already normalised.
    assert found == [uscc.is_valid(text) and text == uscc.compact(text) for text in texts]
    assert 500 < sum(found) < CASES - 500


def test_it_knows_every_day_of_the_calendar(answer: Answer) -> None:
    start = date(1896, 1, 1)
    days = [start + timedelta(days=number) for number in range(0, 86_000, 7)]
    assert all(answer("check_date", [day.isoformat() for day in days]))
    wrong = ["2019-02-29", "2100-02-29", "2019-13-01", "2019-00-10", "2019-04-31", "2019-1-1", ""]
    assert not any(answer("check_date", wrong))
    assert answer("check_date", ["2000-02-29", "2024-02-29"]) == [True, True]


def test_it_knows_mobile_numbers_and_postcodes(answer: Answer, chance: random.Random) -> None:
    mobiles = [str(chance.randint(10**9, 10**12)) for _ in range(CASES)]
    assert answer("check_mobile", mobiles) == [
        bool(re.fullmatch(r"1[3-9]\d{9}", text)) for text in mobiles
    ]
    postcodes = [f"{number:06d}" for number in range(0, 1_000_000, 997)]
    assert answer("check_postcode", postcodes) == [1 <= int(text[:2]) <= 86 for text in postcodes]


def test_it_knows_division_codes_of_every_level(answer: Answer) -> None:
    good = ["50", "5001", "500103", "500103001", "500103001001"]
    bad = ["5", "500", "50010", "16", "160000", "5.00103E+05", "50010A", "", "5001030010012"]
    assert answer("check_division_code", good) == [True] * len(good)
    assert answer("check_division_code", bad) == [False] * len(bad)


def test_it_notices_longitude_and_latitude_that_changed_places(answer: Answer) -> None:
    assert answer("check_longitude", ["106.55", "73", "136.0", "29.56", "-106", "1e2", "abc"]) == [
        *[True] * 3,
        *[False] * 4,
    ]
    assert answer("check_latitude", ["29.56", "3", "53.99", "106.55", "54.01", ""]) == [
        *[True] * 3,
        *[False] * 3,
    ]


def test_it_says_nothing_about_nothing(answer: Answer) -> None:
    for check in CHECKS.values():
        assert answer(check.macro, [None, check.example]) == [None, True], check.name


def test_it_never_fails_on_any_text(answer: Answer, chance: random.Random) -> None:
    letters = "0189Xx年月日.-/ ,，１Ａ\t\u3000é𠮷'\"%\\"
    texts = ["".join(chance.choices(letters, k=chance.randint(0, 24))) for _ in range(2_000)]
    for check in CHECKS.values():
        assert set(answer(check.macro, texts)) <= {True, False}, check.name
