"""What happens on the platform while the sheet is out, by the real operations: five conflicts and
more, and changes of both sides that do not meet.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.accounts.models import User
from apps.catalog import operations as catalog
from apps.catalog.models import CatalogImport, Dataset
from apps.catalog.proposals import fresh, plain_items
from apps.console.demo.people import clerk_and_head
from tests.round_trip.hands import Hands
from tests.round_trip.ledger import State, arrange
from tests.round_trip.pages import Page, Row


@dataclass(frozen=True)
class Platform:
    """Who acts there, and when."""

    officer: User
    at: datetime

    def publish(self, code: str, **begun: Any) -> None:
        """Change the entry and bring the change into force."""
        dataset = Dataset.objects.select_related("department").get(code=code)
        clerk, head = clerk_and_head(dataset.department)
        change = catalog.begin_change(
            dataset=dataset, actor=clerk, at=self.at, reason="其间修改", **begun
        )
        catalog.submit_change(change=change, actor=clerk, at=self.at)
        catalog.approve_change(change=change, actor=head, at=self.at)
        catalog.publish_change(change=change, actor=self.officer, at=self.at)

    def change_items(self, code: str, edit: Callable[[list[dict[str, Any]]], object]) -> None:
        items = plain_items(fresh(Dataset.objects.get(code=code).pk))
        edit(items)
        self.publish(code, items=items)

    def count(self, code: str, **figures: str) -> None:
        """Census numbers come by sheets alone."""
        entry = Dataset.objects.get(code=code)
        cells = {f"census.{name}": text for name, text in figures.items()}
        row = Row({"name": entry.name, "code": code, "provider": entry.department.name, **cells})
        page = Page([], [])
        page.names = [*row.cells]
        page.rows = [row]
        subject = catalog.receive_import(
            file=io.BytesIO(page.written()), file_name="普查.xlsx", actor=self.officer, at=self.at
        )
        catalog.check_imports(at=self.at)
        catalog.adopt(
            subject=CatalogImport.objects.get(pk=subject.pk),
            actor=self.officer,
            at=self.at,
            scope="all",
        )
        catalog.adopt_imports(at=self.at)


Meeting = Callable[[Hands, Platform], bool]


def _choice(hands: Hands) -> str:
    return hands.pick.choice(["mine", "current"])


def field(hands: Hands, platform: Platform) -> bool:
    """Both write another abstract."""
    was = hands.state["abstract"]
    platform.publish(hands.entry.code, fields={"abstract": "平台的摘要"})
    hands.entry.write("abstract", "表里的摘要")
    hands.ledger.clash(
        hands.entry,
        ("", "abstract"),
        (was, "表里的摘要", "平台的摘要"),
        _choice(hands),
        lambda state: state.update(abstract="表里的摘要"),
    )
    return True


def item_field(hands: Hands, platform: Platform) -> bool:
    """Both describe an item that the sheet gives another column besides."""
    item = hands.item()
    if item is None:
        return False
    column = item["column_name"]
    place = hands.entry.items.index(item)
    platform.change_items(
        hands.entry.code, lambda items: items[place].update(description="平台的说明")
    )
    row = hands.entry.row_of(column)
    row.cells["item.description"] = "表里的说明"
    row.cells["item.column_name"] = "renamed_too"
    hands.ledger.change_item(hands.entry, column, "column_name", "renamed_too")
    hands.due("item.column_name", "数据表中已有这一列", row)
    hands.ledger.clash(
        hands.entry,
        (column, "description"),
        ("", "表里的说明", "平台的说明"),
        _choice(hands),
        lambda state: _by_key(state, item).update(description="表里的说明"),
    )
    return True


def gone_here(hands: Hands, platform: Platform) -> bool:
    """The sheet takes an item out that the platform changed."""
    item = hands.item()
    if item is None:
        return False
    place = hands.entry.items.index(item)
    platform.change_items(hands.entry.code, lambda items: items[place].update(description="改了"))
    hands.entry.row_of(item["column_name"]).cells["item.operation"] = "删除"
    hands.ledger.clash(
        hands.entry,
        (item["column_name"], "removed"),
        (item["name"], None, item["name"]),
        _choice(hands),
        lambda state: state["items"].remove(_by_key(state, item)),
    )
    return True


def gone_there(hands: Hands, platform: Platform) -> bool:
    """The platform took an item out that the sheet describes anew."""
    item = hands.item()
    if item is None:
        return False
    place = hands.entry.items.index(item)
    platform.change_items(hands.entry.code, lambda items: items.pop(place))
    hands.entry.row_of(item["column_name"]).cells["item.description"] = "还要用"
    kept = {**item, "description": "还要用"}
    del kept["pk"]
    hands.ledger.clash(
        hands.entry,
        (item["column_name"], "removed"),
        (item["name"], kept, None),
        _choice(hands),
        lambda state: state["items"].append({**kept, "pk": None}),
    )
    return True


def related(hands: Hands, platform: Platform) -> bool:
    if hands.state["related"]:
        return False
    mine, theirs = hands.pick.sample([c for c in hands.city.codes if c != hands.entry.code], 2)
    platform.publish(hands.entry.code, related=[theirs])
    hands.entry.write("related", mine)
    hands.ledger.clash(
        hands.entry,
        ("", "related"),
        ([], [mine], [theirs]),
        _choice(hands),
        lambda state: state.update(related=[mine]),
    )
    return True


def order(hands: Hands, platform: Platform) -> bool:
    """Both move items."""
    rows, items = hands.entry.rows, hands.entry.items
    if len(rows) < 4:
        return False
    platform.change_items(hands.entry.code, lambda found: found.reverse())
    hands.page.move(rows[-1], before=rows[1])
    yours = [items[0], items[-1], *items[1:-1]]
    names = [[item["name"] for item in each] for each in (items, yours, items[::-1])]
    hands.ledger.clash(
        hands.entry,
        ("", "order"),
        (names[0], names[1], names[2]),
        _choice(hands),
        lambda state: arrange(state, yours),
    )
    return True


def numbers(hands: Hands, platform: Platform) -> bool:
    if hands.state["census"].get("storage_total"):
        return False
    platform.count(hands.entry.code, storage_total="13")
    hands.entry.write("census.storage_total", "14")
    hands.ledger.clash(
        hands.entry,
        ("", "census.storage_total"),
        (None, "14", "13"),
        _choice(hands),
        lambda state: state["census"].update(storage_total="14"),
    )
    return True


def added_by_both(hands: Hands, platform: Platform) -> bool:
    """Both add an item of one column, of different lengths."""
    new = {"column_name": "from_both", "name": "两边都加的", "data_type": "C", "length": 10}
    platform.change_items(hands.entry.code, lambda items: items.append(new))
    old = hands.entry.rows[-1]
    common = {name: old.text(name) for name in ("name", "code", "version")}
    cells = {"item.name": "两边都加的", "item.column_name": "from_both", "item.length": "99"}
    hands.page.add_after(old, Row({**common, **cells}))
    hands.ledger.clash(
        hands.entry,
        ("from_both", "length"),
        (None, 99, 10),
        _choice(hands),
        lambda state: state["items"][-1].update(length=99),
    )
    return True


def alike(hands: Hands, platform: Platform) -> bool:
    """Both write the same: no conflict, and nothing left to do."""
    platform.publish(hands.entry.code, fields={"contact_phone": "023-99999999"})
    hands.entry.write("contact_phone", "023-99999999")
    return True


def apart(hands: Hands, platform: Platform) -> bool:
    """The platform writes one field, the sheet another."""
    platform.publish(hands.entry.code, fields={"contact_phone": "023-88888888"})
    return hands.set("note", "表里的备注", "表里的备注")


def only_there(hands: Hands, platform: Platform) -> bool:
    """The platform alone changed fields, items and their order; the sheet is as it went out."""

    def edit(items: list[dict[str, Any]]) -> None:
        items[-1]["description"] = "平台的说明"
        items.reverse()

    platform.change_items(hands.entry.code, edit)
    return True


def under_change(hands: Hands, platform: Platform) -> bool:
    """A change has been begun: the sheet's must wait."""
    dataset = Dataset.objects.select_related("department").get(code=hands.entry.code)
    clerk, _head = clerk_and_head(dataset.department)
    catalog.begin_change(dataset=dataset, actor=clerk, at=platform.at, fields={"note": "正在改"})
    hands.set("contact_name", "表里的人", "表里的人")
    return hands.wrong("code", "有一次变更正在办理")


def withdrawn(hands: Hands, platform: Platform) -> bool:
    dataset = Dataset.objects.select_related("department").get(code=hands.entry.code)
    _clerk, head = clerk_and_head(dataset.department)
    dataset = catalog.request_withdrawal(
        dataset=dataset, actor=head, at=platform.at, reason="职能已划转"
    )
    catalog.withdraw(dataset=dataset, actor=platform.officer, at=platform.at)
    hands.set("contact_name", "表里的人", "表里的人")
    return hands.wrong("code", "已经撤回")


def _by_key(state: State, item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in state["items"] if row["pk"] == item["pk"])
    return found


CONFLICTS: Final[tuple[Meeting, ...]] = (
    field, item_field, gone_here, gone_there, related, order, numbers, added_by_both,
)  # fmt: skip
OTHERS: Final[tuple[Meeting, ...]] = (alike, apart, only_there, under_change, withdrawn)
