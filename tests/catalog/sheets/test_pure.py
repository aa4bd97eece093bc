"""Cells and comparisons, whatever is thrown at them."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.catalog.spreadsheets import cells, choices
from apps.catalog.spreadsheets.columns import COLUMNS
from apps.catalog.spreadsheets.comparing import UNKNOWN, Line, decided, merge, merge_items
from apps.catalog.spreadsheets.headings import table_of

DAYS = st.dates(min_value=date(1955, 1, 1), max_value=date(2099, 12, 31))
PATIENT = settings(deadline=None)  # a busy machine is no fault of ours
VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 9), st.text(max_size=3))
ENTRIES = st.dictionaries(st.sampled_from("abcd"), VALUES)


@PATIENT
@given(DAYS)
def test_a_day_is_read_in_every_shape(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for text in (
        f"{day:%Y-%m-%d}",
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d} 10:31:00",
        str(serial),
    ):
        assert cells.day(text).value == day.isoformat(), text
    assert day - timedelta(days=serial) == date(1899, 12, 30)


@PATIENT
@given(st.text(max_size=40))
def test_no_text_breaks_a_reader_and_each_gives_a_value_or_a_fault(text: str) -> None:
    for read in (
        cells.day(text),
        cells.flag(text),
        cells.number(text, "万"),
        cells.whole(text, "length", most=100),
        cells.ratio(text),
    ):
        assert (read.value is None) == bool(read.fault)
    choices.type_with_length(text)


@PATIENT
@given(ENTRIES, ENTRIES, ENTRIES)
def test_nothing_is_lost_in_a_three_way_comparison(
    base: dict[str, Any], yours: dict[str, Any], current: dict[str, Any]
) -> None:
    merged = merge(base, yours, current)
    for name, mine in yours.items():
        now = current.get(name)
        was = base.get(name, now)
        clashing = [clash.field for clash in merged.clashes]
        if mine in (now, was):
            assert name not in merged.fields
            assert name not in clashing
        elif was == now:
            assert merged.fields[name] == mine
        else:
            assert name in clashing


@PATIENT
@given(ENTRIES)
def test_what_is_the_same_is_no_difference(values: dict[str, Any]) -> None:
    for base in (values, UNKNOWN):
        merged = merge(base, values, values)
        assert (merged.fields, merged.clashes, merged.differences) == ({}, [], [])


def item(column: str, name: str, **more: Any) -> dict[str, Any]:
    return {"column_name": column, "name": name, **more}


def test_items_unmentioned_stay_and_a_removed_one_goes() -> None:
    current = [item("a", "甲", length=1), item("b", "乙", length=2), item("c", "丙", length=3)]
    lines = [Line({"name": "乙"}, removes=True), Line({"column_name": "c", "length": 9})]
    merged = merge_items(current, lines, current)
    assert merged.items == [item("a", "甲", length=1), item("c", "丙", length=9)]
    assert not merged.clashes


def test_an_item_removed_here_and_changed_there_is_a_conflict() -> None:
    base = [item("a", "甲", length=1)]
    current = [item("a", "甲", length=5)]
    merged = merge_items(base, [Line({"column_name": "a"}, removes=True)], current)
    clashes = [clash.to_json() for clash in merged.clashes]
    assert [clash["field"] for clash in clashes] == ["removed"]
    fields, rows = decided({}, merged.items, clashes, {clashes[0]["key"]: "mine"})
    assert (fields, rows) == ({}, [])
    _fields, rows = decided({}, merged.items, clashes, {clashes[0]["key"]: "current"})
    assert rows == current


@pytest.mark.parametrize("again", [True, False])
def test_an_item_that_goes_twice_or_goes_and_stays_breaks_nothing(again: bool) -> None:
    current = [item("a", "甲", length=1), item("b", "乙", length=2)]
    lines = [Line({"column_name": "a"}, removes=True), Line({"column_name": "a"}, removes=again)]
    assert merge_items(current, lines, current).items == [item("b", "乙", length=2)]


def test_a_new_item_may_take_the_name_that_another_gives_up() -> None:
    current = [item("a", "金额")]
    lines = [Line(item("a", "总额")), Line({"name": "金额"})]
    merged = merge_items(current, lines, current)
    assert merged.items == [item("a", "总额"), {"name": "金额", "is_new": True}]
    merged = merge_items(current, lines, [item("a", "金额", length=3)])
    assert [each.field for each in merged.differences] == ["name", "added"]


def test_an_item_that_both_added_differently_is_a_conflict() -> None:
    base = [item("a", "甲")]
    current = [*base, item("b", "乙", length=10)]
    merged = merge_items(base, [Line(item("b", "乙", length=99))], current)
    assert [(clash.item, clash.field) for clash in merged.clashes] == [("b", "length")]
    assert merge_items(base, [Line(item("b", "乙", length=10))], current).items is None


def test_a_decision_reaches_an_item_that_the_sheet_renames_too() -> None:
    base = [item("a", "甲", length=1), item("b", "乙", length=1)]
    current = [item("a", "甲", length=2), item("b", "乙", length=2)]
    lines = [Line({"column_name": "z", "name": "甲", "length": 3}), Line({"column_name": "b"})]
    merged = merge_items(base, lines, current)
    clashes = [clash.to_json() for clash in merged.clashes]
    _fields, rows = decided({}, merged.items, clashes, {"a.length": "mine"})
    assert rows == [item("z", "甲", length=3), item("b", "乙", length=2)]


class TestOrder:
    """As a field: whoever alone moved items is followed, both together are a conflict."""

    @staticmethod
    def merged(base: str, yours: str, current: str) -> tuple[str, list[str]]:
        rows = {letter: item(letter, letter.upper()) for letter in {*base, *yours, *current}}
        found = merge_items(
            [rows[letter] for letter in base],
            [Line(rows[letter]) for letter in yours],
            [rows[letter] for letter in current],
        )
        order = "".join(row["column_name"] for row in found.items or ())
        said = [f"{each.field}" for each in found.differences]
        return order, said + [f"clash {each.field}" for each in found.clashes]

    def test_the_sheet_alone_moved_some(self) -> None:
        assert self.merged("abc", "cab", "abc") == ("cab", ["order"])

    def test_the_platform_alone_moved_some(self) -> None:
        assert self.merged("abc", "abc", "cba") == ("", [])

    def test_both_moved_some_alike(self) -> None:
        assert self.merged("abc", "cba", "cba") == ("", [])

    def test_both_moved_some(self) -> None:
        assert self.merged("abc", "cab", "cba") == ("cba", ["clash order"])

    def test_a_part_of_the_items_moves_nothing(self) -> None:
        assert self.merged("abc", "ca", "abc") == ("", [])

    def test_an_item_that_came_meanwhile_keeps_its_place(self) -> None:
        assert self.merged("abc", "cab", "abxc") == ("caxb", ["order"])

    def test_a_person_decides(self) -> None:
        base, yours, current = (
            [item(letter, letter.upper()) for letter in letters]
            for letters in ("abc", "cab", "cba")
        )
        found = merge_items(base, [Line(row) for row in yours], current)
        clashes = [clash.to_json() for clash in found.clashes]
        assert (clashes[0]["base"], clashes[0]["yours"]) == (["A", "B", "C"], ["C", "A", "B"])
        assert decided({}, found.items, clashes, {".order": "mine"})[1] == yours
        assert decided({}, found.items, clashes, {".order": "current"})[1] == current


def test_every_heading_and_alias_is_known_by_one_column_only() -> None:
    from apps.catalog.spreadsheets.headings import plain

    seen: dict[str, str] = {}
    for column in COLUMNS:
        for heading in (column.label, *column.aliases):
            assert seen.setdefault(plain(heading), column.name) == column.name, heading


@pytest.mark.parametrize("name", ["sharing_attribute", "update_cycle", "data_type", "grade"])
def test_every_label_and_code_of_a_closed_list_is_read(name: str) -> None:
    for value, label in choices._CHOICES[name]:
        assert choices.chosen(name, str(value)) == str(value)
        assert choices.chosen(name, str(label)) == str(value)
        assert choices.chosen(name, choices.label_for(name, str(value))) == str(value)


def test_headings_in_two_rows_below_titles() -> None:
    rows = [
        (1, ["市民政局政务信息资源目录"]),
        (2, ["信息资源分类", "", "", "信息资源名称", "共享方式", "", "信息项名称", "审批人"]),
        (3, ["类", "项", "目", "", "共享方式分类", "共享方式类型", "", ""]),
        (4, ["部门", "省级", "民政局", "名称", "平台", "接口", "姓名", ""]),
    ]
    table = table_of("表", rows)
    assert table is not None
    assert table.last_row == 3
    assert dict(table.places) == {
        "class.1": 0,
        "class.2": 1,
        "class.3": 2,
        "name": 3,
        "mode_class": 4,
        "mode_type": 5,
        "item.name": 6,
    }
    assert [heading for _cell, heading in table.unknown] == ["审批人"]
