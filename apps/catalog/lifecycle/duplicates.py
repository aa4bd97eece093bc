"""How a seeming duplicate is decided, and reopened when its evidence changes.

Source: 《政务数据共享条例》第十九条
"""

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import DuplicateStatus
from apps.core.lifecycle import Lifecycle, Move

DUPLICATE = Lifecycle(
    "catalog.Duplicate",
    states=DuplicateStatus,
    moves=[
        Move(
            "name_source",
            _("确定数源"),
            sources=("open",),
            target="source_named",
            owed=_("非数源部门改从数源部门共享取得"),
            reason=True,
            tone="primary",
        ),
        Move(
            "tell_apart",
            _("不是同一数据"),
            sources=("open",),
            target="different_things",
            reason=True,
        ),
        Move(
            "reconsider",
            _("重新考虑"),
            sources=("source_named", "different_things", "lapsed"),
            target="open",
            owed=_("主管部门确定数源"),
            reason=True,
        ),
        Move("lapse", _("不再相似"), sources=("open",), target="lapsed"),
    ],
)
