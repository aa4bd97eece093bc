"""Refuse what contradicts itself, or what no entry may be given, once it is compared."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.catalog.spreadsheets.comparing import Merged
from apps.catalog.spreadsheets.stating import Stated
from apps.catalog.surroundings import significant

_NAMED = 10


def refuse_doubled_items(stated: Stated) -> None:
    """Two rows of an entry may not be one item: neither by name nor by column."""
    seen: dict[tuple[str, str], int] = {}
    for item in stated.items:
        for name in ("name", "column_name"):
            text = str(item.values.get(name) or "")
            if not text:
                continue
            first = seen.setdefault((name, significant(text) if name == "name" else text), item.row)
            if first != item.row:
                stated.raw.fault(
                    "error",
                    f"item.{name}",
                    _("“%(text)s”与第 %(row)s 行重复（不计空格和标点）")
                    % {"text": text[:50], "row": first},
                    _("删去多余的行，或者改成不同的名称"),
                    row=item.row,
                )


def refuse_what_may_only_stay(stated: Stated, merged: Merged) -> None:
    """An entry keeps what it points to; what nobody may choose any more it is not given."""
    clashing = {clash.field for clash in merged.clashes if not clash.item}
    for name, read in stated.kept_only.items():
        if name in merged.fields or name in clashing:
            stated.raw.fault("error", name, str(read.fault), str(read.remedy))


def refuse_sensitive_without_personal(
    stated: Stated, merged: Merged, state: Mapping[str, Any] | None
) -> None:
    """What is sensitive is personal too, also where the sheet speaks of one of the two alone."""
    words = _("敏感个人信息同时也是个人信息，不能只去掉后者")
    remedy = _("两处都填“是”，或者都填“否”")
    entry = {**(state or {}), **merged.fields}
    if entry.get("contains_sensitive") and not entry.get("contains_personal"):
        stated.raw.fault("error", "contains_personal", words, remedy)
    rows = {
        item.values.get("column_name") or item.values.get("name"): item for item in stated.items
    }
    for item in merged.items or ():
        if item.get("sensitive") and not item.get("personal"):
            said = rows.get(item.get("column_name")) or rows.get(item.get("name"))
            stated.raw.fault("error", "item.personal", words, remedy, row=said.row if said else 0)


def tell_unmentioned(stated: Stated, merged: Merged) -> None:
    """A row that was deleted takes no item out; who sent the whole export may think it does."""
    if not stated.version or not merged.unmentioned:
        return
    names = "、".join(f"“{name}”" for name in merged.unmentioned[:_NAMED])
    stated.raw.fault(
        "warning",
        "item.name",
        _("有 %(count)s 个数据项没有写到，保持原样：%(names)s")
        % {"count": len(merged.unmentioned), "names": names},
        _("要删去的，保留这一行，在“操作”列填“删除”"),
    )
