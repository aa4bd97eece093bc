"""`/api/v1/dataset-changes`: the next version of an entry in force, until it is published."""

from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.api.entry_input import (
    BeginInput,
    ChangeMoveShape,
    ExtendInput,
    MoveInput,
    ReasonInput,
    ReviseChangeInput,
)
from apps.catalog.api.examples import entries as examples
from apps.catalog.api.versions import DifferenceSerializer
from apps.catalog.models import ChangeChannel, ChangeStatus, DatasetChange
from apps.core.api import ScopedViewSet
from apps.core.errors import NotFound
from apps.core.openapi import refusals

MOVES: Final[dict[str, tuple[Any, type[serializers.Serializer[Any]]]]] = {
    "revise_change": (catalog.revise_change, ReviseChangeInput),
    "submit_change": (catalog.submit_change, MoveInput),
    "approve_change": (catalog.approve_change, MoveInput),
    "send_back_change": (catalog.send_back_change, ReasonInput),
    "publish_change": (catalog.publish_change, MoveInput),
    "abandon_change": (catalog.abandon_change, ReasonInput),
    "extend_change": (catalog.extend_change, ExtendInput),
}
BEGIN_REFUSALS = refusals(
    {
        400: ("invalid_input",),
        403: ("not_allowed",),
        409: ("illegal_move", "change_open", "conflict"),
    }
)
MOVE_REFUSALS = refusals(
    {
        400: ("invalid_input", "dataset_incomplete"),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "base_version_changed", "not_in_force", "conflict"),
    }
)


@extend_schema_serializer(examples=[examples.CHANGE])
class ChangeSerializer(serializers.ModelSerializer[DatasetChange]):
    about: ClassVar[str | Promise] = _("一次目录变更")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    dataset_name = serializers.CharField(
        source="dataset.name", read_only=True, help_text=_("目录名称")
    )
    department = serializers.CharField(
        source="dataset.department.code", read_only=True, help_text=_("提供部门的编码")
    )

    class Meta:
        model = DatasetChange
        fields = (
            "id", "dataset", "dataset_name", "department", "base_version", "applied_version",
            "reason", "trigger_kind", "triggered_on", "trigger_note", "channel", "status",
            "remark", "submitted_at", "decided_at", "revision", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.CHANGE_DETAIL])
class ChangeDetailSerializer(ChangeSerializer):
    """A change with what differs and what keeps it from being submitted."""

    about: ClassVar[str | Promise] = _("一次目录变更，及与现行版本的不同")

    differences = serializers.SerializerMethodField(
        help_text=_("与现行版本的不同；已发布的，与它依据的版本")
    )
    faults = serializers.SerializerMethodField(help_text=_("提交之前须修改的；没有时为空"))

    class Meta(ChangeSerializer.Meta):
        fields = (*ChangeSerializer.Meta.fields, "differences", "faults")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]

    @extend_schema_field(DifferenceSerializer(many=True))
    def get_differences(self, change: DatasetChange) -> list[dict[str, Any]]:
        return list(DifferenceSerializer(queries.proposal_of(change).found, many=True).data)

    def get_faults(self, change: DatasetChange) -> list[str]:
        if not change.is_open:
            return []
        found = queries.remarks_on_change(change, on=timezone.localdate())
        return [str(remark) for remark in found if remark.is_error]


@extend_schema_view(
    list=extend_schema(
        operation_id="dataset_changes_list",
        tags=["datasets"],
        summary=_("目录变更列表"),
        description=_("本部门目录的变更；主管部门为全部，新的在前。"),
        parameters=[
            OpenApiParameter("dataset", str, description=_("目录代码，以 - 代 /")),
            OpenApiParameter("department", str, description=_("提供部门的编码")),
            OpenApiParameter(
                "status", str, enum=ChangeStatus.values, description=_("只要这种状态的")
            ),
        ],
        responses={
            200: ChangeSerializer(many=True),
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
    ),
    retrieve=extend_schema(
        operation_id="dataset_changes_read",
        tags=["datasets"],
        summary=_("一次目录变更"),
        description=_("改了什么、为什么改、走到哪一步，提交之前还须修改什么。"),
        responses={200: ChangeDetailSerializer, **refusals({404: ("not_found",)})},
    ),
)
class DatasetChangeViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Changes of the own department's entries; the authority reads all of them."""

    queryset = DatasetChange.objects.select_related("dataset__department").all()
    serializer_class = ChangeSerializer
    filters: ClassVar[dict[str, str]] = {
        "dataset": "dataset__code",
        "department": "dataset__department__code",
        "status": "status",
    }
    statuses = ChangeStatus.values

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(ChangeDetailSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="dataset_changes_begin",
        tags=["datasets"],
        summary=_("开始修改已发布的目录"),
        description=_("由本部门的人员登录后办理；写好后用 submit_change 提交本部门审批。"),
        request=BeginInput,
        responses={201: ChangeDetailSerializer, **BEGIN_REFUSALS},
    )
    def create(self, request: Request) -> Response:
        user: Any = request.user
        given = BeginInput(data=request.data, context={"caller": user})
        given.is_valid(raise_exception=True)
        made = catalog.begin_change(
            actor=user, at=timezone.now(), channel=ChangeChannel.API, **given.validated_data
        )
        return Response(ChangeDetailSerializer(self.find(pk=made.pk)).data, 201)

    @extend_schema(
        operation_id="dataset_changes_move",
        tags=["datasets"],
        summary=_("办理目录变更"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            OpenApiParameter(
                "move",
                str,
                OpenApiParameter.PATH,
                enum=[*MOVES],
                description=_("动作，见 docs/lifecycles.md；revise_change 为修改内容"),
            )
        ],
        request=ChangeMoveShape,
        responses={200: ChangeDetailSerializer, **MOVE_REFUSALS},
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        change = self.find(pk=pk)
        user: Any = request.user
        act, shape = MOVES[move]
        given = shape(data=request.data, context={"caller": user})
        given.is_valid(raise_exception=True)
        act(change=change, actor=user, at=timezone.now(), **given.validated_data)
        return Response(ChangeDetailSerializer(self.find(pk=pk)).data)
