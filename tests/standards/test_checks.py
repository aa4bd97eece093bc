"""Every check against python-stdnum, or an oracle of our own, on thousands of generated cases."""

import json
import random
import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidComponent

from apps.standards.checks import CHECKS, USCC_ALPHABET

Answer = Callable[[str, Sequence[str | None]], list[Any]]
CASES = 5_000
REGIONS = Path(__file__).parents[2] / "fixtures/reference/accounts_regions.json"
_SPANS = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
PROVINCES = frozenset(number for low, high in _SPANS for number in range(low, high + 1))


@pytest.fixture
def chance() -> random.Random:
    return random.Random(20261122)


def identity_number(chance: random.Random) -> str:
    """A number that is valid, or off by its check digit, its day, or one character."""
    year, month = chance.randint(1890, 2026), chance.randint(1, 12)
    day = chance.randint(1, monthrange(year, month)[1])
    if chance.random() < 0.1:
        month, day = chance.randint(0, 13), chance.randint(0, 32)
    place = chance.choice(["110105", "500103", "310101", "830000", "000000", "160000", "650102"])
    body = f"{place}{year:04d}{month:02d}{day:02d}{chance.randint(0, 999):03d}"
    return spoil(body + check_digit(body), chance, "0123456789Xx- ")


def check_digit(body: str) -> str:
    """stdnum's function wants a number that has its last digit, whichever."""
    return ric.calc_check_digit(f"{body}0")


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
    """The oracle: stdnum's check digit and birthday, and GB/T 2260's provinces written out."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text) or ric.calc_check_digit(text) != text[-1]:
        return False
    try:
        born = ric.get_birth_date(text)
    except InvalidComponent:
        return False
    return (int(text[:2]) in PROVINCES or text[0] == "9") and 1800 <= born.year <= 2099


def test_it_finds_identity_numbers(answer: Answer, chance: random.Random) -> None:
    texts = [identity_number(chance) for _ in range(CASES)]
    found = answer("check_identity_number", texts)
    assert found == [is_identity_number(text) for text in texts]
    assert 500 < sum(found) < CASES - 500


def test_it_agrees_with_stdnum_on_every_county_of_its_list(
    answer: Answer, chance: random.Random
) -> None:
    """stdnum also asks whether the county had its code in the year of birth.

    Numbers have been given out since 1999 by where a person was registered then: somebody born in
    1950 may bear a code of 1997. So both are compared where that question is answered with yes.
    """
    texts = []
    for county in counties_of_stdnum():
        born = date(1949, 10, 1) + timedelta(days=chance.randint(0, 28_000))
        body = f"{county}{born:%Y%m%d}{chance.randint(1, 999):03d}"
        texts.append(spoil(body + check_digit(body), chance, "0123456789X"))
    found = dict(zip(texts, answer("check_identity_number", texts), strict=True))
    compared = [text for text in texts if had_its_code_then(text)]
    assert [text for text in compared if found[text] != ric.is_valid(text)] == []
    assert len(compared) > 1_500
    assert 200 < sum(found[text] for text in compared) < len(compared) - 200


def counties_of_stdnum() -> list[str]:
    """Every code of the list that stdnum carries, by its text: two digits, then four below."""
    codes, province = [], ""
    listed = resources.files("stdnum.cn").joinpath("loc.dat").read_text(encoding="utf-8")
    for line in listed.splitlines():
        if re.match(r"\d\d\s", line):
            province = line[:2]
        elif re.match(r"\s+\d{4}\s", line):
            codes.append(province + line.split()[0])
    return codes


def had_its_code_then(text: str) -> bool:
    try:
        return bool(ric.get_birth_place(text))
    except (InvalidComponent, ValueError, KeyError):  # KeyError: a province, but no such county
        return False


def test_it_finds_credit_codes(answer: Answer, chance: random.Random) -> None:
    texts = [credit_code(chance) for _ in range(CASES)]
    found = answer("check_uscc", texts)
    assert found == [is_credit_code(text) for text in texts]
    assert 500 < sum(found) < CASES - 500


def is_credit_code(text: str) -> bool:
    """The oracle: stdnum, which upper-cases and strips first and knows no office with a letter.

    GB 32100 gives Y to others than the listed offices, and later additions gave A and N; with one
    of them the sum is stdnum's all the same.
    """
    if text[:1] not in ("A", "N", "Y"):
        return uscc.is_valid(text) and text == uscc.compact(text) and text[0] != "0"
    if not re.fullmatch(rf".[0-9]{{7}}[{USCC_ALPHABET}]{{10}}", text):
        return False
    return uscc.calc_check_digit(text[:17]) == text[17]


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


def test_it_knows_the_districts_of_a_day(engine: Any, answer: Answer) -> None:
    """The oracle: the list of districts as it was published, each with the day it came or went."""
    reference = json.loads(REGIONS.read_text(encoding="utf-8"))
    regions = [each["fields"] for each in reference if each["fields"]["code"]]
    codes = [f"{number:06d}" for number in range(499_900, 500_400)]
    days = [date(2019, 5, 10), date(2025, 11, 5), date(2025, 11, 6), date(2026, 11, 18)]
    for day in days:
        valid = {
            region["code"]
            for region in regions
            if (region["valid_from"] or "0") <= day.isoformat() < (region["valid_to"] or "9")
        }
        rows = engine.execute(
            "SELECT x FROM (SELECT unnest(?::VARCHAR[]) AS x) WHERE division_in_force(x, ?::DATE)",
            [codes, day],
        ).fetchall()
        assert {code for (code,) in rows} == valid, day
        assert len(valid) == (38 + 1 if day < date(2025, 11, 6) else 37 + 1)
    wrong = ["50", "5001", "50010", "110105", "5001030", "500103001001x", "", "500105", "500112"]
    assert not any(answer("check_chongqing_district", wrong))
    assert all(answer("check_chongqing_district", ["500103", "500157001", "500103001001"]))


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
