"""The moves of a run. The worker makes them all."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.quality.models import QualityRun

Status = QualityRun.Status

RUN: Final = Lifecycle(
    "quality.QualityRun",
    states=Status,
    moves=[
        Move(
            "check",
            _("开始检查"),
            sources=(Status.WAITING, Status.RUNNING),
            target=Status.RUNNING,
            owed=_("平台处理"),
        ),
        Move("finish", _("完成检查"), sources=(Status.RUNNING,), target=Status.DONE),
        Move("fail", _("检查失败"), sources=(Status.RUNNING,), target=Status.FAILED),
    ],
)
