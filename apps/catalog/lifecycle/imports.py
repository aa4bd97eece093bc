"""How an uploaded spreadsheet moves from the queue to drafts, or is given up.

Source: house rule (design §3.6, §3.9)
"""

from django.utils.translation import gettext_lazy as _

from apps.catalog.models import CatalogImport
from apps.core.lifecycle import Lifecycle, Move

_STATUS = CatalogImport.Status
OPEN_IMPORT = (_STATUS.RECEIVED, _STATUS.CHECKING, _STATUS.ADOPTING)
IMPORT = Lifecycle(
    "catalog.CatalogImport",
    states=_STATUS,
    moves=[
        Move(
            "check",
            _("开始检查"),
            sources=("received", "checking"),
            target="checking",
            owed=_("平台检查"),
        ),
        Move(
            "finish_check",
            _("检查完毕"),
            sources=("checking",),
            target="checked",
            owed=_("上传人决定是否采用"),
        ),
        Move("refuse", _("无法读取"), sources=("checking",), target="refused"),
        Move("recheck", _("重新检查"), sources=("checked",), target="received"),
        Move(
            "adopt",
            _("采用"),
            sources=("checked",),
            target="adopting",
            owed=_("平台写入草稿和变更"),
            tone="primary",
        ),
        Move("complete", _("采用完毕"), sources=("adopting",), target="adopted"),
        Move(
            "give_back",
            _("未能采用"),
            sources=("adopting",),
            target="checked",
            owed=_("上传人重新检查"),
        ),
        Move(
            "discard",
            _("放弃"),
            sources=("received", "checked"),
            target="discarded",
            tone="danger",
        ),
    ],
)
