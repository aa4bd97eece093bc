"""Questions and answers: every way of writing is understood or kept, none breaks anything."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.supervision.questions import (
    Question,
    QuestionKind,
    complaint,
    in_words,
    is_blank,
    normalise,
    problems_in,
    read_questions,
    stored,
)

ONE = {
    kind: Question(
        key="q1",
        label="问题",
        kind=kind,
        choices=("甲", "乙") if kind in ("choice", "choices") else (),
        columns=(
            Question("c1", "名称", "text", required=True),
            Question("c2", "条数", "number"),
        )
        if kind == "table"
        else (),
    )
    for kind in QuestionKind.values
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["c1", "c2", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(kind=st.sampled_from(QuestionKind.values), raw=ANYTHING)
def test_it_takes_whatever_is_typed_and_settles_at_once(kind: str, raw: Any) -> None:
    question = ONE[kind]
    once = normalise(question, raw)
    assert normalise(question, once) == once
    assert isinstance(complaint(question, once), str)
    assert isinstance(in_words(question, once), str)


@given(kind=st.sampled_from(["text", "long_text", "number", "date", "choice"]), raw=st.text())
def test_it_keeps_a_text_that_it_does_not_understand(kind: str, raw: str) -> None:
    kept = normalise(ONE[kind], raw)
    if complaint(ONE[kind], kept) and kind not in ("number", "date"):
        assert kept == raw.replace("\x00", "").replace("\r\n", "\n").strip()


@given(day=st.dates(date(1000, 1, 1), date(9999, 12, 31)), form=st.integers(0, 6))
def test_it_reads_a_day_however_it_is_written(day: date, form: int) -> None:
    year, month, number = day.year, day.month, day.day
    written = [
        f"{year}-{month:02d}-{number:02d}",
        f"{year}{month:02d}{number:02d}",
        f"{year}.{month}.{number}",
        f"{year}/{month}/{number}",
        f"{year}年{month}月{number}日",
        f"{year} 年 {month} 月 {number} 日",
        f"{year}-{month}-{number}".translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"}),
    ][form]
    kept = normalise(ONE["date"], written)
    assert kept == day.isoformat()
    assert complaint(ONE["date"], kept) == ""


@pytest.mark.parametrize(
    "wrong", ["2026-13-05", "2026-02-30", "明年", "26-1-1", "20261305", "2026-1"]
)
def test_it_says_what_is_no_day(wrong: str) -> None:
    kept = normalise(ONE["date"], wrong)
    assert kept == wrong
    assert wrong in complaint(ONE["date"], kept)


@given(number=st.integers(-(10**12), 10**12))
def test_it_reads_numbers_with_commas_and_in_full_width(number: int) -> None:
    full = {ord(c): ord(c) + 0xFEE0 for c in "0123456789,-"}
    for written in (str(number), f"{number:,}", f"{number:,}".translate(full), f" {number} "):
        assert normalise(ONE["number"], written) == str(number)
    assert complaint(ONE["number"], str(number)) == ""


@pytest.mark.parametrize("wrong", ["12 条", "约 30", "1,2,3", "五", "1e9", "--3"])
def test_units_do_not_pass_for_numbers(wrong: str) -> None:
    assert "不带单位" in complaint(ONE["number"], normalise(ONE["number"], wrong))


@pytest.mark.parametrize(
    ("raw", "kept"), [("是", "yes"), ("有", "yes"), ("无", "no"), ("No", "no"), ("也许", "也许")]
)
def test_yes_and_no(raw: str, kept: str) -> None:
    assert normalise(ONE["yes_no"], raw) == kept
    assert bool(complaint(ONE["yes_no"], kept)) is (kept not in ("yes", "no"))


def test_blank_rows_of_a_table_do_not_count() -> None:
    rows = normalise(ONE["table"], [{"c1": " "}, {"c1": "婚姻登记", "c2": "１，２０４"}, "x"])
    assert rows == [{"c1": "婚姻登记", "c2": "1204"}]
    assert complaint(ONE["table"], rows) == ""
    lacking = normalise(ONE["table"], [{"c2": "3"}])
    assert complaint(ONE["table"], lacking) == "第 1 行名称：没有填写"


def test_choices_that_are_not_offered_are_named() -> None:
    assert complaint(ONE["choice"], "丙") == "“丙”不在选项中"
    assert complaint(ONE["choices"], ["甲", "丁"]) == "“丁”不在选项中"
    assert complaint(ONE["choices"], ["乙", "甲"]) == ""


def test_what_is_required_and_missing_is_named_with_its_line() -> None:
    form = (Question("q1", "是否在用", "yes_no", required=True),)
    assert str(problems_in(form, {}, line=3)[0]) == "第 3 行“是否在用”：没有填写"
    assert problems_in(form, {"q1": "yes"}) == []


def test_a_form_goes_in_and_comes_out_alike() -> None:
    written = [question.to_json() for question in ONE.values()]
    written = [{**each, "key": f"q{i}", "label": f"问{i}"} for i, each in enumerate(written)]
    read = read_questions(written)
    assert [each.to_json() for each in read] == written
    assert stored(written) == read


@pytest.mark.parametrize(
    "wrong",
    [
        [{"key": "q1", "label": "", "kind": "text"}],
        [{"key": "q1", "label": "甲", "kind": "essay"}],
        [{"key": "1", "label": "甲", "kind": "text"}],
        [{"key": "q1", "label": "甲", "kind": "choice", "choices": ["一", "一"]}],
        [{"key": "q1", "label": "甲", "kind": "table"}],
        [{"key": "q1", "label": "甲", "kind": "table", "columns": [{"key": "c", "label": "x",
          "kind": "file"}]}],
        [{"key": "q1", "label": "甲", "kind": "file", "per_line": True}],
        [{"key": "q1", "label": "甲", "kind": "text"}, {"key": "q2", "label": "甲",
          "kind": "text"}],
        [{"key": "q1", "label": "甲", "kind": "text"}, {"key": "q1", "label": "乙",
          "kind": "text"}],
        [{"key": f"q{n}", "label": f"{n}", "kind": "text"} for n in range(61)],
        [{"key": "q1", "label": "甲" * 201, "kind": "text"}],
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_asked_is_refused(wrong: list[dict[str, Any]]) -> None:
    with pytest.raises(InvalidInput):
        read_questions(wrong)


def test_nothing_is_blank_but_nothing() -> None:
    values: tuple[Any, ...] = (None, "", [], 0, "0", [{}])
    assert [is_blank(value) for value in values] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
