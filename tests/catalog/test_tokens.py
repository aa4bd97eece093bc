"""The words of a text: what a reader types meets what was indexed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog import tokens

TEXTS = st.one_of(
    st.text(max_size=80),
    st.text("困境儿童基本信息登记表低保的和水ＡＢab12_ -/（）'\\:&|!*", max_size=60),
)


@given(TEXTS)
def test_no_text_is_too_odd(text: str) -> None:
    words = tokens.words_of(text)
    assert len(words) == len(set(words))
    assert all(word == word.strip() and 0 < len(word) <= tokens.LONGEST for word in words)
    tokens.terms_of(text)
    tokens.initials_of(text)
    tokens.pinyin_of(text)


@given(TEXTS)
def test_it_makes_plain_what_is_plain_already(text: str) -> None:
    once = tokens.plain(text)
    assert tokens.plain(once) == once


@given(TEXTS)
def test_a_word_taken_alone_is_found_by_itself(text: str) -> None:
    for word in tokens.words_of(text):
        assert {token for term in tokens.terms_of(word) for token in term} <= set(
            tokens.words_of(text)
        )


@given(TEXTS)
def test_whoever_types_a_whole_text_asks_only_for_words_that_it_has(text: str) -> None:
    asked = {token for term in tokens.terms_of(text) for token in term}
    assert asked <= set(tokens.words_of(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("困境儿童", ["困境", "儿童", "境儿"]),
        ("社保 ＡＢＣ", ["社保", "abc"]),
        ("水", ["水"]),
        ("", []),
        ("！？", ["!?"][:0]),
    ],
)
def test_it_cuts(text: str, words: list[str]) -> None:
    assert tokens.words_of(text) == words


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("困境儿童", [["困境"], ["儿童"]]),
        ("困境儿", [["困境", "境儿"]]),
        ("低保和特困", [["低保"], ["特困"]]),
        ("房产证", [["房产", "产证"]]),
        ("人社", [["人社"]]),
        ("的", [["的"]]),
    ],
)
def test_it_asks(text: str, terms: list[list[str]]) -> None:
    assert tokens.terms_of(text) == terms


def test_pinyin_begins_at_every_word() -> None:
    found = tokens.initials_of("困境儿童基本信息")
    assert {"kjetjbxx", "etjbxx", "kunjingertongjibenxinxi", "xinxi"} <= set(found)
    assert tokens.pinyin_of("重庆市 2026") == "chong qing shi 2026"


def test_the_heaviest_weight_of_a_token_counts() -> None:
    assert tokens.vector(("B", ["户口", "姓名"]), ("A", ["户口"])) == "'户口':1A '姓名':1B"
    assert tokens.quoted("it's\\") == "'it''s\\\\'"


@pytest.mark.parametrize(
    ("text", "is_code"),
    [("307001/", True), ("307001-0001", True), ("307/1", True), ("307", False), ("困境", False)],
)
def test_it_knows_the_beginning_of_a_code(text: str, is_code: bool) -> None:
    assert tokens.is_code(text) is is_code
