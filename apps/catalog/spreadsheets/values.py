"""Read an entry's cells into plain values, as snapshots keep them; each cell a value or a fault."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.models.item import COLUMN_PATTERN
from apps.catalog.spreadsheets import cells, choices
from apps.catalog.spreadsheets.cells import Read
from apps.catalog.spreadsheets.columns import BY_NAME, CLEAR_MARKS, ITEM_OF, PER_ITEM, Column
from apps.catalog.spreadsheets.known import COUNTED
from apps.catalog.spreadsheets.placing import Placing
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.rows import RawEntry, RawItem
from apps.catalog.spreadsheets.stating import Stated, StatedItem
from apps.catalog.surroundings import significant
from apps.standards.normalisers import NORMALISERS

SEPARATORS: Final = re.compile(r"[,，、;；\n]+")
_HEADINGS_OF_ENTRY = frozenset({"code", "provider", "provider_code", "version", "format_other"})
_STRICTNESS = {
    "sharing_attribute": ("unconditional", "conditional", "not_shared"),
    "opening_attribute": ("unconditional", "conditional", "not_opened"),
}
_TOLD_WHEN_TAKEN: Final = frozenset({"data_type", "opening_attribute"})
_MUST_STAND: Final = frozenset(
    {
        "name", "format_class", "format_type", "sharing_attribute", "mode_class",
        "opening_attribute", "update_cycle", "grade", "item.name", "item.data_type",
        "item.column_name", "dirty_limit_ratio", "dirty_limit_action",
    }
)  # fmt: skip
_EMPTY: Final[dict[str, Any]] = {
    "flag": False,
    "words": [],
    "integer": None,
    "length": None,
    "decimal": None,
    "day": None,
    "element": None,
    "code_list": None,
    "system": None,
    "department": None,
}


class Reader:
    """Reads entries; `own` is the department of whoever uploads, None for the whole city."""

    def __init__(self, references: References, own: Department | None) -> None:
        self.references = references
        self._placing = Placing(references, own)
        self._known: dict[tuple[str, str], Read] = {}

    def read(self, raw: RawEntry) -> Stated:
        """Return what the entry's own cells say; faults are noted in the raw entry."""
        stated = Stated(raw)
        stated.department = self._placing.department(raw)
        stated.code = self._placing.code(raw)
        stated.version, stated.count = _stamp(cells.narrow(raw.text("version")))
        stated.classification = self._placing.classification(raw, stated.code)
        for name, (text, row) in raw.cells.items():
            if name in _HEADINGS_OF_ENTRY or name.startswith("class."):
                continue
            self._take(stated, BY_NAME[name], text, row)
        self._settle_format(stated)
        return stated

    def read_items(self, stated: Stated) -> None:
        """Read the rows about items as well; their cells are not kept."""
        raw = stated.raw
        stated.items = [self._item(stated, item) for item in raw.items]
        raw.items = []
        self._settle_per_item(stated)

    def _take(self, stated: Stated, column: Column, text: str, row: int) -> None:
        if column.name == "related":
            stated.related = self._related(text)
            return
        read = self._value(stated, column, text)
        if read.is_kept_only:
            stated.kept_only[column.field] = read
        elif not self._settle(stated.raw, column, read, row):
            return
        if column.name.startswith("census."):
            stated.census[column.name[7:]] = read.value
        else:
            stated.values[column.field] = read.value

    def _settle(self, raw: RawEntry, column: Column, read: Read, row: int) -> bool:
        """Note what is to be said of the cell; say whether it has a value."""
        if read.warning:
            raw.fault("warning", column.name, str(read.warning), row=row)
        if read.fault:
            raw.fault("error", column.name, str(read.fault), str(read.remedy), row=row)
        return not read.fault

    def _value(self, stated: Stated, column: Column, text: str) -> Read:
        key = (column.name, text)
        known = self._known.get(key)
        if known is None:
            known = self._read(stated, column, text)
            if not _depends_on_the_entry(column) and len(self._known) < 50_000:
                self._known[key] = known
        return known

    def _read(self, stated: Stated, column: Column, text: str) -> Read:
        fault = cells.formula_fault(text)
        if fault is not None:
            return fault
        if text in CLEAR_MARKS:
            if column.name in _MUST_STAND:
                return Read(
                    fault=_("“%(label)s”不能清空") % {"label": column.label},
                    remedy=_("填写新的值，或者让单元格空着，空着即不改动"),
                )
            return Read([] if column.kind == "words" else _EMPTY.get(column.kind, ""))
        return _READERS[column.kind](self, stated, column, text)

    def _item(self, stated: Stated, raw: RawItem) -> StatedItem:
        item = StatedItem(raw.row, {})
        for name, text in raw.cells.items():
            self._take_item_cell(stated, item, name, text)
        length = item.values.get("length")
        if isinstance(length, tuple):
            item.values["length"] = length[0]
            item.values.setdefault("scale", length[1])
        if item.values.get("sensitive"):
            if item.values.get("personal") is False:
                stated.raw.fault("warning", "item.personal", _sensitive_is_personal(), row=raw.row)
            item.values["personal"] = True
        if not (item.values.get("name") or item.values.get("column_name")):
            stated.raw.fault(
                "error", "item.name", _("信息项名称没有填写"), _("填写名称"), row=raw.row
            )
        return item

    def _take_item_cell(self, stated: Stated, item: StatedItem, name: str, text: str) -> None:
        if name == "operation":
            item.removes = self._operation(stated, text, item.row)
            return
        if name == "key":
            item.key = self._key(stated, text, item.row)
            return
        typed = choices.type_with_length(text) if name == "data_type" else None
        if typed is not None:
            self._take_type(item, typed)
            return
        column = BY_NAME[f"item.{name}"]
        read = self._value(stated, column, text)
        if self._settle(stated.raw, column, read, item.row):
            item.values[name] = read.value

    def _take_type(self, item: StatedItem, typed: tuple[str, str, str]) -> None:
        kind, length, scale = typed
        item.values["data_type"] = kind
        item.values.setdefault("length", int(length[:7]))
        if scale:
            item.values.setdefault("scale", int(scale[:3]))

    def _operation(self, stated: Stated, text: str, row: int) -> bool:
        word = significant(text)
        if word in {"删除", "移除", "删", "delete"}:
            return True
        if word not in {"", "新增", "修改", "保留", "不变", "变更", "新建"}:
            stated.raw.fault(
                "error",
                "item.operation",
                _("“操作”列不认识“%(text)s”") % {"text": text[:20]},
                _("要删去数据项填“删除”，其他情况空着"),
                row=row,
            )
        return False

    def _key(self, stated: Stated, text: str, row: int) -> str | None:
        word = significant(text)
        if word in {"主体标识", "主体", "subject"}:
            return "subject"
        if word in {"主键", "是", "y", "yes", "1", "key", "pk"}:
            return "key"
        if word in {"否", "n", "no", "0"} or text in CLEAR_MARKS:
            return ""
        stated.raw.fault(
            "error",
            "item.key",
            _("“主键”列不认识“%(text)s”") % {"text": text[:20]},
            _("说明“是谁的记录”的一列填“主体标识”，其余主键填“主键”"),
            row=row,
        )
        return None

    def _related(self, text: str) -> list[str]:
        if text in CLEAR_MARKS:
            return []
        found = (part.strip().replace("-", "/") for part in SEPARATORS.split(cells.narrow(text)))
        return sorted({code for code in found if code})

    def _settle_format(self, stated: Stated) -> None:
        """The old template writes the type of a self-describing format into a column of its own."""
        other = stated.raw.text("format_other")
        kind = stated.values.get("format_type", "")
        if other and other not in CLEAR_MARKS and (not kind or kind in {"其他", "其它"}):
            stated.values["format_type"] = other[:30].lower()
        elif kind:
            stated.values["format_type"] = kind.lower()
        if stated.values.get("contains_sensitive"):
            if stated.values.get("contains_personal") is False:
                stated.raw.fault("warning", "contains_personal", _sensitive_is_personal())
            stated.values["contains_personal"] = True
        if stated.values.get("sharing_attribute") == "not_shared":
            self._settle_statute(stated)

    def _settle_statute(self, stated: Stated) -> None:
        """The old template has the statute of what is not shared where conditions stand."""
        has_column = "sharing_statute" in stated.raw.table.places
        if "sharing_statute" in stated.values or (has_column and stated.code):
            return
        if stated.values.get("sharing_condition"):
            stated.values["sharing_statute"] = stated.values.pop("sharing_condition")

    def _settle_per_item(self, stated: Stated) -> None:
        """Where the rows of an entry differ in sharing, the loosest is the entry's own."""
        for name in PER_ITEM:
            said = stated.raw.per_item.get(name, [])
            if len({text for _place, text in said}) < 2:
                continue
            column = BY_NAME[name]
            values = [(place, self._value(stated, column, text)) for place, text in said]
            good = [(place, read.value) for place, read in values if not read.fault]
            order = _STRICTNESS.get(name)
            if order is not None and good:
                stated.values[name] = min((value for _p, value in good), key=order.index)
            for place, value in good:
                if value != stated.values.get(name) and place < len(stated.items):
                    stated.items[place].values.setdefault(ITEM_OF[name], value)


def _stamp(text: str) -> tuple[str, int | None]:
    """Tell the version from how often the census was written: 3·普查2."""
    version, _mark, count = text.partition(COUNTED)
    if not version:
        return "", None
    return version, int(count) if count.isascii() and count.isdigit() and len(count) < 9 else 0


def _sensitive_is_personal() -> str:
    return _("敏感个人信息同时也是个人信息，按“是”计")


def _depends_on_the_entry(column: Column) -> bool:
    """Whether the same text may mean another thing in another entry; long texts do not recur."""
    return column.kind in {"text", "system"} or column.field == "opening_attribute"


def _text(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    longest = column.longest
    if longest is not None and len(text) > longest:
        return Read(
            fault=_("“%(label)s”有 %(count)s 个字，不能超过 %(limit)s 个")
            % {"label": column.label, "count": len(text), "limit": longest},
            remedy=_("写短一些"),
        )
    if column.name == "item.column_name" and not re.match(COLUMN_PATTERN, text.lower()):
        return Read(
            fault=_("列名“%(text)s”不合规则") % {"text": text[:30]},
            remedy=_("小写英文字母开头，只用小写字母、数字和下划线"),
        )
    return Read(text.lower() if column.name == "item.column_name" else text)


def _choice(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    value = choices.chosen(column.field, text)
    if value is not None:
        if column.field == "opening_attribute" and significant(text) == "是":
            has_condition = bool(stated.raw.text("opening_condition"))
            value = "conditional" if has_condition else "unconditional"
        return Read(value, warning=_understood(column, text, value))
    known = choices.labels_of(column.field)
    return Read(
        fault=_("“%(label)s”没有“%(text)s”这个值") % {"label": column.label, "text": text[:30]},
        remedy=_("可以填：%(known)s") % {"known": "、".join(known[:14])},
    )


def _understood(column: Column, text: str, value: str) -> str:
    """Say how a word was taken that is none of the list's own, where much hangs on it."""
    if column.field not in _TOLD_WHEN_TAKEN:
        return ""
    label = choices.label_for(column.field, value)
    known = {significant(label), significant(label.removesuffix(value)), significant(value)}
    if significant(text) in known or value == "not_opened":
        return ""
    return _("“%(text)s”读作“%(label)s”") % {"text": text[:30], "label": label}


def _length(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    pair = re.match(r"^(\d+)\s*[,，(（]\s*(\d+)\s*[)）]?$", cells.narrow(text))
    if pair is not None:
        return Read((int(pair[1][:7]), int(pair[2][:3])))
    return cells.whole(text, "length", most=10_000_000)


def _decimal(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    read = cells.number(text, "万" if "万" in column.label else "G")
    if read.fault:
        return read
    if read.value < 0 or read.value >= 10**12:
        return Read(fault=_("“%(text)s”超出范围") % {"text": text[:30]}, remedy=_("核对数字和单位"))
    return Read(cells.plain_number(round(read.value, 4)), warning=read.warning)


def _integer(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    return cells.whole(text, "", most=38 if column.field == "scale" else 2_000_000_000)


def _words(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    found = [word.strip() for word in SEPARATORS.split(text)]
    kept = list(dict.fromkeys(word for word in found if word))
    if column.field == "normalise":
        return _normalisers(kept)
    longest = 30 if column.field == "themes" else 100
    if any(len(word) > longest for word in kept):
        return Read(
            fault=_("“%(label)s”中有超过 %(limit)s 个字的词")
            % {"label": column.label, "limit": longest},
            remedy=_("用顿号隔开各词"),
        )
    return Read(kept)


def _normalisers(words: Sequence[str]) -> Read:
    known = {str(each.word): name for name, each in NORMALISERS.items()}
    unknown = [word for word in words if word not in known and word not in NORMALISERS]
    if unknown:
        return Read(
            fault=_("没有“%(word)s”这种规范化做法") % {"word": unknown[0][:30]},
            remedy=_("可以填：%(known)s") % {"known": "、".join(known)},
        )
    return Read([known.get(word, word) for word in words])


def _pointer(known: str) -> Callable[[Reader, Stated, Column, str], Read]:
    def read(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
        found = getattr(reader.references, known).get(significant(text))
        if found is not None:
            return Read(found.code)
        is_former = known == "departments" and text in reader.references.former
        return Read(
            text if is_former else None,
            fault=_("没有“%(text)s”这个%(label)s") % {"text": text[:50], "label": column.label},
            remedy=_("核对名称或者标识；不确定的空着"),
            is_kept_only=is_former,
        )

    return read


def _system(reader: Reader, stated: Stated, column: Column, text: str) -> Read:
    key = stated.department.pk if stated.department else 0
    found = reader.references.systems.get((key, significant(text)))
    if found is not None:
        return Read(found.code)
    is_known = text in reader.references.system_codes
    return Read(
        text if is_known else None,
        fault=_("提供部门没有“%(text)s”这个信息系统") % {"text": text[:50]},
        remedy=_("写信息系统清单中的名称或者编码；清单中没有的先登记，或者空着"),
        is_kept_only=is_known,
    )


_READERS: Final[dict[str, Callable[[Reader, Stated, Column, str], Read]]] = {
    "text": _text,
    "choice": _choice,
    "flag": lambda _reader, _stated, _column, text: cells.flag(text),
    "integer": _integer,
    "decimal": _decimal,
    "ratio": lambda _reader, _stated, _column, text: cells.ratio(text),
    "day": lambda _reader, _stated, _column, text: cells.day(text),
    "words": _words,
    "length": _length,
    "element": _pointer("elements"),
    "code_list": _pointer("code_lists"),
    "department": _pointer("departments"),
    "system": _system,
}
