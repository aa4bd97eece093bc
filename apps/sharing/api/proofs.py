"""`GET /api/v1/data/{code}/changes/proof`, the rows of a range, and what a copy's table holds."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from apps.core.openapi import refusals, shown
from apps.sharing.api.data import TOKEN, GatewayView
from apps.sharing.api.documents import CODE, LIMIT, PageGrantSerializer
from apps.sharing.gateway import allowances, codes, proofs
from apps.sharing.gateway.filters import FORMATS
from apps.sharing.gateway.proofs import DEFAULT_SIZE, MAXIMUM_SIZE

_GRANT: dict[str, Any] = {
    "dataset": "307001002/000001",
    "grant": {"id": 12, "version": 1, "expires_at": "2027-11-18T00:00:00+08:00"},
}
_CURSOR = OpenApiParameter(
    "cursor",
    OpenApiTypes.STR,
    required=True,
    description=_("应用完一轮变更（is_complete 为 true）后得到的 next"),
)
_FROM = OpenApiParameter("from_id", OpenApiTypes.INT64, description=_("从这个 _id 起，不写为 0"))
_TO = OpenApiParameter(
    "to_id", OpenApiTypes.INT64, description=_("到这个 _id 止（含），不写为到最后")
)
_SIZE = OpenApiParameter(
    "size",
    {"type": "integer", "minimum": 1, "maximum": MAXIMUM_SIZE, "default": DEFAULT_SIZE},
    description=_("每一段的条数"),
)
_PROBLEMS: dict[Any, Any] = refusals(codes.PROOF)
_COLUMNS_PROBLEMS: dict[Any, Any] = refusals(codes.COLUMNS)


class ProvedRangeSerializer(serializers.Serializer[Any]):
    about = _("_id 的一段：这一段里应有的条数和散列值。各段首尾相接，没有间隙")

    from_id = serializers.IntegerField(help_text=_("从这个 _id 起"))
    to_id = serializers.IntegerField(
        allow_null=True, help_text=_("到这个 _id 止（含）；为空：到最后，其后不应再有记录")
    )
    count = serializers.IntegerField(help_text=_("条数"))
    sha256 = serializers.CharField(help_text=_("按 docs/api.md 的写法算出的 SHA-256，十六进制"))


class ProofSerializer(serializers.Serializer[Any]):
    about = _("cursor 那一时点应持有的数据，分段给出条数和散列值")

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以读取的授权"))
    horizon = serializers.IntegerField(help_text=_("cursor 的批次"))
    count = serializers.IntegerField(help_text=_("本次各段的条数之和"))
    next_from_id = serializers.IntegerField(
        allow_null=True, help_text=_("下一次的 from_id；为空：已经到最后")
    )
    ranges = ProvedRangeSerializer(many=True, help_text=_("各段，按 _id 排列"))


class StandingRowsSerializer(serializers.Serializer[Any]):
    about = _("一段 _id 内的记录，是 cursor 那一时点的样子")

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以读取的授权"))
    horizon = serializers.IntegerField(help_text=_("cursor 的批次"))
    count = serializers.IntegerField(help_text=_("本次的条数"))
    next_from_id = serializers.IntegerField(
        allow_null=True, help_text=_("下一次的 from_id；为空：这一段没有更多的了")
    )
    data = serializers.ListField(  # type: ignore[assignment]  # the rows, not the input's
        child=serializers.JSONField(), help_text=_("记录，写法同数据页；正在校核的带 _disputed")
    )


class CopyColumnSerializer(serializers.Serializer[Any]):
    about = _("授权的一个数据项，按读到的样子")

    name = serializers.CharField(help_text=_("列名"))
    label = serializers.CharField(help_text=_("数据项名称"))  # type: ignore[assignment]
    type = serializers.CharField(help_text=_("数据类型的字母；脱敏后类型会变"))
    digits = serializers.IntegerField(allow_null=True, help_text=_("数值型、货币型的总位数"))
    scale = serializers.IntegerField(allow_null=True, help_text=_("数值型、货币型的小数位数"))
    is_masked = serializers.BooleanField(help_text=_("是否脱敏"))
    served_until = serializers.DateField(
        allow_null=True,
        help_text=_("目录已停用的列提供至这一天，值停在停用之时，新记录为空；为空：照常提供"),
    )
    replaced_by = serializers.CharField(
        allow_null=True, help_text=_("停用的列由哪一列接替（名称相同的数据项）；为空：没有")
    )


class CopyColumnsSerializer(serializers.Serializer[Any]):
    about = _("建立副本所需的各列，次序即散列值的次序")

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以读取的授权"))
    horizon = serializers.IntegerField(help_text=_("数据表现在的批次"))
    columns = CopyColumnSerializer(many=True, help_text=_("授权的各数据项"))


PROOF_EXAMPLE = shown(
    "proof",
    "两段，其后没有记录",
    {
        **_GRANT,
        "horizon": 42,
        "count": 10002,
        "next_from_id": None,
        "ranges": [
            {
                "from_id": 0,
                "to_id": 10417,
                "count": 10000,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
            {
                "from_id": 10418,
                "to_id": None,
                "count": 2,
                "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
            },
        ],
    },
)
ROWS_EXAMPLE = shown(
    "standing_rows",
    "一段里的两条",
    {
        **_GRANT,
        "horizon": 42,
        "count": 2,
        "next_from_id": None,
        "data": [
            {"_id": 10418, "name": "张*", "registered_on": "2026-01-05"},
            {"_id": 10420, "name": "李*", "registered_on": None},
        ],
    },
)
COLUMNS_EXAMPLE = shown(
    "copy_columns",
    "一列脱敏，一列已停用",
    {
        **_GRANT,
        "horizon": 42,
        "columns": [
            {
                "name": "name",
                "label": "姓名",
                "type": "C",
                "digits": None,
                "scale": None,
                "is_masked": True,
                "served_until": None,
                "replaced_by": None,
            },
            {
                "name": "amount",
                "label": "金额",
                "type": "Y",
                "digits": 10,
                "scale": 2,
                "is_masked": False,
                "served_until": "2027-02-26",
                "replaced_by": None,
            },
        ],
    },
)


class ProofView(GatewayView):
    """Count and hash of what the consumer should hold, range by range."""

    @extend_schema(
        operation_id="data_changes_proof",
        tags=["data"],
        summary=_("核对副本：分段的条数和散列值"),
        description=_(
            "增量订阅应用完一轮之后，用当时的 cursor 得到应持有的数据在各段 _id 内的条数和 "
            "SHA-256，与自己算出的比较：全部相同，副本就与授权可见的数据完全相同；不同的段用 "
            "from_id、to_id 和较小的 size 再问，直到找出是哪些记录。散列值的算法见 docs/api.md。"
            "只给条数和散列值，不含数据。"
        ),
        auth=TOKEN,
        parameters=[CODE, _CURSOR, _FROM, _TO, _SIZE],
        examples=[PROOF_EXAMPLE],
        responses={200: ProofSerializer, **_PROBLEMS},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        call = self.admitted(request, code)
        span = proofs.read_span(dict(request.query_params.lists()))
        with allowances.call_counted(call):
            return _answer(proofs.prove(call, span))


class StandingRowsView(GatewayView):
    """The rows of a range as they stood at the horizon of a cursor."""

    @extend_schema(
        operation_id="data_changes_rows",
        tags=["data"],
        summary=_("读取一段 _id 在某一时点的记录"),
        description=_(
            "返回 cursor 那一时点、一段 _id 内授权可见的记录，用来改正核对不符的段：在一个事务里"
            "删去自己在这一段的记录，写入这里返回的，cursor 不变。"
        ),
        auth=TOKEN,
        parameters=[CODE, _CURSOR, _FROM, _TO, LIMIT],
        examples=[ROWS_EXAMPLE],
        responses={200: StandingRowsSerializer, **_PROBLEMS},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        call = self.admitted(request, code)
        span = proofs.read_span(dict(request.query_params.lists()), of_rows=True)
        with allowances.counted(call, rows=span.size) as (admitted, rows):
            return _answer(proofs.rows_of_span(admitted, replace(span, size=rows)))


class CopyColumnsView(GatewayView):
    """What a copy's table has to hold; no data, so no access record."""

    is_trial_offered = True

    @extend_schema(
        operation_id="data_columns",
        tags=["data"],
        summary=_("授权的数据项及其类型"),
        description=_(
            "授权的各数据项，按读到的类型，用来建立副本的表。代码、证件号和数值都不应存成浮点数；"
            "字符型的代码存成文本，以免丢失前面的零。"
        ),
        auth=TOKEN,
        parameters=[CODE],
        examples=[COLUMNS_EXAMPLE],
        responses={200: CopyColumnsSerializer, **_COLUMNS_PROBLEMS},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        call = self.admitted(request, code)
        proofs.require_no_parameters(dict(request.query_params.lists()))
        return _answer(proofs.description(call))


def _answer(body: bytes) -> HttpResponse:
    response = HttpResponse(body, content_type=FORMATS["json"])
    response["Cache-Control"] = "no-store"
    return response
