"""Closed lists by label, code and the ways in which departments write them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from apps.catalog.models import (
    DirtyLimitAction,
    FormatClass,
    Grade,
    ModeClass,
    ModeType,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.surroundings import significant
from apps.standards.checks import CHECK_CHOICES
from apps.standards.masks import MASK_CHOICES
from apps.standards.normalisers import NORMALISERS
from apps.standards.types import DataType

_VARIANTS: Final[dict[str, dict[str, str]]] = {
    "sharing_attribute": {
        "unconditional": "无条件 普遍共享 完全共享 1 01 无条件共享类",
        "conditional": "有条件 部分共享 2 02 有条件共享类 授权共享",
        "not_shared": "不共享 不予 3 03 不予共享类 暂不共享",
    },
    "opening_attribute": {
        "unconditional": "是 开放 无条件 可开放 完全开放",
        "conditional": "有条件 依申请开放 部分开放",
        "not_opened": "否 不开放 不予 暂不开放",
    },
    "format_class": {
        "document": "文档 文件 电子文档",
        "spreadsheet": "表格 电子表 excel",
        "database": "库表 数据表 数据库表 db",
        "image": "图形 图像 图片 图形图象",
        "stream": "视频 音频 音视频",
        "self_describing": "自描述 其他 其它",
    },
    "mode_class": {
        "platform": "共享平台 平台 平台方式 通过共享平台方式 数据共享交换平台",
        "mail": "电子邮件 邮箱 邮件方式",
        "disk": "u盘 拷盘方式 光盘",
        "media": "介质 介质方式",
    },
    "mode_type": {
        "database": "库表 数据库表 库表交换 数据表",
        "file": "文件下载 文件交换",
        "interface": "服务接口 api 接口服务 webservice 接口调用",
    },
    "update_cycle": {
        "realtime": "实时更新 即时 realtime",
        "daily": "每天 日 天 按日 按天 每日更新",
        "ten_days": "旬 按旬",
        "weekly": "周 按周 每星期 每周更新",
        "monthly": "月 按月 每月更新 月度",
        "quarterly": "季 季度 每季 按季 按季度 每季度更新",
        "half_yearly": "半年 按半年 每半年更新",
        "yearly": "年 按年 年度 每年更新",
        "irregular": "其他 其它 按需 按需更新 不定时 随时",
        "once": "一次 不更新 静态",
    },
    "dirty_limit_action": {
        "stop": "停止 拒收 整批拒收 不入库",
        "quarantine": "隔离 留存 留存待改 合格的入库",
    },
    "grade": {
        "1": "1级 一级 l1 第1级 一般1级 一般数据1级 公开",
        "2": "2级 二级 l2 第2级 一般2级",
        "3": "3级 三级 l3 第3级 一般3级",
        "4": "4级 四级 l4 第4级 一般4级",
        "important": "重要",
        "core": "核心",
    },
    "data_type": {
        "C": "字符 字符串 字符串型 文本 文本型 varchar varchar2 nvarchar nvarchar2 char string",
        "N": "数值 数字 数字型 numeric number decimal",
        "Y": "货币 金额 金额型 money currency",
        "D": "日期 date",
        "T": "日期时间 时间型 时间 datetime timestamp 时间戳",
        "L": "逻辑 布尔 布尔型 boolean bool bit",
        "M": "备注 长文本 text clob longtext",
        "G": "通用 二进制 二进制型 blob image",
        "B": "双精度 double",
        "I": "整 整数 整数型 int integer bigint smallint tinyint 长整型",
        "F": "浮点 浮点数 float real",
    },
}
_CHOICES: Final[dict[str, Iterable[tuple[Any, Any]]]] = {
    "sharing_attribute": SharingAttribute.choices,
    "opening_attribute": OpeningAttribute.choices,
    "format_class": FormatClass.choices,
    "mode_class": ModeClass.choices,
    "mode_type": ModeType.choices,
    "mode": ModeType.choices,
    "update_cycle": UpdateCycle.choices,
    "dirty_limit_action": DirtyLimitAction.choices,
    "grade": Grade.choices,
    "data_type": DataType.choices,
    "value_check": CHECK_CHOICES,
    "mask": MASK_CHOICES,
}
_YES = "是 有 y yes true 1 √ ✓ v 真 必填 含 涉及 已确认 不含 确认"
_NO = "否 无 n no false 0 × x 假 非必填 选填 不涉及 未确认"
YES: Final = frozenset(_YES.split())
NO: Final = frozenset(_NO.split())
_TYPE_WITH_LENGTH = re.compile(
    r"^([a-z0-9_]+)[(（]\s*(\d+)\s*(?:[,，]\s*(\d+)\s*)?[)）]$", re.IGNORECASE
)


def _known(field: str) -> dict[str, str]:
    known: dict[str, str] = {}
    for value, label in _CHOICES[field]:
        words = [str(value), str(label), f"{label}{value}", f"{value}{label}"]
        for word in words:
            known.setdefault(significant(word), str(value))
    for value, words_of in _VARIANTS.get("mode_type" if field == "mode" else field, {}).items():
        for word in words_of.split():
            known.setdefault(significant(word), value)
    return known


_BY_WORD: Final[Mapping[str, Mapping[str, str]]] = {field: _known(field) for field in _CHOICES}


def chosen(field: str, text: str) -> str | None:
    """Return the value of a closed list that the text means, None when it means none."""
    return _BY_WORD[field].get(significant(text))


def labels_of(field: str) -> list[str]:
    """Return the list's labels in its order, as the template offers them."""
    if field == "data_type":
        return [f"{label}{value}" for value, label in _CHOICES[field]]
    return [str(label) for _value, label in _CHOICES[field]]


def label_for(field: str, value: str) -> str:
    """Return the label of a value, as exports write it."""
    for known, label in _CHOICES[field]:
        if str(known) == value:
            return f"{label}{value}" if field == "data_type" else str(label)
    return value


def type_with_length(text: str) -> tuple[str, str, str] | None:
    """Return type, length and scale of `varchar(50)` or `decimal(10,2)`."""
    found = _TYPE_WITH_LENGTH.match(text.strip())
    if found is None:
        return None
    kind = chosen("data_type", found[1])
    return (kind, found[2], found[3] or "") if kind else None


def words_of_list(field: str, values: Iterable[Any]) -> list[str]:
    """Return a list's parts as people read them: of normalisers their short names."""
    if field != "normalise":
        return [str(value) for value in values]
    return [str(NORMALISERS[name].word) if name in NORMALISERS else name for name in values]
