"""The moves of batches, uploads, sources, their readings, exchange tables, and proposals.

The worker makes a batch's moves: nobody presses a button to land a row.
"""

from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Lifecycle, Move
from apps.warehouse.models import Batch, ExchangeTable, ProposalRun, PullRun, PullSource, Upload

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

PULL_SOURCE = Lifecycle(
    "warehouse.PullSource",
    states=PullSource.Status,
    moves=[
        Move(
            "resume",
            _("启用"),
            sources=(PullSource.Status.PAUSED,),
            target=PullSource.Status.ACTIVE,
            tone="primary",
        ),
        Move(
            "pause",
            _("暂停"),
            sources=(PullSource.Status.ACTIVE,),
            target=PullSource.Status.PAUSED,
        ),
        Move(
            "retire",
            _("停用"),
            sources=(PullSource.Status.ACTIVE, PullSource.Status.PAUSED),
            target=PullSource.Status.RETIRED,
            reason=True,
            tone="danger",
        ),
    ],
)

PULL_RUN = Lifecycle(
    "warehouse.PullRun",
    states=PullRun.Status,
    moves=[
        Move(
            "hand_in",
            _("交付入库"),
            sources=(PullRun.Status.READING,),
            target=PullRun.Status.HANDED_IN,
            owed=_("平台处理"),
        ),
        Move(
            "find_nothing",
            _("没有新数据"),
            sources=(PullRun.Status.READING,),
            target=PullRun.Status.NOTHING_NEW,
        ),
        Move(
            "fail",
            _("读取失败"),
            sources=(PullRun.Status.READING,),
            target=PullRun.Status.FAILED,
        ),
        Move(
            "land",
            _("已入库"),
            sources=(PullRun.Status.HANDED_IN,),
            target=PullRun.Status.LANDED,
        ),
        Move(
            "refuse",
            _("未能入库"),
            sources=(PullRun.Status.HANDED_IN,),
            target=PullRun.Status.REFUSED,
        ),
    ],
)

EXCHANGE = Lifecycle(
    "warehouse.ExchangeTable",
    states=ExchangeTable.Status,
    moves=[
        Move(
            "close",
            _("关闭"),
            sources=(ExchangeTable.Status.OPEN,),
            target=ExchangeTable.Status.CLOSED,
            tone="danger",
        ),
        Move(
            "reopen",
            _("重新开通"),
            sources=(ExchangeTable.Status.CLOSED,),
            target=ExchangeTable.Status.OPEN,
        ),
    ],
)

_RUN = ProposalRun.Status
OPEN_PROPOSAL = (_RUN.WAITING, _RUN.READING)
PROPOSAL_RUN = Lifecycle(
    "warehouse.ProposalRun",
    states=_RUN,
    moves=[
        Move(
            "read",
            _("开始读取"),
            sources=OPEN_PROPOSAL,
            target=_RUN.READING,
            owed=_("平台读取"),
        ),
        Move(
            "finish",
            _("生成草案"),
            sources=(_RUN.READING,),
            target=_RUN.PROPOSED,
            owed=_("编制人逐项改正"),
        ),
        Move("refuse", _("不能生成草案"), sources=(_RUN.READING,), target=_RUN.REFUSED),
        Move(
            "discard",
            _("放弃"),
            sources=OPEN_PROPOSAL,
            target=_RUN.DISCARDED,
            tone="danger",
        ),
    ],
)
