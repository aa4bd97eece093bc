"""`GET /api/v1/usage`: what was used in a month, summed up as the statement on the screen is."""

from datetime import datetime
from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import access
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals, shown
from apps.sharing.models import DailyUse, Grant
from apps.sharing.queries import metering
from apps.sharing.queries.metering import Used

SIDES: Final = {"asked": "grant__consumer", "received": "grant__provider"}
KNOWN: Final = frozenset({"month", "by", "side", "grant", "format"})
# What a line stands for: the name in the answer, and the path from a day's use.
NAMES: Final = {
    "grant": "grant",
    "grant__mode": "mode",
    "grant__dataset__code": "dataset",
    "grant__dataset__name": "dataset_name",
    "grant__system__name": "system_name",
    "grant__system__code": "system",
    "grant__consumer__name": "consumer",
    "grant__provider__name": "provider",
    "day": "day",
}
PARAMETERS: Final = [
    OpenApiParameter("month", OpenApiTypes.STR, description=_("月份，如 2026-11；不写为本月")),
    OpenApiParameter(
        "by",
        OpenApiTypes.STR,
        enum=list(metering.GROUPS),
        description=_("按授权、按系统、按部门、按日汇总；不写为按授权"),
    ),
    OpenApiParameter(
        "side",
        OpenApiTypes.STR,
        enum=list(SIDES),
        description=_("asked：本部门使用的；received：本部门提供的；不写为两者"),
    ),
    OpenApiParameter("grant", OpenApiTypes.INT64, description=_("只要这一项授权的")),
]
_FIGURES: Final = {"calls": 240, "rows": 51200, "bytes": 7340032}


class UsedSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一行用量；按什么汇总，就给出什么")

    grant = serializers.IntegerField(required=False, help_text=_("授权的 id；按授权汇总时"))
    dataset = serializers.CharField(required=False, help_text=_("目录代码；按授权汇总时"))
    dataset_name = serializers.CharField(required=False, help_text=_("目录名称；按授权汇总时"))
    mode = serializers.CharField(required=False, help_text=_("共享方式；按授权汇总时"))
    system = serializers.CharField(required=False, help_text=_("使用系统的编号；按系统汇总时"))
    system_name = serializers.CharField(
        required=False, help_text=_("使用系统的名称；按授权、按系统汇总时")
    )
    consumer = serializers.CharField(required=False, help_text=_("使用部门的名称；按日汇总时没有"))
    provider = serializers.CharField(
        required=False, help_text=_("提供部门的名称；按授权、按部门汇总时")
    )
    day = serializers.DateField(required=False, help_text=_("日期；按日汇总时"))
    calls = serializers.IntegerField(help_text=_("调用次数"))
    rows = serializers.IntegerField(help_text=_("送出的记录条数；核验为找到的条数"))
    bytes = serializers.IntegerField(help_text=_("压缩前正文的字节数"))


class TotalSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("各行之和")

    calls = serializers.IntegerField(help_text=_("调用次数"))
    rows = serializers.IntegerField(help_text=_("记录条数"))
    bytes = serializers.IntegerField(help_text=_("字节数"))


@extend_schema_serializer(
    examples=[
        shown(
            "usage",
            "按授权汇总的一个月",
            {
                "month": "2026-11",
                "by": "grant",
                "counted_until": "2026-11-28T10:50:00+08:00",
                "lines": [
                    {
                        "grant": 14,
                        "dataset": "307027/000001",
                        "dataset_name": "婚姻登记信息",
                        "mode": "interface",
                        "system_name": "学籍业务管理系统",
                        "consumer": "重庆市教育委员会",
                        "provider": "重庆市民政局",
                        **_FIGURES,
                    }
                ],
                "total": _FIGURES,
            },
        )
    ]
)
class UsageSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一个月的用量，范围与“用量对账”页面相同")

    month = serializers.CharField(help_text=_("月份"))
    by = serializers.CharField(help_text=_("按什么汇总"))
    counted_until = serializers.DateTimeField(
        allow_null=True, help_text=_("统计到何时；还没有统计过时为空")
    )
    lines = UsedSerializer(many=True, help_text=_("各行，调用多的在前；按日汇总时按日期"))
    total = TotalSerializer(help_text=_("各行之和"))


class UsageView(APIView):
    """What was used of the grants that the caller may see, both sides alike."""

    @extend_schema(
        operation_id="usage_read",
        tags=["grants"],
        parameters=PARAMETERS,
        responses={
            200: UsageSerializer,
            **refusals({400: ("unknown_filter", "invalid_month"), 404: ("not_found",)}),
        },
        summary=_("一个月的用量"),
        description=_(
            "双方对账用。一次请求计一次调用，按调用开始之日计；当日和前一日的数字每 10 分钟更新，"
            "之后不再变动。"
        ),
    )
    def get(self, request: Request) -> Response:
        """Sum up a month's uses."""
        given = request.query_params.dict()
        _refuse_unknown(given)
        today = timezone.localdate()
        month = metering.month_of(given.get("month", ""), today)
        if given.get("month", f"{month:%Y-%m}") != f"{month:%Y-%m}":
            raise InvalidInput(
                _("month 写作 2026-11，不晚于本月"), code="invalid_month", field="month"
            )
        group = given.get("by", "grant")
        uses = _narrowed(
            request, given, metering.uses_in_month(_user(request), month, at=timezone.now())
        )
        lines = metering.used_by(uses, metering.GROUPS[group])
        return Response(
            {
                "month": f"{month:%Y-%m}",
                "by": group,
                "counted_until": _local(metering.counted_until()),
                "lines": [_line(line) for line in lines],
                "total": _figures(metering.total_of(lines)),
            }
        )


def _refuse_unknown(given: dict[str, str]) -> None:
    """Refuse a misspelt filter, or a value that is none of those it takes.

    Raises:
        InvalidInput: `unknown_filter`, with the name.
    """
    wrong = next(iter(sorted(set(given) - KNOWN)), None)
    if given.get("by", "grant") not in metering.GROUPS:
        wrong = "by"
    if given.get("side", "asked") not in SIDES:
        wrong = "side"
    if wrong is not None:
        raise InvalidInput(
            _("没有筛选条件“%(name)s”") % {"name": wrong[:80]},
            code="unknown_filter",
            field=wrong[:80],
        )


def _narrowed(
    request: Request, given: dict[str, str], uses: QuerySet[DailyUse]
) -> QuerySet[DailyUse]:
    if "side" in given:
        uses = uses.filter(**{SIDES[given["side"]]: _user(request).department_id})
    if "grant" in given:
        key = given["grant"]
        visible = access.rows(_user(request), "view", Grant)
        if not (key.isascii() and key.isdigit() and len(key) < 19):
            raise NotFound
        if not visible.filter(pk=int(key)).exists():
            raise NotFound
        uses = uses.filter(grant=int(key))
    return uses


def _local(moment: datetime | None) -> datetime | None:
    return timezone.localtime(moment) if moment else None


def _user(request: Request) -> Any:
    return request.user


def _line(line: Used) -> dict[str, Any]:
    return {NAMES[path]: value for path, value in line.of.items()} | _figures(line)


def _figures(line: Used) -> dict[str, int]:
    return {"calls": line.calls, "rows": line.rows, "bytes": line.bytes}
