"""Changes of an entry's own cells, and of what only looks like one."""

from typing import Any, Final

from tests.round_trip.hands import Edit, Hands

TEXTS: Final = ("abstract", "note", "internal_unit", "service_item", "contact_name", "legal_duty")
CYCLES: Final = {
    "每年": "yearly",
    "按月": "monthly",
    "季度": "quarterly",
    "实时更新": "realtime",
    "不定时": "irregular",
    "每旬": "ten_days",
    "一次": "once",
}
SAME: Final = {"daily": "按日", "realtime": "实时更新", "monthly": "月度", "weekly": "每星期"}
CLEAR: Final = ("［清空］", "[清空]", "【清空】")


def text(hands: Hands) -> bool:
    name = hands.pick.choice(TEXTS)
    words = f"{hands.state[name][:20]}（{hands.pick.randrange(10_000):04d} 改）"
    return hands.set(name, words, words)


def odd_text(hands: Hands) -> bool:
    """Lines, quotes, rare characters, and the signs by which formulas begin."""
    words = '=1+1 第一行\n“第二行”\t"a", 𠮷野屋；😀 <b>&amp;</b> \'x'
    return hands.set("note", words, words)


def cycle(hands: Hands) -> bool:
    word = hands.pick.choice([*CYCLES])
    return hands.set("update_cycle", word, CYCLES[word])


def opening(hands: Hands) -> bool:
    if hands.state["opening_attribute"] != "not_opened":
        word = hands.pick.choice(["否", "不予开放", "不开放"])
        return hands.set("opening_attribute", word, "not_opened")
    if not hands.set("opening_attribute", "依申请开放", "conditional"):
        return False
    hands.warn("opening_attribute", "读作“有条件开放”")
    return hands.set("opening_condition", "经审核同意", "经审核同意")


def formats(hands: Hands) -> bool:
    if hands.state["format_class"] != "database" or not hands.take("formats"):
        return False
    hands.set("format_class", "电子表格", "spreadsheet")
    hands.set("format_type", "XLSX", "xlsx")
    return hands.set("mode_type", "文件下载", "file")


def day(hands: Hands) -> bool:
    year, month, number = 2019, hands.pick.randint(1, 12), hands.pick.randint(1, 28)
    value = f"{year}-{month:02d}-{number:02d}"
    written = hands.pick.choice([f"{year}年{month}月{number}日", f"{year}.{month}.{number}"])
    if not hands.set("release_on", written, value):
        return False
    hands.warn("release_on", f"读作 {value}")
    return True


def plain_day(hands: Hands) -> bool:
    return hands.set("release_on", "2018-02-03", "2018-02-03")


def share(hands: Hands) -> bool:
    return hands.set("dirty_limit_ratio", "15%", 0.15)


def rows(hands: Hands) -> bool:
    return hands.set("dirty_limit_rows", "1,200", 1200)


def themes(hands: Hands) -> bool:
    return hands.set("themes", "便民服务；营商环境", ["便民服务", "营商环境"])


def system(hands: Hands) -> bool:
    code, name = hands.pick.choice(hands.city.systems.get(hands.state["department"]) or [("", "")])
    return bool(code) and hands.set("system", hands.pick.choice([code, name]), code)


def source(hands: Hands) -> bool:
    code, name = hands.pick.choice(hands.city.departments)
    return hands.set("source_department", name, code)


def related(hands: Hands) -> bool:
    code = hands.pick.choice([code for code in hands.city.codes if code != hands.entry.code])
    return hands.set("related", code.replace("/", "-"), [code])


def renamed(hands: Hands) -> bool:
    name = f"{hands.state['name']}（修订）"
    if not hands.take("name"):
        return False
    hands.entry.write("name", name, everywhere=True)
    hands.ledger.change(hands.entry, "name", name)
    return True


def grade(hands: Hands) -> bool:
    is_shared_freely = hands.state["sharing_attribute"] == "unconditional"
    return not is_shared_freely and hands.set("grade", "3级", "3")


def personal(hands: Hands) -> bool:
    if hands.state["opening_attribute"] == "unconditional" or not hands.take("opening_attribute"):
        return False
    return hands.set("contains_personal", "有", True)


def condition(hands: Hands) -> bool:
    if hands.state["sharing_attribute"] != "conditional":
        return False
    return hands.set("sharing_condition", "仅用于核验，用后即删", "仅用于核验，用后即删")


def key(hands: Hands) -> bool:
    """Mark one more item; an unmarked one of several is taken off."""
    keys = hands.state["key_items"]
    if not hands.take("key_items"):
        return False
    if len(keys) > 1:
        hands.entry.row_of(keys[-1]).cells["item.key"] = "否"
        hands.ledger.change(hands.entry, "key_items", keys[:-1])
        hands.due("key_items", "须另编目录")
        return True
    item = hands.item(lambda item: item["data_type"] == "C")
    if item is None or not hands.take(f"{item['column_name']}.column_name"):
        return False
    hands.entry.row_of(item["column_name"]).cells["item.key"] = "主键"
    hands.ledger.change(hands.entry, "key_items", [*keys, item["column_name"]])
    hands.due("key_items", "须另编目录")
    return True


def _census(hands: Hands, name: str, text: str, value: str | None) -> bool:
    if hands.state["census"].get(name) == value or not hands.take(f"census.{name}"):
        return False
    hands.entry.write(f"census.{name}", text)
    hands.ledger.change(hands.entry, f"census.{name}", value)
    return True


def census(hands: Hands) -> bool:
    number = hands.pick.randrange(1, 10_000)
    name = hands.pick.choice(["storage_total", "storage_shared", "records_opened"])
    return _census(hands, name, f"{number / 4:,}", f"{number / 4:g}")


def census_with_unit(hands: Hands) -> bool:
    if not _census(hands, "records_total", "3.5万条", "3.5"):
        return False
    hands.warn("census.records_total", "读作 3.5")
    return True


def cleared(hands: Hands) -> bool:
    """The marker in a cell that holds something."""
    empty: dict[str, Any] = {"internal_unit": "", "service_item": "", "themes": [], "system": None}
    full = [name for name in empty if hands.state[name] not in ("", None, [])]
    if not full:
        return False
    name = hands.pick.choice(full)
    return hands.set(name, hands.pick.choice(CLEAR), empty[name])


def cleared_duty(hands: Hands) -> bool:
    if not hands.state["legal_duty"] or not hands.set("legal_duty", CLEAR[0], ""):
        return False
    hands.warn("legal_duty", "未填写数据产生所依据的法定职责")
    return True


def blank(hands: Hands) -> bool:
    """An empty cell leaves the field alone."""
    name = hands.pick.choice(["abstract", "contact_phone", "grade", "update_cycle"])
    if not hands.take(name):
        return False
    hands.entry.first.cells.pop(name, None)
    return True


def same_cycle(hands: Hands) -> bool:
    """Another word for what is there already."""
    word = SAME.get(hands.state["update_cycle"], "")
    if not word or not hands.take("update_cycle"):
        return False
    hands.entry.write("update_cycle", word)
    return True


def same_provider(hands: Hands) -> bool:
    names = dict(hands.city.departments)
    if not hands.take("provider"):
        return False
    hands.entry.write("provider", names[hands.state["department"]])
    return True


def merged_down(hands: Hands) -> bool:
    """Cells of the entry's own merged over its rows, as many keep them."""
    if len(hands.entry.rows) < 2 or not hands.take("abstract", "contact_phone", "rows"):
        return False
    for name in ("abstract", "contact_phone", "code"):
        if hands.entry.first.text(name):
            hands.page.merged.append((name, hands.entry.rows))
    for row in hands.entry.rows[1:]:
        for name in ("abstract", "contact_phone", "code"):
            row.cells.pop(name, None)
    return True


CHANGES: Final[tuple[Edit, ...]] = (
    text, odd_text, cycle, opening, formats, day, plain_day, share, rows, themes, system, source,
    related, renamed, grade, personal, condition, key, census, census_with_unit, cleared,
    cleared_duty,
)  # fmt: skip
NOTHING: Final[tuple[Edit, ...]] = (blank, same_cycle, same_provider, merged_down)
