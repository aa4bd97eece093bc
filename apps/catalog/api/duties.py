"""`/api/v1/duties` and `/api/v1/responsibility-lists`: what departments are held to."""

from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.api.duty_shapes import (
    CompiledSerializer,
    CompileInput,
    ConsultInput,
    DutyDetailSerializer,
    DutyMoveShape,
    DutySerializer,
    ListMoveShape,
    NameDatasetInput,
    PerformInput,
    ReasonInput,
    ReplyInput,
    ResponsibilityListSerializer,
    RevisionInput,
    SplitInput,
)
from apps.catalog.models import (
    Duty,
    DutyStatus,
    ResponsibilityList,
    ResponsibilityListStatus,
)
from apps.catalog.operations import compiling, duties, performing, responsibility, splitting
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals

BAD_LIST = refusals(
    {400: ("unknown_filter", "unknown_status", "invalid_filter", "invalid_limit", "cursor_invalid")}
)
NO_ROW = refusals({404: ("not_found",)})


def _split(*, duty: Duty, parts: list[dict[str, Any]], actor: Any, at: datetime) -> Any:
    given = [splitting.Part(**part) for part in parts]
    return splitting.split_duty(duty=duty, parts=given, actor=actor, at=at)


LIST_MOVES: dict[str, tuple[Any, type[serializers.Serializer[Any]]]] = {
    "consult": (responsibility.consult, ConsultInput),
    "recall": (responsibility.recall, ReasonInput),
    "reply": (responsibility.reply, ReplyInput),
    "issue": (responsibility.issue, RevisionInput),
    "adjust": (compiling.adjust, RevisionInput),
    "close": (responsibility.close, ReasonInput),
}
DUTY_MOVES: dict[str, tuple[Any, type[serializers.Serializer[Any]]]] = {
    "accept": (duties.accept, RevisionInput),
    "raise_objection": (duties.raise_objection, ReasonInput),
    "settle": (duties.settle, ReasonInput),
    "drop": (duties.drop, ReasonInput),
    "perform": (performing.perform, PerformInput),
    "verify": (performing.verify, RevisionInput),
    "return_performance": (performing.return_performance, ReasonInput),
    "release": (performing.release, ReasonInput),
    "name_dataset": (performing.name_dataset, NameDatasetInput),
    "split": (_split, SplitInput),
}
REFUSALS = refusals(
    {
        400: ("invalid_input", "list_empty", "objections_open", "due_date_missing",
              "reply_awaited", "not_consulting", "parts_exceed"),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "conflict"),
    }
)  # fmt: skip


def _moved(moves: dict[str, Any], name: str, request: Request, **row: Any) -> Any:
    if name not in moves:
        raise NotFound
    act, shape = moves[name]
    return act(actor=request.user, at=timezone.now(), **row, **checked(shape, request))


@extend_schema_view(
    list=extend_schema(
        operation_id="responsibility_lists_list",
        tags=["duties"],
        summary=_("责任清单列表"),
        description=_("主管部门为全部；部门为本部门已征求意见或者已印发的，新的在前。"),
        parameters=[
            OpenApiParameter("year", int, description=_("年度")),
            OpenApiParameter("department", str, description=_("责任部门的编码")),
            OpenApiParameter(
                "status",
                str,
                enum=ResponsibilityListStatus.values,
                description=_("只要这种状态的"),
            ),
        ],
        responses={200: ResponsibilityListSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="responsibility_lists_read",
        tags=["duties"],
        summary=_("一份责任清单"),
        description=_("清单的状态和意见；其中的事项用 /duties?responsibility_list= 读取。"),
        responses={200: ResponsibilityListSerializer, **NO_ROW},
    ),
)
class ResponsibilityListViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Lists that the caller may see; a move answers with the list, `adjust` with next year's."""

    queryset = ResponsibilityList.objects.select_related("department").all()
    serializer_class = ResponsibilityListSerializer
    filters: ClassVar[dict[str, str]] = {
        "year": "year",
        "department": "department__code",
        "status": "status",
    }
    statuses = ResponsibilityListStatus.values
    keys = ("year",)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(ResponsibilityListSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="responsibility_lists_compile",
        tags=["duties"],
        summary=_("编制责任清单"),
        description=_(
            "把已发布、可共享而没有列入的目录和已同意的需求分解给各部门；可以重复，只加新的。"
        ),
        request=CompileInput,
        responses={
            201: CompiledSerializer,
            **refusals({400: ("invalid_input",), 403: ("not_allowed",)}),
        },
    )
    def create(self, request: Request) -> Response:
        given = CompileInput(data=request.data)
        given.is_valid(raise_exception=True)
        user: Any = request.user
        made = compiling.compile_lists(actor=user, at=timezone.now(), **given.validated_data)
        answer = {
            "lists": [row.pk for row in made.lists],
            "duty_count": made.duty_count,
            "passed_by": [row.pk for row in made.passed_by],
        }
        return Response(answer, status=201)

    @extend_schema(
        operation_id="responsibility_lists_move",
        tags=["duties"],
        summary=_("办理责任清单"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=[*LIST_MOVES],
                description=_("动作，见 docs/lifecycles.md"),
            )
        ],
        request=ListMoveShape,
        responses={200: ResponsibilityListSerializer, **REFUSALS},
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        done = _moved(LIST_MOVES, move, request, responsibility_list=self.find(pk=pk))
        return Response(ResponsibilityListSerializer(self.find(pk=done.pk)).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="duties_list",
        tags=["duties"],
        summary=_("责任事项列表"),
        description=_("主管部门为全部；部门为本部门承担的和本部门清单里的，新的在前。"),
        parameters=[
            OpenApiParameter("responsibility_list", int, description=_("所在责任清单的 id")),
            OpenApiParameter("department", str, description=_("承担部门的编码")),
            OpenApiParameter("dataset", str, description=_("目录代码，以 - 代 /")),
            OpenApiParameter("parent", int, description=_("上级责任事项的 id")),
            OpenApiParameter(
                "status", str, enum=DutyStatus.values, description=_("只要这种状态的")
            ),
        ],
        responses={200: DutySerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="duties_read",
        tags=["duties"],
        summary=_("一项责任"),
        description=_("承诺的内容、状态、异议和完成情况，以及下级事项的进展。"),
        responses={200: DutyDetailSerializer, **NO_ROW},
    ),
)
class DutyViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Duties that the caller's department performs or has on its lists."""

    queryset = Duty.objects.select_related(
        "responsibility_list__department", "department", "dataset", "system"
    ).all()
    serializer_class = DutySerializer
    filters: ClassVar[dict[str, str]] = {
        "responsibility_list": "responsibility_list",
        "department": "department__code",
        "dataset": "dataset__code",
        "parent": "parent",
        "status": "status",
    }
    statuses = DutyStatus.values
    keys = ("responsibility_list", "parent")

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(DutyDetailSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="duties_move",
        tags=["duties"],
        summary=_("办理责任事项"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=[*DUTY_MOVES],
                description=_("动作，见 docs/lifecycles.md"),
            )
        ],
        request=DutyMoveShape,
        responses={200: DutySerializer, **REFUSALS},
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        _moved(DUTY_MOVES, move, request, duty=self.find(pk=pk))
        return Response(DutySerializer(self.find(pk=pk)).data)
