"""Changes of items: their cells, new ones, those that go, their order."""

from typing import Any, Final

from tests.round_trip.edits import CLEAR
from tests.round_trip.hands import Edit, Hands
from tests.round_trip.pages import Row

BARE: Final[dict[str, Any]] = {
    "data_type": "C", "length": None, "scale": None, "required": False, "sharing_attribute": "",
    "sharing_condition": "", "mode": "", "opening_attribute": "", "opening_condition": "",
    "grade": "", "personal": False, "sensitive": False, "data_element": None, "code_list": None,
    "value_check": "", "pattern": "", "minimum": "", "maximum": "", "mask": "", "headings": [],
    "normalise": [], "description": "",
}  # fmt: skip


def _set(hands: Hands, name: str, text: str, value: Any, **fits: Any) -> bool:
    item = hands.item(
        lambda item: item[name] != value and all(item[key] == fit for key, fit in fits.items())
    )
    return item is not None and hands.set_item(item, name, text, value)


def name(hands: Hands) -> bool:
    item = hands.item()
    if item is None or not hands.take("names", f"{item['column_name']}.known_by"):
        return False
    words = f"{item['name'][:40]}（新）"
    return hands.set_item(item, "name", words, words)


def exchanged_names(hands: Hands) -> bool:
    one, other = hands.item(), hands.item()
    if one is None or one is other:
        return False
    if not hands.take("names", *(f"{each['column_name']}.known_by" for each in (one, other))):
        return False
    hands.set_item(one, "name", other["name"], other["name"])
    return hands.set_item(other, "name", one["name"], one["name"])


def column(hands: Hands) -> bool:
    item = hands.item()
    own = item and item["column_name"]
    if item is None or not hands.take("columns", f"{own}.known_by", f"{own}.stored"):
        return False
    if not hands.set_item(item, "column_name", "NEW_COLUMN", "new_column"):
        return False
    hands.due("item.column_name", "数据表中已有这一列", hands.entry.row_of(item["column_name"]))
    return True


def key_column(hands: Hands) -> bool:
    """The key follows its item's column."""
    keys = hands.state["key_items"]
    if not hands.take("columns", "key_items"):
        return False
    item = next(item for item in hands.entry.items if item["column_name"] == keys[0])
    hands.ledger.change(hands.entry, "key_items", ["new_key", *keys[1:]])
    hands.due("key_items", "须另编目录")
    hands.due("item.column_name", "数据表中已有这一列", hands.entry.row_of(item["column_name"]))
    return hands.set_item(item, "column_name", "new_key", "new_key")


def description(hands: Hands) -> bool:
    words = f"第 {hands.pick.randrange(1000)} 号说明\n另起一行"
    return _set(hands, "description", words, words)


def length(hands: Hands) -> bool:
    more = hands.pick.randrange(200, 900)
    return _set(hands, "length", str(more), more, data_type="C")


def more_digits(hands: Hands) -> bool:
    """The table follows to numbers of more digits."""
    item = hands.item(lambda item: item["data_type"] in {"N", "Y"})
    if item is None or not hands.take(f"{item['column_name']}.stored"):
        return False
    return hands.set_item(item, "length", "30", 30)


def another_type(hands: Hands) -> bool:
    """The table follows from days to instants."""
    item = hands.item(lambda item: item["data_type"] == "D")
    if item is None or not hands.take(f"{item['column_name']}.stored"):
        return False
    if not hands.set_item(item, "data_type", "timestamp", "T"):
        return False
    row = hands.entry.row_of(item["column_name"])
    hands.warn("item.data_type", "读作“日期时间型T”", row)
    return True


def wide_length(hands: Hands) -> bool:
    return _warned(hands, "７７", "是全角数字，读作 77")


def length_with_unit(hands: Hands) -> bool:
    return _warned(hands, "77 个字符", "读作 77")


def _warned(hands: Hands, text: str, words: str) -> bool:
    item = hands.item(lambda item: item["data_type"] == "C" and item["length"] != 77)
    if item is None or not hands.set_item(item, "length", text, 77):
        return False
    hands.warn("item.length", words, hands.entry.row_of(item["column_name"]))
    return True


def same_length(hands: Hands) -> bool:
    """What is there already, in full-width digits: told of, and no change."""
    item = hands.item(lambda item: bool(item["length"]))
    if item is None or not hands.take(f"{item['column_name']}.length"):
        return False
    row = hands.entry.row_of(item["column_name"])
    row.cells["item.length"] = "".join(chr(ord(digit) + 0xFEE0) for digit in str(item["length"]))
    hands.warn("item.length", "是全角数字", row)
    return True


def required(hands: Hands) -> bool:
    return _set(hands, "required", "√", True)


def headings(hands: Hands) -> bool:
    return _set(hands, "headings", "甲称、乙称", ["甲称", "乙称"])


def long_text(hands: Hands) -> bool:
    item = hands.item(
        lambda item: item["data_type"] == "C" and not item["mask"] and not item["value_check"]
    )
    if item is None or not hands.set_item(item, "data_type", "text", "M"):
        return False
    hands.warn("item.data_type", "读作“备注型M”", hands.entry.row_of(item["column_name"]))
    return True


def pattern(hands: Hands) -> bool:
    return _set(hands, "pattern", r"^[0-9A-Z]{2,6}$", r"^[0-9A-Z]{2,6}$", data_type="C")


def bounds(hands: Hands) -> bool:
    item = hands.item(lambda item: item["data_type"] in {"N", "Y", "I"})
    if item is None:
        return False
    return hands.set_item(item, "minimum", "001", "001") and hands.set_item(
        item, "maximum", "9.50", "9.50"
    )


def stricter(hands: Hands) -> bool:
    return _set(hands, "sharing_attribute", "不予共享", "not_shared")


def own_rules(hands: Hands) -> bool:
    item = hands.item()
    if item is None:
        return False
    hands.set_item(item, "grade", "三级", "3")
    hands.set_item(item, "mode", "API", "interface")
    return hands.set_item(item, "opening_attribute", "不予开放", "not_opened")


def element(hands: Hands) -> bool:
    code, title = hands.pick.choice(hands.city.elements)
    return _set(hands, "data_element", hands.pick.choice([code, title]), code)


def code_list(hands: Hands) -> bool:
    code, title = hands.pick.choice(hands.city.code_lists)
    return _set(hands, "code_list", title, code)


def mask(hands: Hands) -> bool:
    return _set(hands, "mask", "cover_name", "cover_name", data_type="C", mask="")


def cleared(hands: Hands) -> bool:
    for field, empty in (("data_element", None), ("length", None), ("mask", "")):
        if field == "length":
            item = hands.item(lambda item: item["length"] and item["data_type"] in {"D", "T", "I"})
        else:
            item = hands.item(lambda item: item[field] and not item["sensitive"])  # noqa: B023
        if item is not None and hands.set_item(item, field, CLEAR[1], empty):
            return True
    return False


def added(hands: Hands) -> bool:
    values = {**BARE, "name": "补充说明事项", "column_name": "more_notes", "length": 60}
    return _add(
        hands,
        values,
        {"item.data_type": "varchar(60)", "item.column_name": "more_notes"},
    )


def added_bare(hands: Hands) -> bool:
    """A new item without a column, which the platform names."""
    values = {**BARE, "name": "经办意见", "column_name": "item_1", "data_type": "M"}
    if not _add(hands, values, {"item.data_type": "备注型"}):
        return False
    hands.warn("item.column_name", "列名是系统暂定的", hands.entry.rows[-1])
    return True


def _add(hands: Hands, values: dict[str, Any], cells: dict[str, Any]) -> bool:
    known = {item["name"] for item in hands.entry.items}
    if values["name"] in known or not hands.take("added", "rows"):
        return False
    common = {name: hands.entry.first.text(name) for name in ("name", "code", "version")}
    row = Row({**common, "item.name": values["name"], **cells})
    hands.page.add_after(hands.entry.rows[-1], row)
    hands.entry.rows.append(row)
    hands.ledger.add(hands.entry, values)
    return True


def removed(hands: Hands) -> bool:
    columns = {taken.partition(".")[0] for taken in hands.entry.taken}
    item = hands.item(lambda item: item["column_name"] not in columns)
    if item is None or not hands.take(f"{item['column_name']}.removed", "order"):
        return False
    hands.entry.row_of(item["column_name"]).cells["item.operation"] = hands.pick.choice(
        ["删除", "移除"]
    )
    hands.ledger.remove(hands.entry, item["column_name"])
    return True


def row_gone(hands: Hands) -> bool:
    """A row that is deleted takes nothing out, and that is told."""
    columns = {taken.partition(".")[0] for taken in hands.entry.taken}
    item = hands.item(
        lambda item: (
            item["column_name"] not in columns and item["column_name"] != hands.entry.first.column
        )
    )
    if item is None or not hands.take(f"{item['column_name']}.removed", "order", "rows"):
        return False
    row = hands.entry.row_of(item["column_name"])
    hands.page.rows.remove(row)
    hands.entry.rows.remove(row)
    hands.warn("item.name", f"有 1 个数据项没有写到，保持原样：“{item['name']}”")
    return True


def order(hands: Hands) -> bool:
    """The last row moves up; the first stays, which says everything about the entry."""
    if len(hands.entry.rows) < 4 or not hands.take("order", "names", "columns", "added", "rows"):
        return False
    *others, last = hands.entry.rows
    hands.page.move(last, before=others[1])
    hands.entry.rows[:] = [others[0], last, *others[1:]]
    hands.ledger.order(hands.entry, [row.column for row in hands.entry.rows])
    return True


CHANGES: Final[tuple[Edit, ...]] = (
    name, exchanged_names, column, key_column, description, length, more_digits,
    another_type, wide_length, length_with_unit,
    required, headings, long_text, pattern, bounds, stricter, own_rules, element, code_list, mask,
    cleared, added, added_bare, removed, order,
)  # fmt: skip
NOTHING: Final[tuple[Edit, ...]] = (same_length, row_gone)
