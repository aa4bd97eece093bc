"""`/api/v1/quality/work-orders`: what is to be mended, until when, and what was done about it."""

from typing import Any, ClassVar, Final

from django.contrib.contenttypes.models import ContentType
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.clocks import queries as clocks
from apps.clocks.models import Clock
from apps.core.api import ScopedViewSet
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.quality import operations as quality
from apps.quality.api import examples
from apps.quality.api.asking import BAD_LIST, DATASET, DEPARTMENT, NO_ROW, NUMBER, narrowed
from apps.quality.models import WorkOrder

MOVES: Final = ("acknowledge", "accept", "contest", "let_stand")


@extend_schema_serializer(examples=[examples.ORDER])
class WorkOrderSerializer(serializers.ModelSerializer[WorkOrder]):
    about: ClassVar[str | Promise] = _("一张整改工单")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    rule = serializers.IntegerField(source="rule_id", read_only=True, help_text=_("规则的 id"))
    rule_name = serializers.CharField(source="rule.name", read_only=True, help_text=_("规则名称"))
    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("整改部门的编码")
    )
    due_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text=_("整改期限；已办结的为空")
    )
    closed_by_run = serializers.IntegerField(
        source="closed_by_run_id",
        read_only=True,
        allow_null=True,
        help_text=_("据以核销的质检任务的 id"),
    )
    closed_by_batch = serializers.IntegerField(
        source="closed_by_batch_id",
        read_only=True,
        allow_null=True,
        help_text=_("改正了问题的归集批次的 id"),
    )

    class Meta:
        model = WorkOrder
        fields = (
            "id", "number", "dataset", "rule", "rule_name", "department", "basis", "status",
            "failed", "failed_at_first", "evaluated", "due_at", "opened_at", "acknowledged_at",
            "plan", "remark", "closed_at", "closed_by_run", "closed_by_batch", "revision",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[*examples.ORDER_MOVES])
class WorkOrderMoveInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("签收时的整改措施，或者理由")

    plan = serializers.CharField(
        max_length=1000, required=False, help_text=_("acknowledge：整改措施")
    )
    reason = serializers.CharField(
        max_length=1000, required=False, help_text=_("accept、contest、let_stand 必填：理由")
    )
    revision = serializers.IntegerField(
        required=False, help_text=_("读到的修订号；之后有改动的，不予办理")
    )


@extend_schema_view(
    list=extend_schema(
        operation_id="quality_work_orders_list",
        tags=["quality"],
        summary=_("整改工单列表"),
        description=_("部门见本部门的，主管部门见全部，新的在前。"),
        parameters=[
            DATASET,
            DEPARTMENT,
            OpenApiParameter("rule", int, description=_("规则的 id")),
            OpenApiParameter(
                "status", str, enum=WorkOrder.Status.values, description=_("只要这种状态的")
            ),
        ],
        responses={200: WorkOrderSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="quality_work_orders_read",
        tags=["quality"],
        summary=_("一张整改工单"),
        description=_("问题数、期限、签收和办结的情况；closed_by_batch 是整改的证据。"),
        parameters=[NUMBER],
        responses={200: WorkOrderSerializer, **NO_ROW},
    ),
)
class WorkOrderViewSet(ScopedViewSet):
    """Work orders of the caller's department, or all for overseers."""

    queryset = WorkOrder.objects.select_related("dataset", "rule", "department").all()
    serializer_class = WorkOrderSerializer

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        live = Clock.objects.filter(
            content_type=ContentType.objects.get_for_model(WorkOrder),
            object_id=OuterRef("pk"),
            state__in=clocks.LIVE,
        ).order_by("due_at")
        annotated: QuerySet[Any] = rows.annotate(due_at=Subquery(live.values("due_at")[:1]))
        return annotated

    def list(self, request: Request) -> Response:
        filters = {
            "dataset": "dataset__code",
            "department": "department__code",
            "rule": "rule",
            "status": "status",
        }
        choices = {"status": WorkOrder.Status.values}
        page = self.paginate_queryset(narrowed(request, self.get_queryset(), filters, choices))
        return self.get_paginated_response(WorkOrderSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(WorkOrderSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="quality_work_orders_move",
        tags=["quality"],
        summary=_("签收、核实无误、不予认可、认可"),
        description=_(
            "签收由提供部门办理，核实无误由其负责人办理，后两项由主管部门办理。"
            "核销没有接口：改正后的数据通过检查，工单自动核销。"
        ),
        parameters=[
            NUMBER,
            OpenApiParameter(
                "move", str, OpenApiParameter.PATH, enum=[*MOVES], description=_("办理事项")
            ),
        ],
        request=WorkOrderMoveInput,
        responses={
            200: WorkOrderSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "not_about_rows", "order_in_mending"),
                }
            ),
        },
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        order: WorkOrder = self.find(pk=pk)
        body = WorkOrderMoveInput(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        said = {"revision": given.get("revision")}
        if move == "acknowledge":
            said["plan"] = given.get("plan", "")
        else:
            said["reason"] = given.get("reason", "")
        getattr(quality, move)(order=order, actor=request.user, at=timezone.now(), **said)
        return Response(WorkOrderSerializer(self.find(pk=pk)).data)
