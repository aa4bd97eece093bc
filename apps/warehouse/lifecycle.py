"""The moves of a batch and of a file that arrives in parts.

The worker makes a batch's moves: nobody presses a button to land a row.
"""

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.warehouse.models import Batch, Upload

Status = Batch.Status

BATCH = Lifecycle(
    "warehouse.Batch",
    states=Status,
    moves=[
        Move(
            "check",
            _("开始校验"),
            sources=(Status.RECEIVED, Status.CHECKING),
            target=Status.CHECKING,
            owed=_("平台处理"),
        ),
        Move("land", _("入库"), sources=(Status.CHECKING,), target=Status.LANDED),
        Move(
            "find_unchanged",
            _("确认无变化"),
            sources=(Status.CHECKING,),
            target=Status.UNCHANGED,
        ),
        Move("refuse", _("不予入库"), sources=(Status.CHECKING,), target=Status.REFUSED),
        Move("fail", _("处理失败"), sources=(Status.CHECKING,), target=Status.FAILED),
    ],
)

UPLOAD = Lifecycle(
    "warehouse.Upload",
    states=Upload.Status,
    moves=[
        Move(
            "finish",
            _("上传完毕"),
            sources=(Upload.Status.OPEN,),
            target=Upload.Status.FINISHED,
            owed=_("平台处理"),
        ),
        Move(
            "discard",
            _("放弃上传"),
            sources=(Upload.Status.OPEN,),
            target=Upload.Status.DISCARDED,
            tone="danger",
        ),
    ],
)
