"""`/api/v1/grants/{id}/recertifications`: the yearly looks at a grant, answered and decided."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import access
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals, sent, shown
from apps.sharing import operations as sharing
from apps.sharing.api.requests import BAD_LIST, NO_ROW
from apps.sharing.api.wording import REVISION_HELP
from apps.sharing.models import Grant, Recertification

_ROW: dict[str, Any] = {
    "id": 7,
    "grant": 14,
    "grant_version": 1,
    "status": "decided",
    "status_label": "已复核",
    "since": "2025-11-10",
    "due_on": "2026-12-08",
    "need": "资助资格核对每学期进行",
    "need_stated_at": "2026-11-12T09:00:00+08:00",
    "outcome": "narrow",
    "decision_reason": "",
    "decided_by": "王芳",
    "decided_at": "2026-11-20T10:00:00+08:00",
    "figures": {
        "since": "2025-11-20",
        "calls": 2400,
        "rows": 2380,
        "single_calls": 2400,
        "days": 180,
        "last_on": "2026-11-19",
        "most_calls_a_day": 40,
        "most_rows_a_day": 40,
        "calls_percent": 0.2,
        "rows_percent": None,
        "columns": 6,
        "never_read": ["mobile"],
        "newer": {},
    },
    "escalated_at": None,
    "revision": 3,
}
GRANT = OpenApiParameter(
    "grant", OpenApiTypes.INT64, OpenApiParameter.PATH, description=_("授权的 id")
)
NUMBER = OpenApiParameter(
    "id", OpenApiTypes.INT64, OpenApiParameter.PATH, description=_("复核的 id")
)


@extend_schema_serializer(examples=[shown("recertification", "按建议收窄的一次复核", _ROW)])
class RecertificationSerializer(serializers.ModelSerializer[Recertification]):
    """One yearly look at a grant."""

    about: ClassVar[str | Promise] = _("授权的一次年度复核")

    grant = serializers.IntegerField(source="grant_id", help_text=_("授权的 id"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    decided_by = serializers.CharField(
        source="decided_by.name", allow_null=True, default=None, help_text=_("复核人的姓名")
    )
    figures = serializers.JSONField(
        help_text=_(
            "近 12 个月的用量：复核开始时的，复核之后为作出结论时的。"
            "never_read 为没有返回、筛选和核验过的列名，"
            "newer 为后来的版本新增的列各自从哪一天起提供（不满 30 日的不列入 never_read），"
            "percent 为最高的一天占每日限额的百分比"
        )
    )

    class Meta:
        model = Recertification
        fields = (
            "id", "grant", "grant_version", "status", "status_label", "since", "due_on",
            "need", "need_stated_at", "outcome", "decision_reason", "decided_by", "decided_at",
            "figures", "escalated_at", "revision",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "since": {"help_text": _("上次复核之日，或者开通之日")},
            "due_on": {"help_text": _("提供部门复核的截止日期")},
            "outcome": {"help_text": _("复核结论：continue 继续、narrow 收窄、end 终止")},
            "escalated_at": {"help_text": _("逾期报主管部门的时间")},
        }


@extend_schema_serializer(
    examples=[sent("state_need", "说明理由", {"reason": "资助资格核对每学期进行", "revision": 1})]
)
class NeedInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("使用部门的说明")

    reason = serializers.CharField(help_text=_("继续使用的理由"))
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


@extend_schema_serializer(
    examples=[sent("decide", "按建议收窄", {"outcome": "narrow", "revision": 2})]
)
class DecideInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("提供部门负责人的复核结论")

    outcome = serializers.ChoiceField(
        choices=Recertification.Outcome.choices,
        help_text=_("continue：继续；narrow：按使用情况分析的建议收窄；end：终止"),
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("理由；终止必填")
    )
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


@extend_schema_view(
    list=extend_schema(
        operation_id="recertifications_list",
        tags=["grants"],
        parameters=[GRANT],
        responses={200: RecertificationSerializer(many=True), **BAD_LIST, **NO_ROW},
        summary=_("授权的历次年度复核"),
        description=_("授权生效满一年，或者上次复核满一年，由平台发起；新的在前。"),
    ),
)
class RecertificationViewSet(mixins.ListModelMixin, ScopedViewSet):
    """The yearly looks at one grant that the caller may see."""

    queryset = Recertification.objects.select_related("grant", "decided_by").all()
    serializer_class = RecertificationSerializer

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return found
        grant = self.kwargs["grant"]
        if not access.rows(self.request.user, "view", Grant).filter(pk=grant).exists():
            raise NotFound
        return found.filter(grant=grant)

    @extend_schema(
        operation_id="recertifications_state_need",
        tags=["grants"],
        parameters=[GRANT, NUMBER],
        request=NeedInput,
        responses={
            200: RecertificationSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision"),
                }
            ),
        },
        summary=_("说明继续使用的理由"),
        description=_("由使用部门的人员办理；之后由提供部门复核。"),
    )
    @action(detail=True, methods=["post"])
    def state_need(self, request: Request, grant: int, pk: int) -> Response:
        """Say why the grant is still needed."""
        return self._act(request, pk, sharing.state_need, NeedInput)

    @extend_schema(
        operation_id="recertifications_decide",
        tags=["grants"],
        parameters=[GRANT, NUMBER],
        request=DecideInput,
        responses={
            200: RecertificationSerializer,
            **refusals(
                {
                    400: ("invalid_input", "no_proposal"),
                    403: ("not_allowed", "own_grant"),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "table_busy"),
                }
            ),
        },
        summary=_("复核授权"),
        description=_("由提供部门的负责人办理；逾期报主管部门之后，主管部门也可以办理。"),
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, grant: int, pk: int) -> Response:
        """Continue, narrow or end the grant."""
        return self._act(request, pk, sharing.decide, DecideInput)

    def _act(self, request: Request, pk: int, operation: Any, shape: Any) -> Response:
        row = self.find(pk=pk)
        given = checked(shape, request)
        operation(recertification=row, actor=request.user, at=timezone.now(), **given)
        return Response(RecertificationSerializer(self.find(pk=pk)).data)
