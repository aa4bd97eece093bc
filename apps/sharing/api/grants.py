"""`/api/v1/grants`: list, row, and `POST /{id}/{move}`."""

from typing import Any, ClassVar

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.sharing import operations as sharing
from apps.sharing.api.requests import ASKING_REFUSALS, BAD_LIST, NO_ROW, drafted
from apps.sharing.api.serializers import (
    GrantMoveShape,
    GrantSerializer,
    MoveInput,
    NarrowInput,
    RequestSerializer,
    SuspendInput,
)
from apps.sharing.models import Grant
from apps.sharing.queries.service_changes import changes_under_way

INPUTS: dict[str, type[Serializer[Any]]] = {
    "suspend": SuspendInput,
    "resume": MoveInput,
    "end": MoveInput,
    "narrow": NarrowInput,
}
STATUS = OpenApiParameter(
    "status", OpenApiTypes.STR, enum=Grant.Status.values, description=_("只要这种状态的")
)
MOVE = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=list(INPUTS),
    description=_("暂停、恢复、终止、收窄"),
)
REFUSALS = refusals(
    {
        400: (
            "invalid_input",
            "not_narrower",
            "wider_than_asked",
            "no_items",
            "unknown_item",
            "unknown_operator",
            "invalid_value",
            "unknown_mask",
            "unfit_mask",
            "key_not_readable",
            "invalid_limit_of_use",
            "invalid_address",
        ),
        403: ("not_allowed", "own_grant"),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "table_busy", "papers_due"),
    }
)


@extend_schema_view(
    list=extend_schema(
        operation_id="grants_list",
        tags=["grants"],
        parameters=[STATUS],
        responses={200: GrantSerializer(many=True), **BAD_LIST},
        summary=_("授权列表"),
        description=_("本部门得到的和给出的授权；信息系统见其所属部门的。"),
    ),
    retrieve=extend_schema(
        operation_id="grants_read",
        tags=["grants"],
        responses={200: GrantSerializer, **NO_ROW},
        summary=_("一项授权"),
        description=_("授权的数据项、脱敏方式、数据范围条件和期限。"),
    ),
)
class GrantViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Grants that the caller may see; a system sees those of its department."""

    queryset = (
        Grant.objects.select_related("request", "dataset", "provider", "consumer", "system")
        .prefetch_related(Prefetch("service_changes", changes_under_way(), to_attr="open_changes"))
        .all()
    )
    serializer_class = GrantSerializer
    filters: ClassVar[dict[str, str]] = {"status": "status"}
    statuses = Grant.Status.values

    @extend_schema(
        operation_id="grants_ask_change",
        tags=["grants"],
        request=None,
        responses={201: RequestSerializer, **ASKING_REFUSALS},
        summary=_("申请变更或续期授权"),
        description=_(
            "由使用部门的经办人登录后办理，不带正文，只用于生效中的授权。返回申请草稿，"
            "内容取自授权现在的条件；用 revise 写明要变更的，用 submit 提交，审批同其他申请。"
            "授权照旧，交付后成为同一授权的新版本。同一系统对同一目录已有办理中的申请的，"
            "返回 already_asked。"
        ),
    )
    @action(detail=True, methods=["post"])
    def ask_change(self, request: Request, pk: int) -> Response:
        """Draft a request for other terms than those in force; the answer is that request."""
        user: Any = request.user
        return drafted(
            user, sharing.ask_change(grant=self.find(pk=pk), actor=user, at=timezone.now())
        )

    @extend_schema(
        operation_id="grants_move",
        tags=["grants"],
        parameters=[MOVE],
        request=GrantMoveShape,
        responses={200: GrantSerializer, **REFUSALS},
        summary=_("暂停、恢复、终止、收窄授权"),
        description=_(
            "即时生效：使用系统的下一次调用就按新状态、新条件处理。收窄得到同一授权的新版本，"
            "此前的 cursor 失效。"
        ),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Suspend, resume, end or narrow; effective on the system's next read."""
        if move not in INPUTS:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(INPUTS[move], request)
        getattr(sharing, move)(grant=row, actor=request.user, at=timezone.now(), **given)
        return Response(GrantSerializer(self.find(pk=pk)).data)
