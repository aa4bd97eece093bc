"""The faults that departments really make, each in an entry of its own.

Source: /work/shared/domain.md §4 (faults departments really make)
"""

from typing import Final

from tests.round_trip.edits import CLEAR
from tests.round_trip.hands import Edit, Hands
from tests.round_trip.pages import Cell, Formula, Row

TOLD: Final = 5
"""How often one contradiction is told of in an entry."""


def _cell(name: str, text: Cell, words: str) -> Edit:
    """The entry's own cell that cannot be read."""

    def edit(hands: Hands) -> bool:
        hands.entry.write(name, text)
        return hands.wrong(name, words)

    return edit


def _item_cell(name: str, text: Cell, words: str) -> Edit:
    def edit(hands: Hands) -> bool:
        row = hands.entry.rows[-1]
        row.cells[f"item.{name}"] = text
        return hands.wrong(f"item.{name}", words, row)

    return edit


def _code(text: str, words: str) -> Edit:
    """A code that is none; the entry is known by its name."""

    def edit(hands: Hands) -> bool:
        hands.entry.write("code", text, everywhere=True)
        return hands.wrong("code", words)

    return edit


def name_of_a_system(hands: Hands) -> bool:
    systems = hands.city.systems.get(hands.state["department"], [])
    if not systems:
        return False
    name = systems[-1][1]
    hands.entry.write("name", name, everywhere=True)
    hands.ledger.change(hands.entry, "name", name)
    hands.due("name", "名称写的是信息系统")
    return True


def dragged_names(hands: Hands) -> bool:
    """A dragged cell counts up the digits at its end."""
    stem = hands.state["name"]
    for number, row in enumerate(hands.entry.rows, 1):
        row.cells["name"] = f"{stem}{number}"
    hands.ledger.change(hands.entry, "name", f"{stem}1")
    hands.warn("name", "以数字结尾")
    for row in hands.entry.rows[1 : TOLD + 1]:
        hands.wrong("name", "像是拖动填充所致", row)
    return True


def dragged_codes(hands: Hands) -> bool:
    """The codes run into those of the entries that follow."""
    prefix, _slash, number = hands.entry.code.partition("/")
    for more, row in enumerate(hands.entry.rows):
        row.cells["code"] = f"{prefix}/{int(number) + more:06d}"
    for row in hands.entry.rows[1 : TOLD + 1]:
        hands.wrong("code", "同一目录用了两个代码", row)
    return True


def two_codes(hands: Hands) -> bool:
    row = hands.entry.rows[1]
    row.cells["code"] = f"{hands.entry.code.partition('/')[0]}/999999"
    return hands.wrong("code", "同一目录用了两个代码", row)


def spaced_name(hands: Hands) -> bool:
    row, name = hands.entry.rows[-1], hands.state["name"]
    row.cells["name"] = f"{name[:2]} {name[2:]}"
    return hands.wrong("name", "只差空格或标点", row)


def taken_name(hands: Hands) -> bool:
    """The name of another entry of the department, but for a space."""
    names = [
        entry.state["name"]
        for entry in hands.page.entries.values()
        if entry is not hands.entry and entry.state["department"] == hands.state["department"]
    ]
    if not names:
        return False
    name = f"{names[0][:1]} {names[0][1:]}"
    hands.entry.write("name", name, everywhere=True)
    hands.ledger.change(hands.entry, "name", name)
    return hands.wrong("name", "同名目录")


def no_provider(hands: Hands) -> bool:
    for name in ("provider", "provider_code"):
        hands.entry.first.cells.pop(name)
    return hands.wrong("provider", "信息资源提供方没有填写")


def other_provider(hands: Hands) -> bool:
    code, name = hands.city.departments[0]
    if code == hands.state["department"]:
        name = hands.city.departments[1][1]
    hands.entry.write("provider", name)
    return hands.wrong("code", "的目录，不是")


def no_abstract(hands: Hands) -> bool:
    hands.entry.write("abstract", CLEAR[0])
    hands.ledger.change(hands.entry, "abstract", "")
    hands.due("abstract", "请填写摘要")
    return True


def type_of_another_format(hands: Hands) -> bool:
    hands.entry.write("format_type", "docx")
    hands.ledger.change(hands.entry, "format_type", "docx")
    hands.due("format_type", "不属于")
    return True


def mode_of_another_format(hands: Hands) -> bool:
    hands.entry.write("mode_type", "文件")
    hands.ledger.change(hands.entry, "mode_type", "file")
    hands.due("mode_type", "不能以")
    return True


def shared_freely_at_grade_three(hands: Hands) -> bool:
    if hands.state["sharing_attribute"] != "unconditional":
        return False
    hands.entry.write("grade", "3")
    hands.ledger.change(hands.entry, "grade", "3")
    hands.due("sharing_attribute", "3 级及以上的数据不能无条件共享")
    if hands.state["opening_attribute"] == "unconditional":
        hands.due("opening_attribute", "3 级及以上的数据不能无条件开放")
    return True


def another_class(hands: Hands) -> bool:
    """A class that there is, and that is not the entry's."""
    other = next(
        entry.first.text("class.3")
        for entry in hands.page.entries.values()
        if entry.first.text("class.3") != hands.entry.first.text("class.3")
    )
    hands.entry.write("class.3", other)
    return hands.wrong("class.3", "分类与平台中的")


def long_name(hands: Hands) -> bool:
    hands.entry.write("name", "长" * 51, everywhere=True)
    return hands.wrong("name", "不能超过 50 个")


def doubled_item(hands: Hands) -> bool:
    old = hands.entry.rows[-1]
    name = f"{old.text('item.name')[:1]} {old.text('item.name')[1:]}"
    common = {each: old.text(each) for each in ("name", "code", "version")}
    row = Row({**common, "item.name": name, "item.column_name": "twice", "item.data_type": "M"})
    hands.page.add_after(old, row)
    hands.entry.rows.append(row)
    hands.ledger.add(hands.entry, {"name": name})
    hands.due("item.name", "只差空格或标点", old)
    return hands.wrong("item.name", "重复", row)


def nameless_item(hands: Hands) -> bool:
    old = hands.entry.rows[-1]
    common = {each: old.text(each) for each in ("name", "code", "version")}
    row = Row({**common, "item.data_type": "字符型C"})
    hands.page.add_after(old, row)
    hands.entry.rows.append(row)
    return hands.wrong("item.name", "信息项名称没有填写", row)


def unknown_related(hands: Hands) -> bool:
    hands.entry.write("related", "307001/999999")
    hands.ledger.change(hands.entry, "related", ["307001/999999"])
    return hands.wrong("related", "没有找到关联目录")


def rows_that_disagree(hands: Hands) -> bool:
    row = hands.entry.rows[1]
    row.cells["contact_name"] = "另一个人"
    return hands.wrong("contact_name", "不一致", row)


def sensitive_and_not_personal(hands: Hands) -> bool:
    if not hands.state["contains_sensitive"]:
        return False
    hands.entry.write("contains_personal", "否")
    hands.warn("contains_personal", "敏感个人信息同时也是个人信息")
    return True


FAULTS: Final[dict[str, Edit]] = {
    "name of a system": name_of_a_system,
    "names counted up": dragged_names,
    "codes counted up": dragged_codes,
    "two codes": two_codes,
    "a space within the entry": spaced_name,
    "a space between entries": taken_name,
    "code too short": _code("307/1", "太短"),
    "code as a number": _code("3.07001E+11", "科学计数"),
    "code too long": _code(f"307001{'1' * 60}/1", "太长"),
    "no provider": no_provider,
    "another's provider": other_provider,
    "unknown provider": _cell("provider", "市某某局", "没有“市某某局”这个部门"),
    "no abstract": no_abstract,
    "type of another format": type_of_another_format,
    "mode of another format": mode_of_another_format,
    "shared freely at grade three": shared_freely_at_grade_three,
    "unit in a number": _cell("census.storage_total", "5T", "单位写进了数字"),
    "unit in a length": _item_cell("length", "800万", "单位写进了数字"),
    "no number": _item_cell("scale", "两位", "不是数字"),
    "type not in the list": _item_cell("data_type", "字符窜型", "没有“字符窜型”这个值"),
    "cycle not in the list": _cell("update_cycle", "常常", "没有“常常”这个值"),
    "no such class": _cell("class.3", "999 没有这一类", "分类中没有"),
    "another class": another_class,
    "month 13": _cell("release_on", "2019-13-05", "1–12"),
    "no such day": _cell("release_on", "2019/2/30", "不存在"),
    "a month alone": _cell("release_on", "2019年5月", "缺少“日”"),
    "name too long": long_name,
    "error of a formula": _cell("abstract", Formula("=1/0", "#DIV/0!"), "公式错误 #DIV/0!"),
    "formula never worked out": _item_cell("length", Formula("=25*2"), "公式没有计算结果"),
    "item twice": doubled_item,
    "item without a name": nameless_item,
    "unknown operation": _item_cell("operation", "合并", "不认识“合并”"),
    "unknown mark of the key": _item_cell("key", "外键", "不认识“外键”"),
    "no column": _item_cell("column_name", "2号列", "不合规则"),
    "unknown related": unknown_related,
    "unknown system": _cell("system", "没有的系统", "没有“没有的系统”这个信息系统"),
    "version of the future": _cell("version", "99", "平台上只到第"),
    "no flag": _cell("holds_no_secrets", "也许", "看不出是或否"),
    "no share": _cell("dirty_limit_ratio", "3", "应在 0–1 之间"),
    "cleared what must stand": _cell("grade", CLEAR[2], "不能清空"),
    "rows that disagree": rows_that_disagree,
    "sensitive and not personal": sensitive_and_not_personal,
}
