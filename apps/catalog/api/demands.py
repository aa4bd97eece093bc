"""`/api/v1/demands`: list, row, draft, and `POST /{id}/{move}`."""

from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.api.demand_shapes import (
    INPUTS,
    DeclineInput,
    DemandInput,
    DemandMoveShape,
    DemandSerializer,
    MatchSerializer,
)
from apps.catalog.models import Demand, DemandMatch, DemandStatus
from apps.catalog.operations import demands
from apps.core import access
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals

FILTERS: Final = {
    "status": "status",
    "department": "department__code",
    "provider": "provider__code",
}


DEMAND = OpenApiParameter("pk", int, OpenApiParameter.PATH, description=_("需求的 id"))
MOVE = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=list(INPUTS),
    description=_("动作，见 docs/lifecycles.md；revise 为修改，split 为拆分，返回拆出的需求"),
)
REFUSALS = refusals(
    {
        400: ("invalid_input", "demand_incomplete", "not_published", "not_shared", "own_dataset"),
        403: ("not_allowed", "own_proposal"),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision"),
    }
)


@extend_schema_view(
    list=extend_schema(
        operation_id="demands_list",
        tags=["demands"],
        parameters=[
            OpenApiParameter(
                "status", str, enum=DemandStatus.values, description=_("只要这种状态的")
            ),
            OpenApiParameter("department", str, description=_("需求部门的编码")),
            OpenApiParameter("provider", str, description=_("提供部门的编码")),
        ],
        responses={
            200: DemandSerializer(many=True),
            **refusals(
                {
                    400: (
                        "unknown_filter",
                        "unknown_status",
                        "invalid_filter",
                        "invalid_limit",
                        "cursor_invalid",
                    )
                }
            ),
        },
        summary=_("数据需求列表"),
        description=_("本部门提出的，和转本部门答复的；主管部门看到全部已报送的。"),
    ),
    retrieve=extend_schema(
        operation_id="demands_read",
        tags=["demands"],
        responses={200: DemandSerializer, **refusals({404: ("not_found",)})},
        summary=_("一件数据需求"),
        description=_("需求的内容、状态和答复。"),
    ),
)
class DemandViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Demands that the caller may see: his department's, and those put to it."""

    queryset = Demand.objects.select_related("department", "provider", "system", "dataset").all()
    serializer_class = DemandSerializer
    filters = FILTERS
    statuses = DemandStatus.values

    @extend_schema(
        operation_id="demands_draft",
        tags=["demands"],
        request=DemandInput,
        responses={201: DemandSerializer, **REFUSALS},
        summary=_("提出数据需求"),
        description=_("由本部门的人员登录后提出；写好后用 submit 提交本部门审批。"),
    )
    def create(self, request: Request) -> Response:
        given = checked(DemandInput, request)
        made = demands.draft(actor=request.user, at=timezone.now(), **given)  # type: ignore[arg-type]
        return Response(DemandSerializer(self.find(pk=made.pk)).data, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="demands_move",
        tags=["demands"],
        parameters=[MOVE],
        request=DemandMoveShape,
        responses={200: DemandSerializer, **REFUSALS},
        summary=_("办理数据需求"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move; which fields it takes depends on the move, `reason` is common to all."""
        if move not in INPUTS:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(INPUTS[move], request)
        done = getattr(demands, move)(demand=row, actor=request.user, at=timezone.now(), **given)
        return Response(DemandSerializer(self.find(pk=done.pk)).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="demands_matches",
        tags=["demands"],
        parameters=[DEMAND],
        responses={
            200: MatchSerializer(many=True),
            **refusals(
                {400: ("unknown_filter", "invalid_limit", "cursor_invalid"), 404: ("not_found",)}
            ),
        },
        summary=_("可能满足需求的目录"),
        description=_("平台为这件需求找到的目录及依据；定期重新查找。需求部门和主管部门可看。"),
    )
)
class DemandMatchViewSet(ScopedViewSet):
    """What the catalogue has for a demand, for those who match supply and demand."""

    queryset = DemandMatch.objects.select_related("dataset__department", "demand").all()
    serializer_class = MatchSerializer

    def list(self, request: Request, pk: int) -> Response:
        if not access.rows(request.user, "view", Demand).filter(pk=pk).exists():
            raise NotFound
        rows = self.filter_queryset(self.get_queryset().filter(demand=pk))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(MatchSerializer(page, many=True).data)

    @extend_schema(
        operation_id="demands_decline_match",
        tags=["demands"],
        parameters=[
            DEMAND,
            OpenApiParameter(
                "match", int, OpenApiParameter.PATH, description=_("matches 中给出的 id")
            ),
        ],
        request=DeclineInput,
        responses={200: MatchSerializer, **REFUSALS},
        summary=_("认为目录不能满足需求"),
        description=_("写明理由；这条目录不再为这件需求提出。"),
    )
    def decline(self, request: Request, pk: int, match: int) -> Response:
        row = self.find(demand=pk, pk=match)
        given = checked(DeclineInput, request)
        user: Any = request.user
        demands.decline(match=row, actor=user, at=timezone.now(), **given)
        return Response(MatchSerializer(self.find(pk=match)).data)
