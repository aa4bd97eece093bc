"""The viewset of corrections: a consumer's system raises here, its people and the provider act."""

from collections.abc import Sequence
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import access
from apps.core.api import ScopedViewSet, checked, lookups
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.quality.api.corrections.shapes import (
    INPUTS,
    CorrectionMoveShape,
    CorrectionSerializer,
    RaiseInput,
)
from apps.quality.models import Correction, CorrectionStatus
from apps.quality.operations import corrections

FILTERS: Final = {
    "status": "status",
    "dataset": "dataset__code",
    "department": "department__code",
    "handler": "handler__code",
}
MOVE = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=list(INPUTS),
    description=_(
        "动作，见 docs/lifecycles.md；hand_in 为按认定值提交更正批次，link 为指定更正批次"
    ),
)
RAISE_REFUSALS = refusals(
    {
        400: (
            "invalid_input",
            "unknown_item",
            "item_masked",
            "row_required",
            "key_incomplete",
            "key_not_readable",
            "value_not_valid",
            "nothing_to_correct",
            "invalid_value",
            "evidence_too_large",
            "evidence_type_unknown",
        ),
        403: ("not_allowed",),
        404: ("row_not_found",),
        409: ("already_raised",),
        503: ("busy", "query_timeout"),
    }
)
MOVE_REFUSALS = refusals(
    {
        400: (
            "invalid_input",
            "department_unfit",
            "value_required",
            "value_not_valid",
            "batch_unfit",
            "not_one_value",
        ),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision"),
    }
)


@extend_schema_view(
    list=extend_schema(
        operation_id="corrections_list",
        tags=["corrections"],
        parameters=[
            OpenApiParameter(
                "status", str, enum=CorrectionStatus.values, description=_("只要这种状态的")
            ),
            OpenApiParameter("dataset", str, description=_("目录代码，以 - 代 /")),
            OpenApiParameter("department", str, description=_("提出部门的编码")),
            OpenApiParameter("handler", str, description=_("核实部门的编码")),
        ],
        responses={
            200: CorrectionSerializer(many=True),
            **refusals(
                {400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")}
            ),
        },
        summary=_("校核列表"),
        description=_(
            "信息系统看到自己提出的；提出部门、核实部门、提供部门的人员看到本部门的；"
            "主管部门看到全部，但不含数据的值。"
        ),
    ),
    retrieve=extend_schema(
        operation_id="corrections_read",
        tags=["corrections"],
        responses={200: CorrectionSerializer, **refusals({404: ("not_found",)})},
        summary=_("一件校核"),
        description=_("校核的内容、状态和结果。"),
    ),
)
class CorrectionViewSet(mixins.RetrieveModelMixin, ScopedViewSet):
    """Corrections that the caller may see; who is no party to one sees no value in it."""

    queryset = Correction.objects.select_related(
        "dataset__department", "department", "handler", "system"
    ).all()
    serializer_class = CorrectionSerializer

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(
            self.get_queryset().filter(
                **lookups(request, FILTERS, statuses=CorrectionStatus.values)
            )
        )
        return self.get_paginated_response(self._shown(page or [], many=True))

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(self._shown([self.find(pk=pk)], many=False))

    @extend_schema(
        operation_id="corrections_raise",
        tags=["corrections"],
        request=RaiseInput,
        responses={201: CorrectionSerializer, **RAISE_REFUSALS},
        summary=_("提出校核"),
        description=_(
            "对授权范围内的一个值、一条记录或者整个数据集提出校核。记录经授权读取，留下调用记录；"
            "由数源部门自收到之日起 10 个工作日内核实，其间数据接口以 _disputed 标注。"
        ),
    )
    def create(self, request: Request) -> Response:
        given = checked(RaiseInput, request)
        user: Any = request.user
        made = corrections.raise_correction(actor=user, at=timezone.now(), **given)
        return Response(self._shown([self.find(pk=made.pk)], many=False), status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="corrections_move",
        tags=["corrections"],
        parameters=[MOVE],
        request=CorrectionMoveShape,
        responses={200: CorrectionSerializer, **MOVE_REFUSALS},
        summary=_("办理校核"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move; which fields it takes depends on the move, `reason` is common to all."""
        if move not in INPUTS:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(INPUTS[move], request)
        getattr(corrections, move)(correction=row, actor=request.user, at=timezone.now(), **given)
        return Response(self._shown([self.find(pk=pk)], many=False))

    def _shown(self, rows: Sequence[Correction], *, many: bool) -> Any:
        """Write the rows; whose values the caller sees is asked once for all of them."""
        user: Any = self.request.user
        keys = Correction.objects.filter(pk__in=[row.pk for row in rows])
        seen = set(access.rows(user, "see_values", keys).values_list("pk", flat=True))
        context = {"seen": seen, "department": user.department_id}
        if many:
            return CorrectionSerializer(rows, many=True, context=context).data
        return CorrectionSerializer(rows[0], context=context).data
