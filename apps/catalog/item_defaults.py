"""What a new item is given when whoever enters it says no more than its name."""

from collections.abc import Collection
from typing import Any, Final

from apps.catalog.surroundings import significant
from apps.standards.models import DataElement
from apps.standards.types import DataType

# What an element of the standards gives to an item of its name that says nothing else.
FROM_ELEMENT: Final = ("column_name", "length", "scale", "value_check", "mask")

_IDENTITY: Final = ("身份证号", "身份证号码", "公民身份证号", "公民身份证号码", "身份证件号码")
_ALSO_KNOWN_AS: Final = {
    **dict.fromkeys(("居民身份证号", "居民身份证号码", "公民身份号", *_IDENTITY), "公民身份号码"),
    **dict.fromkeys(("社会信用代码", "信用代码", "统一信用代码"), "统一社会信用代码"),
    **dict.fromkeys(("手机号", "手机号码", "移动电话"), "联系电话"),
}
"""What departments call the elements of the standards that most entries have."""

_SOMEBODYS: Final = ("公民身份号码", *_IDENTITY)


def standard_name(name: str) -> str:
    """Return the name under which the standards know an item, its own where it has no other.

    Somebody's identity number (申请人身份证号) is an identity number, whoever's it is.
    """
    plain = significant(name)
    if plain in _ALSO_KNOWN_AS:
        return _ALSO_KNOWN_AS[plain]
    return "公民身份号码" if plain.endswith(_SOMEBODYS) else name


def follow_element(row: dict[str, Any], element: DataElement, used: Collection[str]) -> None:
    """Give a new item what the standard says and its row leaves open; `used` columns are taken."""
    is_somebodys = significant(str(row["name"])) not in {significant(element.name), *_ALSO_KNOWN_AS}
    says_nothing = row.get("data_type", DataType.TEXT) == DataType.TEXT and not row.get("length")
    for name in FROM_ELEMENT:
        if name == "column_name" and is_somebodys:
            continue
        if row.get(name) in (None, "") and getattr(element, name) not in (None, ""):
            row[name] = getattr(element, name)
    if row.get("column_name") in used:
        row["column_name"] = ""
    if says_nothing:
        row["data_type"] = element.data_type
    row["data_element"], row["code_list"] = element, element.code_list
    row["sensitive"] = row.get("sensitive") or element.sensitive
    row["personal"] = row.get("personal") or element.personal or element.sensitive


def provisional_column(used: Collection[str]) -> str:
    """Return a column name for an item that nobody has named yet."""
    number = 1
    while f"item_{number}" in used:
        number += 1
    return f"item_{number}"
