"""The moves of a batch. The worker makes them all: nobody presses a button to land a row."""

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.warehouse.models import Batch

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
