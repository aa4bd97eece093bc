"""The columns of the template: those of 2017 in their order, then those that the law added.

Source: 《政务信息资源目录编制指南（试行）》 目录模板；《政务数据共享条例》第十三条
"""

from dataclasses import dataclass
from typing import Final, Literal

from django.core.exceptions import FieldDoesNotExist
from django.db.models import CharField

from apps.catalog.models import DataItem, Dataset

Kind = Literal[
    "text",
    "choice",
    "flag",
    "integer",
    "decimal",
    "ratio",
    "day",
    "words",
    "code",
    "element",
    "code_list",
    "system",
    "department",
    "length",
]
Scope = Literal["entry", "item"]
CLEAR_MARKS: Final = frozenset({"［清空］", "[清空]", "【清空】"})
CLEAR_MARK: Final = "［清空］"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` is the field, with `item.` before an item's; `label` is the heading.

    `aliases` are other headings by which departments know it; `of_2017` marks the old template's.
    """

    name: str
    label: str
    kind: Kind = "text"
    aliases: tuple[str, ...] = ()
    of_2017: bool = False
    width: int = 14

    @property
    def scope(self) -> Scope:
        return "item" if self.name.startswith("item.") else "entry"

    @property
    def field(self) -> str:
        return self.name.removeprefix("item.")

    @property
    def longest(self) -> int | None:
        """How many characters the field holds, where it is a text of the model."""
        model = DataItem if self.scope == "item" else Dataset
        try:
            found = model._meta.get_field(self.field)
        except FieldDoesNotExist:
            return None
        return found.max_length if isinstance(found, CharField) else None


def _old(name: str, label: str, *aliases: str, kind: Kind = "text", width: int = 14) -> Column:
    return Column(name, label, kind, aliases, of_2017=True, width=width)


def _new(name: str, label: str, *aliases: str, kind: Kind = "text", width: int = 14) -> Column:
    return Column(name, label, kind, aliases, width=width)


CENSUS: Final = (
    _old("census.storage_total", "数据存储总量(G)", "数据存储总量", kind="decimal"),
    _old("census.records_total", "结构化信息记录总数(万)", "结构化信息记录总数", kind="decimal"),
    _old("census.storage_shared", "已共享的数据存储量(G)", "已共享的数据存储量", kind="decimal"),
    _old(
        "census.records_shared", "已共享的结构化记录数(万)", "已共享的结构化记录数", kind="decimal"
    ),
    _old("census.storage_opened", "已开放的数据存储量(G)", "已开放的数据存储量", kind="decimal"),
    _old(
        "census.records_opened", "已开放的结构化记录数(万)", "已开放的结构化记录数", kind="decimal"
    ),
)
COLUMNS: Final = (
    _old("class.1", "信息资源分类(类)", "类", "资源分类类", "信息资源分类类", width=12),
    _old("class.2", "信息资源分类(项)", "项", "资源分类项", width=16),
    _old("class.3", "信息资源分类(目)", "目", "资源分类目", "资源分类", "信息资源分类", width=16),
    _old("class.4", "信息资源分类(细目)", "细目", "资源分类细目", width=12),
    _old(
        "name", "信息资源名称", "资源名称", "目录名称", "数据目录名称", "数据资源名称",
        "资源目录名称", "信息资源目录名称", "数据集名称", width=30,
    ),
    _old(
        "code", "信息资源代码", "资源代码", "目录代码", "目录编码", "信息资源编码", "资源编码",
        "数据目录代码", "资源目录代码", width=20,
    ),
    _old(
        "provider", "信息资源提供方", "资源提供方", "提供部门", "提供方", "数据提供部门",
        "信息资源提供单位", "提供单位", "责任部门", width=20,
    ),
    _old(
        "internal_unit", "提供方内部部门", "资源提供方内部部门", "内部处室", "提供处室", "处室",
        "信息资源提供方内部部门",
    ),
    _old(
        "provider_code", "资源提供方代码", "提供方代码", "统一社会信用代码", "部门编码",
        "信息资源提供方代码", width=20,
    ),
    _old("abstract", "信息资源摘要", "摘要", "资源摘要", "目录摘要", "数据资源摘要", width=40),
    _old("format_class", "信息资源格式分类", "格式分类", "资源格式分类", kind="choice"),
    _old("format_type", "信息资源格式类型", "格式类型", "资源格式类型", "信息资源格式"),
    _old("format_other", "其他类型资源格式描述", "其他格式描述", "其他类型资源格式"),
    *CENSUS,
    _old(
        "item.name", "信息项名称", "数据项名称", "字段名称", "字段中文名", "字段中文名称",
        "数据项", "信息项", width=22,
    ),
    _old("item.data_type", "数据类型", "字段类型", "信息项数据类型", kind="choice", width=12),
    _old("item.length", "数据长度", "长度", "字段长度", kind="length", width=10),
    _old("sharing_attribute", "共享类型", "共享属性", kind="choice"),
    _old("sharing_condition", "共享条件", "使用条件", width=26),
    _old("mode_class", "共享方式分类", kind="choice"),
    _old("mode_type", "共享方式类型", "共享方式", kind="choice"),
    _old("opening_attribute", "是否向社会开放", "开放属性", "是否开放", "社会开放", kind="choice"),
    _old("opening_condition", "开放条件", width=20),
    _old("update_cycle", "更新周期", "更新频率", "更新频度", kind="choice", width=10),
    _old("release_on", "发布日期", "发布时间", kind="day", width=12),
    _old("related", "关联资源代码", "关联目录", "关联目录代码", "关联资源", width=20),
    _new("version", "版本", "目录版本", "版本号", width=8),
    _new("item.operation", "操作", "变更操作", width=8),
    _new("item.column_name", "列名", "字段英文名", "字段名", "英文名称", "字段代码", width=20),
    _new("item.scale", "小数位数", "小数位", kind="integer", width=10),
    _new("item.required", "必填", "是否必填", kind="flag", width=8),
    _new("item.key", "主键", "是否主键", width=10),
    _new("item.personal", "个人信息", "是否个人信息", kind="flag", width=10),
    _new("item.sensitive", "敏感个人信息", "是否敏感个人信息", kind="flag", width=12),
    _new("item.data_element", "对应数据元", "数据元", kind="element"),
    _new("item.code_list", "代码集", "字典", "代码表", kind="code_list"),
    _new("item.value_check", "校验规则", kind="choice"),
    _new("item.mask", "默认脱敏方式", "脱敏方式", kind="choice"),
    _new("item.pattern", "格式表达式"),
    _new("item.minimum", "最小值", width=10),
    _new("item.maximum", "最大值", width=10),
    _new("item.headings", "其他表头写法", kind="words"),
    _new("item.description", "数据项说明", "信息项说明", "字段说明", width=26),
    _new("item.sharing_attribute", "数据项共享类型", "信息项共享类型", kind="choice"),
    _new("item.sharing_condition", "数据项使用条件", "信息项共享条件"),
    _new("item.mode", "数据项共享方式", kind="choice"),
    _new("item.opening_attribute", "数据项开放属性", "信息项开放属性", kind="choice"),
    _new("item.opening_condition", "数据项开放条件"),
    _new("item.grade", "数据项分级", "信息项分级", kind="choice"),
    _new("sharing_scope", "共享范围", width=20),
    _new("sharing_reason", "不予共享的理由", "不予共享理由"),
    _new("sharing_statute", "不予共享的依据", "不予共享依据"),
    _new("grade", "数据分级", "安全分级", "数据级别", kind="choice"),
    _new("contains_personal", "含个人信息", "是否含个人信息", kind="flag"),
    _new("contains_sensitive", "含敏感个人信息", "是否含敏感个人信息", kind="flag"),
    _new(
        "holds_no_secrets", "不含国家秘密和工作秘密", "不含国家秘密", "不涉密", kind="flag",
        width=12,
    ),
    _new("legal_duty", "法定职责", "职责依据", "权责清单事项编码", width=20),
    _new("service_item", "政务服务事项", width=20),
    _new("system", "来源信息系统", "所属信息系统", "信息系统名称", "信息系统", kind="system"),
    _new("source_department", "数源部门", kind="department"),
    _new("themes", "主题标签", "主题", kind="words"),
    _new("contact_name", "联系人"),
    _new("contact_phone", "联系电话"),
    _new("dirty_limit_ratio", "不合格记录上限比例", kind="ratio"),
    _new("dirty_limit_rows", "不合格记录上限行数", kind="integer"),
    _new("dirty_limit_action", "不合格记录超过上限时", kind="choice"),
    _new("note", "备注", "说明", width=26),
    _new("item.normalise", "规范化", "规范化方式", kind="words"),
)  # fmt: skip
NEEDED: Final = frozenset(
    {
        "class.3", "name", "provider", "abstract", "format_class", "format_type", "item.name",
        "item.data_type", "sharing_attribute", "mode_class", "mode_type", "opening_attribute",
        "update_cycle", "item.key", "grade", "holds_no_secrets",
    }
)  # fmt: skip
"""Without these no new entry is complete; the template shows them by their colour."""

BY_NAME: Final = {column.name: column for column in COLUMNS}
# Of one entry in several rows these may differ from row to row in the old template: then the
# loosest is the entry's and the others are their items' own.
PER_ITEM: Final = (
    "sharing_attribute",
    "sharing_condition",
    "mode_type",
    "opening_attribute",
    "opening_condition",
)
ITEM_OF: Final = {name: "mode" if name == "mode_type" else name for name in PER_ITEM}


def label_of(name: str) -> str:
    """Return the heading of a field as people know it."""
    return BY_NAME[name].label if name in BY_NAME else name
