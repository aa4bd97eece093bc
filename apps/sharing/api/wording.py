"""What the API says of fields that stand in several bodies."""

from typing import Any

from django.utils.translation import gettext_lazy as _

REVISION_HELP = _("所见的修订号；给出而与现状不符时，返回 stale_revision")
CONDITION_HELP = _("数据范围条件，逐条同时成立：[{item, operator, value}]")


LIMIT_HELP: dict[str, Any] = {
    "calls_a_day": _("每日调用次数上限，按自然日；空为不限"),
    "rows_a_day": _("每日读取记录条数上限，按自然日，核验计找到的；空为不限"),
    "calls_a_minute": _("每分钟调用次数上限，按自然分钟；空为不限"),
    "allowed_addresses": _("允许的来源地址：IP 地址或网段的列表；空为不限"),
    "may_redistribute": _("是否允许在使用部门内部再分发"),
}
LIMIT_KWARGS: dict[str, Any] = {
    name: {"help_text": text} for name, text in LIMIT_HELP.items() if name != "allowed_addresses"
}
