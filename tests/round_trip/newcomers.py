"""New entries at the end of the page, modelled on ones that are there."""

from typing import Any, Final

from tests.round_trip.hands import Edit, Hands
from tests.round_trip.pages import Row


def _copy(hands: Hands, name: str) -> tuple[list[Row], dict[str, Any]]:
    """Write a new entry like the one in hand; return its rows and what it will hold."""
    rows = []
    for old in hands.entry.rows:
        row = Row({key: cell for key, cell in old.cells.items() if key not in {"code", "version"}})
        row.cells["name"] = name
        rows.append(row)
    hands.page.rows += rows
    items = [{**item, "pk": None} for item in hands.entry.items]
    return rows, {**hands.state, "name": name, "items": items, "census": {}}


def _name(hands: Hands, words: str) -> str:
    return f"{hands.state['name'][:30]}{words}"


def new(hands: Hands) -> bool:
    """Everything on every row, as many repeat it."""
    name = _name(hands, "（新编）")
    rows, state = _copy(hands, name)
    common = {key: cell for key, cell in rows[0].cells.items() if not key.startswith("item.")}
    for row in rows[1:]:
        row.cells |= common
    hands.ledger.create(name, state)
    return True


def with_numbers(hands: Hands) -> bool:
    name = _name(hands, "（带普查数字）")
    rows, state = _copy(hands, name)
    rows[0].cells["census.storage_total"] = "８.５"
    hands.ledger.fault("warning", name, rows[0], "census.storage_total", "读作 8.5")
    hands.ledger.create(name, {**state, "census": {"storage_total": "8.5"}})
    return True


def with_a_code_of_its_own(hands: Hands) -> bool:
    name = _name(hands, "（自编代码）")
    rows, state = _copy(hands, name)
    for row in rows:
        row.cells["code"] = f"{hands.entry.code.partition('/')[0]}/777777"
    hands.ledger.fault("warning", name, rows[0], "code", "平台中没有代码")
    hands.ledger.create(name, state)
    return True


def without_an_abstract(hands: Hands) -> bool:
    name = _name(hands, "（没有摘要）")
    rows, state = _copy(hands, name)
    rows[0].cells.pop("abstract")
    hands.ledger.fault("due", name, rows[0], "abstract", "请填写摘要")
    hands.ledger.create(name, {**state, "abstract": ""})
    return True


def without_a_class(hands: Hands) -> bool:
    name = _name(hands, "（没有分类）")
    rows, _state = _copy(hands, name)
    for level in range(1, 5):
        rows[0].cells.pop(f"class.{level}", None)
    hands.ledger.fault("error", name, rows[0], "class.3", "至少要分到“目”")
    return True


def without_a_provider(hands: Hands) -> bool:
    name = _name(hands, "（没有提供方）")
    rows, _state = _copy(hands, name)
    for key in ("provider", "provider_code"):
        rows[0].cells.pop(key)
    rows[0].cells.pop("system", None)
    hands.ledger.fault("error", name, rows[0], "provider", "没有填写")
    return True


def counted_up(hands: Hands) -> bool:
    """A name dragged over two entries."""
    names = [_name(hands, f"分册{number}") for number in (1, 2)]
    for name in names:
        rows, state = _copy(hands, name)
        if name == names[0]:
            hands.ledger.fault("warning", name, rows[0], "name", "以数字结尾")
            hands.ledger.create(name, state)
        else:
            hands.ledger.fault("error", name, rows[0], "name", "像是拖动填充所致")
    return True


NEW: Final[tuple[Edit, ...]] = (
    new, with_numbers, with_a_code_of_its_own, without_an_abstract, without_a_class,
    without_a_provider, counted_up,
)  # fmt: skip
