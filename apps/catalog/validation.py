"""What is wrong with a catalogue entry: errors that keep it from being submitted, and warnings.

Rules are small functions of the entry and its items; each yields remarks in the clerk's words.

Source: 《政务数据共享条例》第三条、第十三条、第十五条；《政务信息资源目录编制指南（试行）》
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import (
    AssessmentKind,
    Conclusion,
    DataItem,
    Dataset,
    Grade,
    ModeClass,
    OpeningAttribute,
    SharingAttribute,
)
from apps.catalog.models.choices import ASSESSMENT_REASONS, FORMAT_TYPES, MODES_OF_FORMAT
from apps.catalog.surroundings import (
    Around,
    latest_conclusions,
    significant,
    significant_systems,
)
from apps.standards.checks import CHECKS
from apps.standards.masks import MASKS
from apps.standards.normalisers import fault_of
from apps.standards.types import DECIMAL_TYPES, DIGITS_LIMIT, DataType

NEEDS_COMPLETE: Final = (
    *("submit", "approve", "publish"),
    *("submit_change", "approve_change", "publish_change"),
)
RESERVED_COLUMNS: Final = frozenset(
    {
        "changes",
        "columns",
        "count",
        "cursor",
        "exports",
        "fields",
        "format",
        "limit",
        "mode",
        "order",
        "page",
        "purpose",
        "records",
        "rows",
        "schema",
        "shape",
        "verify",
    }
)
"""The API's own words, and what may become one."""

PROVISIONAL_COLUMN: Final = re.compile(r"item_\d+")
"""The name of a column that nobody has named yet."""

_SYSTEM_NAME = re.compile(r"(系统|平台|网站|小程序|app)$", re.IGNORECASE)
_STRICTNESS = {
    SharingAttribute.UNCONDITIONAL: 0,
    SharingAttribute.CONDITIONAL: 1,
    SharingAttribute.NOT_SHARED: 2,
}
_SPECIAL_GRADES = (Grade.FOUR, Grade.IMPORTANT, Grade.CORE)
_CHECKED_TYPES: dict[str, tuple[str, ...]] = {
    "date": (DataType.DATE, DataType.TEXT),
    "longitude": (DataType.NUMBER, DataType.DOUBLE, DataType.FLOAT, DataType.TEXT),
    "latitude": (DataType.NUMBER, DataType.DOUBLE, DataType.FLOAT, DataType.TEXT),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to mend: `field` of the entry or of the item; `item` is the item's name or "".

    level: an error keeps the entry from going on, a warning does not; "review" is what a reviewer
    said.
    """

    level: Literal["error", "warning", "review"]
    field: str
    message: str | Promise
    item: str = ""

    @property
    def is_error(self) -> bool:
        return self.level == "error"

    def __str__(self) -> str:
        if self.item:
            return str(
                _("数据项“%(item)s”：%(message)s") % {"item": self.item, "message": self.message}
            )
        return str(self.message)


Rule = Callable[[Dataset, Sequence[DataItem], Around], Iterator[Remark]]


def remarks_on(dataset: Dataset, *, on: date) -> list[Remark]:
    """Return everything that is wrong or doubtful, errors first."""
    around = Around(
        on,
        significant_systems([dataset.department_id]).get(dataset.department_id, frozenset()),
        latest_conclusions([dataset.pk]).get(dataset.pk, {}),
    )
    return remarks_about(dataset, list(dataset.items.all()), around)


def remarks_about(dataset: Dataset, items: Sequence[DataItem], around: Around) -> list[Remark]:
    """Return the remarks on an entry as it would be, without a query; errors first."""
    found = [remark for rule in _RULES for remark in rule(dataset, items, around)]
    return sorted(found, key=lambda remark: not remark.is_error)


def errors_in(dataset: Dataset, *, on: date) -> list[Remark]:
    """Return what must be mended before the entry is submitted."""
    return [remark for remark in remarks_on(dataset, on=on) if remark.is_error]


def why_not(move: str, remarks: Sequence[Remark]) -> str:
    """Say why an incomplete entry cannot go on yet; empty when it can."""
    errors = [remark for remark in remarks if remark.is_error]
    if move not in NEEDS_COMPLETE or not errors:
        return ""
    if len(errors) == 1:
        return str(errors[0])
    return gettext("%(first)s；另有 %(count)s 处须修改") % {
        "first": errors[0],
        "count": len(errors) - 1,
    }


def _error(field: str, message: str | Promise, item: str = "") -> Remark:
    return Remark("error", field, message, item)


def _warning(field: str, message: str | Promise, item: str = "") -> Remark:
    return Remark("warning", field, message, item)


def _name(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    name = dataset.name.strip()
    if significant(name) in around.systems or _SYSTEM_NAME.search(name):
        yield _error("name", _("名称写的是信息系统，应写明其中是什么数据"))
    if re.search(r"[0-9０-９]$", name) and not re.search(r"(19|20)\d\d$", name):
        yield _warning("name", _("名称以数字结尾，可能是表格拖动填充所致"))


def _abstract(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    abstract = dataset.abstract.strip()
    if not abstract:
        yield _error("abstract", _("请填写摘要"))
    elif significant(abstract) == significant(dataset.name):
        yield _warning("abstract", _("摘要只是重复了名称，应说明数据的内容、范围和用途"))


def _format(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    types = FORMAT_TYPES[dataset.format_class]
    kind = dataset.format_type.strip().lower()
    if not kind:
        yield _error("format_type", _("请填写格式类型"))
    elif types and kind not in types:
        yield _error(
            "format_type",
            _("格式类型“%(type)s”不属于“%(class)s”，可以是：%(types)s")
            % {
                "type": dataset.format_type,
                "class": dataset.get_format_class_display(),
                "types": "、".join(types),
            },
        )


def _mode(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if dataset.mode_class != ModeClass.PLATFORM:
        if dataset.mode_type:
            yield _error("mode_type", _("只有共享平台方式才填写共享方式类型"))
        return
    if not dataset.mode_type:
        yield _error("mode_type", _("共享平台方式须填写类型：数据库、文件或接口"))
    elif dataset.mode_type not in MODES_OF_FORMAT[dataset.format_class]:
        yield _error(
            "mode_type",
            _("“%(class)s”格式不能以“%(mode)s”方式共享：数据库用数据库或接口，文件类用文件")
            % {
                "class": dataset.get_format_class_display(),
                "mode": dataset.get_mode_type_display(),
            },
        )


def _sharing(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if dataset.sharing_attribute == SharingAttribute.NOT_SHARED:
        if not dataset.sharing_reason.strip():
            yield _error("sharing_reason", _("不予共享的，须写明理由"))
        if not dataset.sharing_statute.strip():
            yield _error(
                "sharing_statute", _("不予共享的，须写明法律、行政法规或者国务院决定的依据")
            )
    if dataset.sharing_attribute == SharingAttribute.CONDITIONAL:
        if not dataset.sharing_scope.strip():
            yield _error("sharing_scope", _("有条件共享的，须写明共享范围"))
        if not dataset.sharing_condition.strip():
            yield _error(
                "sharing_condition", _("有条件共享的，须写明使用条件；没有条件的按无条件共享对待")
            )


def _opening(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    attribute = dataset.opening_attribute
    if attribute == OpeningAttribute.CONDITIONAL and not dataset.opening_condition.strip():
        yield _error("opening_condition", _("有条件开放的，须写明开放条件"))
    if attribute == OpeningAttribute.UNCONDITIONAL and dataset.contains_personal:
        yield _error("opening_attribute", _("含个人信息的不能无条件开放；脱敏后可改为有条件开放"))


def _dates(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if dataset.release_on is not None and dataset.release_on > around.on:
        yield _error("release_on", _("发布日期不能晚于今天"))


def _secrets(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if not dataset.holds_no_secrets:
        yield _error("holds_no_secrets", _("还没有确认“不含国家秘密和工作秘密”；含有的不得编目"))


def _grade(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    """House rule (domain §4): what a grade allows."""
    sharing, opening = dataset.effective_sharing_attribute, dataset.opening_attribute
    if dataset.grade == Grade.ONE and dataset.contains_sensitive:
        yield _error("grade", _("含敏感个人信息的数据不能定为 1 级"))
    if dataset.grade == Grade.TWO and sharing == SharingAttribute.UNCONDITIONAL:
        yield _warning("grade", _("2 级数据一般为有条件共享"))
    if dataset.grade == Grade.TWO and opening == OpeningAttribute.UNCONDITIONAL:
        yield _warning("grade", _("2 级数据一般脱敏后才开放"))
    if dataset.grade in (Grade.THREE, *_SPECIAL_GRADES):
        if sharing == SharingAttribute.UNCONDITIONAL:
            yield _error("sharing_attribute", _("3 级及以上的数据不能无条件共享"))
        if opening == OpeningAttribute.UNCONDITIONAL:
            yield _error("opening_attribute", _("3 级及以上的数据不能无条件开放"))
    if dataset.grade in _SPECIAL_GRADES and opening != OpeningAttribute.NOT_OPENED:
        yield _error("opening_attribute", _("4 级及以上的数据不予开放"))


def _duty(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if not (dataset.contact_name.strip() and dataset.contact_phone.strip()):
        yield _warning("contact_name", _("未填写联系人和电话，使用部门无法联系"))
    if not dataset.legal_duty.strip():
        yield _warning("legal_duty", _("未填写数据产生所依据的法定职责"))


def _key(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if not items:
        yield _error("items", _("至少要有一个数据项"))
        return
    by_column = {item.column_name: item for item in items}
    unknown = [name for name in dataset.key_items if name not in by_column]
    if not dataset.key_items:
        yield _error(
            "key_items", _("没有主键：标出能唯一确定一条记录的列，第一个是主体标识（如身份证号）")
        )
    elif unknown:
        yield _error(
            "key_items", _("主键列“%(names)s”不在数据项中") % {"names": "、".join(unknown)}
        )
    elif len(set(dataset.key_items)) != len(dataset.key_items):
        yield _error("key_items", _("主键列重复"))
    elif by_column[dataset.key_items[0]].data_type != DataType.TEXT:
        yield _error("key_items", _("主体标识（第一个主键列）须为字符型，以免丢失前导零"))
    for name in dataset.key_items:
        if name in by_column and not by_column[name].required:
            yield _warning("required", _("是主键列，入库时按必填处理"), by_column[name].name)


def _privacy(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    if any(item.personal for item in items) and not dataset.contains_personal:
        yield _error("contains_personal", _("有数据项属于个人信息，目录应标明“含个人信息”"))
    if any(item.sensitive for item in items) and not dataset.contains_sensitive:
        yield _error("contains_sensitive", _("有数据项属于敏感个人信息，目录应标明"))
    for item in items:
        if item.sensitive and not item.mask:
            yield _warning("mask", _("敏感个人信息未设默认脱敏方式，共享时将全部隐藏"), item.name)


def _item_names(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    alike = Counter(significant(item.name) for item in items)
    for item in items:
        if item.column_name in RESERVED_COLUMNS or "__" in item.column_name:
            yield _error("column_name", _("列名与接口的保留词冲突，请改名"), item.name)
        if PROVISIONAL_COLUMN.fullmatch(item.column_name):
            yield _warning(
                "column_name", _("列名是系统暂定的，请改为有意义的英文或拼音"), item.name
            )
        if alike[significant(item.name)] > 1:
            yield _error("name", _("与另一个数据项只差空格或标点"), item.name)


def _item_types(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    for item in items:
        if item.data_type in DECIMAL_TYPES:
            if not item.length:
                yield _error("length", _("数值型和货币型须填写长度（总位数）"), item.name)
            elif item.length > DIGITS_LIMIT or (item.scale or 0) > item.length:
                yield _error("length", _("总位数不超过 38，小数位数不超过总位数"), item.name)
        elif item.data_type == DataType.TEXT and not item.length:
            yield _warning("length", _("未填写长度，入库时不限长度"), item.name)


def _item_rules(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    for item in items:
        if item.value_check:
            fitting = _CHECKED_TYPES.get(item.value_check, (DataType.TEXT,))
            if item.value_check not in CHECKS:
                yield _error("value_check", _("没有这种校验规则"), item.name)
            elif item.data_type not in fitting:
                yield _error("value_check", _("校验规则与数据类型不符"), item.name)
        if item.mask and item.mask not in MASKS:
            yield _error("mask", _("没有这种脱敏方式"), item.name)
        elif item.mask and not MASKS[item.mask].fits(item.data_type):
            yield _error("mask", _("脱敏方式与数据类型不符"), item.name)
        if item.pattern and not _compiles(item.pattern):
            yield _error("pattern", _("格式表达式写法有误"), item.name)


def _item_normalisers(
    dataset: Dataset, items: Sequence[DataItem], around: Around
) -> Iterator[Remark]:
    for item in items:
        if fault := fault_of(item.normalise, item.data_type, item.length):
            yield _error("normalise", fault, item.name)


def _item_sharing(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    whole = _STRICTNESS[SharingAttribute(dataset.effective_sharing_attribute)]
    for item in items:
        if not item.sharing_attribute:
            continue
        if _STRICTNESS[SharingAttribute(item.sharing_attribute)] < whole:
            yield _error("sharing_attribute", _("数据项的共享属性不能比目录宽松"), item.name)
        elif (
            item.sharing_attribute == SharingAttribute.CONDITIONAL
            and not (item.sharing_condition or dataset.sharing_condition).strip()
        ):
            yield _error("sharing_condition", _("有条件共享的，须写明使用条件"), item.name)


def _assessments(dataset: Dataset, items: Sequence[DataItem], around: Around) -> Iterator[Remark]:
    needed = [AssessmentKind.SECRECY]
    if dataset.contains_personal:
        needed.append(AssessmentKind.PERSONAL_INFORMATION)
    for kind in needed:
        if around.conclusions.get(kind) != Conclusion.PASSED:
            yield _error("assessments", ASSESSMENT_REASONS[kind])


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


_RULES: tuple[Rule, ...] = (
    _name,
    _abstract,
    _format,
    _mode,
    _sharing,
    _opening,
    _dates,
    _secrets,
    _grade,
    _duty,
    _key,
    _privacy,
    _item_names,
    _item_types,
    _item_rules,
    _item_normalisers,
    _item_sharing,
    _assessments,
)
