"""A dataset with an item of every type, rows that are hard to compare, and who may read them."""

import random
from collections.abc import Callable
from typing import Any, Final

from django.test import Client

from apps.warehouse.sync.following.follower import Follower
from tests.factories.sharing import Scene, make_scene
from tests.factories.warehouse import column, landed

COLUMNS: Final = (
    column("code", "编号", length=20, required=True),
    column("name", "姓名", length=100),
    column("area", "区县", length=6),
    column("amount", "金额", "Y", length=12, scale=2),
    column("rate", "比率", "B"),
    column("size", "人数", "I"),
    column("born_on", "日期", "D"),
    column("seen_at", "时间", "T"),
    column("is_open", "是否", "L"),
    column("secret", "秘密", length=20),
)
HEADING: Final = ",".join(each.name for each in COLUMNS) + "\n"
CONDITION: Final = [{"item": "area", "operator": "eq", "value": "500103"}]
ITEMS: Final = {each.name: "" for each in COLUMNS if each.name != "secret"} | {"name": "cover_name"}
NARROWER: Final = {n: mask for n, mask in ITEMS.items() if n not in ("rate", "seen_at")}
NARROWER_ROWS: Final = [*CONDITION, {"item": "is_open", "operator": "eq", "value": True}]
Row = list[str]


def make_copied_scene(rows: int = 40) -> Scene:
    """A scene whose dataset has these columns and that many rows, landed by a batch."""
    items = [
        (each.name, each.label, each.type, each.length, each.required, {"scale": each.scale})
        for each in COLUMNS
    ]
    scene = make_scene(items=items, key_items=["code"])
    put(scene, [record(number) for number in range(rows)])
    return scene


def record(number: int, dice: random.Random | None = None) -> Row:
    """A row of every type, with what makes texts hard to compare."""
    dice = dice or random.Random(number)
    return [
        f"{number:06d}",
        dice.choice(["张三", "李 四", "欧阳;修", "a:b", 'A, "B"', "两行\n字", "𠮷野", ""]),
        dice.choice(["500103", "500103", "500112"]),
        dice.choice(["0", "1.50", "-20.00", "1000", ""]),
        dice.choice(["0.1", "1e22", "-0.0", "123456789.125", "1e-7", ""]),
        dice.choice(["0", "-7", "9007199254740993", ""]),
        dice.choice(["2026-01-05", "1899-12-31", ""]),
        dice.choice(["2026-01-05 08:00:00", "2026-12-31 23:59:59", ""]),
        dice.choice(["1", "0", ""]),
        "不给人看",
    ]


def put(scene: Scene, rows: list[Row], mode: str = "upsert", later: str = "") -> Any:
    """Land a batch of rows; later: a column that came after, the last of each row."""
    heading = HEADING if not later else f"{HEADING.strip()},{later}\n"
    lines = [",".join(_quoted(value) for value in row) + "\n" for row in rows]
    batch = landed(scene.dataset, heading + "".join(lines), actor=scene.provider, mode=mode)
    assert batch.status in ("landed", "unchanged"), batch.message
    return batch


def _quoted(value: str) -> str:
    doubled = value.replace('"', '""')
    return f'"{doubled}"' if value else ""


def shown(client: Client, address: str) -> list[dict[str, Any]]:
    """What the pages show at this moment."""
    rows: list[dict[str, Any]] = client.get(address, {"limit": "10000"}).json()["data"]
    return rows


def held(follower: Follower) -> list[dict[str, Any]]:
    """What a copy holds, written as the pages write it."""
    copy, standing = follower.copy, follower.copy.standing()
    with copy.engine.connect() as plane:
        return [
            {"_id": row_id, **dict(zip(standing.names, map(_written, values), strict=True))}
            for row_id, values, _mark in copy.rows(plane, standing)
        ]


def _written(value: Any) -> Any:
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


class Killed(BaseException):
    pass


def dying(owner: Any, step: str, when: str, calls: int) -> Callable[[], None]:
    """Let the given call of a step be the last thing that happens; return how to undo that."""
    real, count = getattr(owner, step), 0

    def die(*args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == calls and when == "before":
            raise Killed
        answer = real(*args, **more)
        if count == calls:
            raise Killed
        return answer

    setattr(owner, step, die)
    return lambda: setattr(owner, step, real)
