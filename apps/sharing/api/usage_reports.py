"""`/api/v1/usage-reports`: the half-yearly word on the use of each grant, asked for and filed."""

from typing import Any, ClassVar, Final

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedViewSet, checked, lookups
from apps.core.openapi import refusals, sent, shown
from apps.sharing import operations as sharing
from apps.sharing.api.filtering import BAD_FILTER, GRANT
from apps.sharing.api.requests import NO_ROW
from apps.sharing.models import UsageReport
from apps.sharing.queries import usage_reports as queries

STATES: Final = ("open", "late", "filed")
STATUS: Final = OpenApiParameter(
    "status",
    OpenApiTypes.STR,
    enum=list(STATES),
    description=_("open 待登记（含逾期的），late 逾期未登记，filed 已登记"),
)
_WRITTEN: Final = {
    "scenario": "资助资格每学期核对两次",
    "effect": "核对 1,200 人，免交婚姻证明 1,200 份",
    "storage": "不留存，核对后即丢弃",
    "disposal": "",
}


class HalfYearFiguresSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("期间内的用量；登记之前还没有")

    calls = serializers.IntegerField(required=False, help_text=_("调用次数"))
    rows = serializers.IntegerField(required=False, help_text=_("记录条数"))


@extend_schema_serializer(
    examples=[
        shown(
            "usage_report",
            "已登记的半年",
            {
                "id": 3,
                "grant": 14,
                "dataset": "307027/000001",
                "dataset_name": "婚姻登记信息",
                "system": "S-003-02",
                "provider": "重庆市民政局",
                "consumer": "重庆市教育委员会",
                "first_day": "2026-01-01",
                "last_day": "2026-06-30",
                "due_on": "2026-07-15",
                **_WRITTEN,
                "figures": {"calls": 2400, "rows": 2380},
                "opened_at": "2026-07-01T00:10:00+08:00",
                "filed_at": "2026-07-06T10:00:00+08:00",
                "filed_by": "李敏",
            },
        )
    ]
)
class UsageReportSerializer(serializers.ModelSerializer[UsageReport]):
    about: ClassVar[str | Promise] = _("一项授权半年的使用情况登记")

    grant = serializers.IntegerField(source="grant_id", help_text=_("授权的 id"))
    dataset = serializers.CharField(source="grant.dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="grant.dataset.name", help_text=_("目录名称"))
    system = serializers.CharField(source="grant.system.code", help_text=_("使用系统的编号"))
    provider = serializers.CharField(source="grant.provider.name", help_text=_("提供部门的名称"))
    consumer = serializers.CharField(source="grant.consumer.name", help_text=_("使用部门的名称"))
    filed_by = serializers.CharField(
        source="filed_by.name", allow_null=True, default=None, help_text=_("登记人的姓名")
    )
    figures = serializers.SerializerMethodField(help_text=_("登记时统计的期间用量；未登记的为空"))

    class Meta:
        model = UsageReport
        fields = (
            "id", "grant", "dataset", "dataset_name", "system", "provider", "consumer",
            "first_day", "last_day", "due_on", "scenario", "effect", "storage", "disposal",
            "figures", "opened_at", "filed_at", "filed_by",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "due_on": {"help_text": _("登记的截止日期；逾期的也应补登")},
            "filed_at": {"help_text": _("登记时间；待登记的为空")},
        }

    @extend_schema_field(HalfYearFiguresSerializer)
    def get_figures(self, report: UsageReport) -> Any:
        return report.figures


@extend_schema_serializer(examples=[sent("file", "登记半年的使用情况", _WRITTEN)])
class FileInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("使用部门登记的内容")

    scenario = serializers.CharField(help_text=_("使用场景"))
    effect = serializers.CharField(help_text=_("使用成效"))
    storage = serializers.CharField(help_text=_("存放位置；不留存的，写明"))
    disposal = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text=_("数据的处置情况；授权已终止、到期的必填"),
    )


@extend_schema_view(
    list=extend_schema(
        operation_id="usage_reports_list",
        tags=["grants"],
        parameters=[STATUS, GRANT],
        responses={200: UsageReportSerializer(many=True), **BAD_FILTER},
        summary=_("使用情况登记列表"),
        description=_("本部门使用的和提供的授权，每半年一份，由平台在半年结束后产生。"),
    ),
    retrieve=extend_schema(
        operation_id="usage_reports_read",
        tags=["grants"],
        responses={200: UsageReportSerializer, **NO_ROW},
        summary=_("一份使用情况登记"),
        description=_("期间、截止日期和使用部门登记的内容。"),
    ),
)
class UsageReportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """The reports that the caller may see, of both sides alike."""

    queryset = UsageReport.objects.select_related(
        "grant__dataset", "grant__system", "grant__provider", "grant__consumer", "filed_by"
    ).all()
    serializer_class = UsageReportSerializer

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        known = {"status": "status", "grant": "grant"}
        given = lookups(self.request, known, statuses=STATES, keys=("grant",))
        return queryset.filter(_of_state(given.pop("status", "")), **given)

    @extend_schema(
        operation_id="usage_reports_file",
        tags=["grants"],
        request=FileInput,
        responses={
            200: UsageReportSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move",),
                }
            ),
        },
        summary=_("登记使用情况"),
        description=_("由使用部门的人员登录后办理，一份只登记一次；期间用量由平台统计，不必填。"),
    )
    @action(detail=True, methods=["post"])
    def file(self, request: Request, pk: int) -> Response:
        """File what the grant was used for."""
        user: Any = request.user
        row = self.find(pk=pk)
        given = checked(FileInput, request)
        sharing.file_usage_report(report=row, actor=user, at=timezone.now(), **given)
        return Response(UsageReportSerializer(self.find(pk=pk)).data)


def _of_state(state: str) -> Q:
    if state == "filed":
        return Q(filed_at__isnull=False)
    if state == "late":
        return Q(pk__in=queries.late(timezone.now()).values("pk"))
    return Q(filed_at=None) if state == "open" else Q()
