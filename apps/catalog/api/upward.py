"""`/api/v1/upper-datasets`: read-only; `/upper-requests`: and their moves."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.api.examples import upward as examples
from apps.catalog.api.upward_shapes import (
    BAD_LIST,
    MOVE_REFUSALS,
    NO_ROW,
    move_parameter,
)
from apps.catalog.models import UpperDataset, UpperLevel, UpperRequest
from apps.catalog.operations import upper_requests
from apps.catalog.queries import upward as queries
from apps.core.api import ScopedViewSet, checked, lookups
from apps.core.errors import InvalidInput, NotFound


@extend_schema_serializer(examples=[examples.UPPER_DATASET])
class UpperDatasetSerializer(serializers.ModelSerializer[UpperDataset]):
    about: ClassVar[str | Promise] = _("上级目录的一条")

    items = serializers.ListField(child=serializers.CharField(), help_text=_("数据项的名称"))

    class Meta:
        model = UpperDataset
        fields = (
            "id", "level", "code", "name", "provider_name", "abstract", "items", "attribute",
            "cycle", "our_code", "is_standing", "imported_at",
        )  # fmt: skip


@extend_schema_serializer(examples=[examples.UPPER_REQUEST])
class UpperRequestSerializer(serializers.ModelSerializer[UpperRequest]):
    about: ClassVar[str | Promise] = _("一件上级数据申请，及上级办理的情况")

    department = serializers.CharField(source="department.name", help_text=_("申请部门的名称"))
    upper_code = serializers.CharField(source="upper_dataset.code", help_text=_("上级目录代码"))
    upper_name = serializers.CharField(source="upper_dataset.name", help_text=_("上级目录名称"))

    class Meta:
        model = UpperRequest
        fields = (
            "id", "number", "department", "upper_code", "upper_name", "scenario", "basis",
            "items", "status", "outside_number", "outside_status", "outside_on", "filed_at",
            "forwarded_at", "answered_at", "closed_at", "revision", "created_at", "updated_at",
        )  # fmt: skip


@extend_schema_serializer(examples=[examples.ASK])
class UpperRequestInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("申请的内容")

    upper_dataset = serializers.PrimaryKeyRelatedField(
        queryset=UpperDataset.objects.all(), help_text=_("上级目录的 id")
    )
    scenario = serializers.CharField(help_text=_("使用场景"))
    basis = serializers.CharField(help_text=_("使用依据"))
    items = serializers.CharField(
        required=False, allow_blank=True, help_text=_("需要的数据项；不写为全部")
    )
    contact_name = serializers.CharField(max_length=50, help_text=_("联系人"))
    contact_phone = serializers.CharField(max_length=40, help_text=_("联系电话"))


class UpperMoveInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("每个动作都有的内容")

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("理由，或者上级办理情况")
    )
    revision = serializers.IntegerField(
        required=False, help_text=_("读到的 revision；内容已被他人修改时返回 409")
    )


class ToldInput(UpperMoveInput):
    outside_on = serializers.DateField(required=False, help_text=_("上级办理日期"))


class ForwardInput(ToldInput):
    outside_number = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text=_("上级受理编号")
    )


class ReviseInput(serializers.Serializer[Any]):
    scenario = serializers.CharField(required=False, help_text=_("revise：使用场景"))
    basis = serializers.CharField(required=False, help_text=_("revise：使用依据"))
    items = serializers.CharField(
        required=False, allow_blank=True, help_text=_("revise：需要的数据项")
    )
    contact_name = serializers.CharField(
        required=False, max_length=50, help_text=_("revise：联系人")
    )
    contact_phone = serializers.CharField(
        required=False, max_length=40, help_text=_("revise：联系电话")
    )
    revision = serializers.IntegerField(required=False, help_text=_("读到的 revision"))


@extend_schema_serializer(examples=[*examples.REQUEST_MOVES])
class UpperMoveShape(ReviseInput):
    """For readers: what all the moves take together."""

    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    reason = serializers.CharField(
        required=False, help_text=_("理由，或者上级办理情况；退回、未同意、撤回必填")
    )
    outside_on = serializers.DateField(
        required=False, help_text=_("forward、agree、refuse、deliver：上级办理日期")
    )
    outside_number = serializers.CharField(required=False, help_text=_("forward：上级受理编号"))


MOVES: Final[dict[str, type[serializers.Serializer[Any]]]] = {
    **dict.fromkeys(("submit", "approve", "send_back", "close", "withdraw"), UpperMoveInput),
    **dict.fromkeys(("agree", "refuse", "deliver"), ToldInput),
    "forward": ForwardInput,
    "revise": ReviseInput,
}


@extend_schema_view(
    list=extend_schema(
        operation_id="upper_datasets_list",
        tags=["upward"],
        parameters=[
            OpenApiParameter("q", str, description=_("关键词，空格隔开的须全部符合")),
            OpenApiParameter("level", str, enum=UpperLevel.values, description=_("哪一级")),
        ],
        responses={200: UpperDatasetSerializer(many=True), **BAD_LIST},
        summary=_("查找上级目录"),
        description=_("由主管部门按文件导入、只读的国家和省级目录，只列上级仍在提供的。"),
    ),
    retrieve=extend_schema(
        operation_id="upper_datasets_read",
        tags=["upward"],
        responses={200: UpperDatasetSerializer, **NO_ROW},
        summary=_("一条上级目录"),
        description=_("上级目录的全部字段；不再提供的也能看。"),
    ),
)
class UpperDatasetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """The catalogues above, as they were imported."""

    queryset = UpperDataset.objects.all()
    serializer_class = UpperDatasetSerializer

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        query = lookups(self.request, {"level": "level", "q": "q"}, statuses=())
        level = query.get("level", "")
        if level and level not in UpperLevel.values:
            raise InvalidInput(
                _("筛选条件“%(name)s”的值写法不对") % {"name": "level"},
                code="invalid_filter",
                field="level",
            )
        found = queries.search_upper(level, query.get("q", "")[:100])
        return queryset.filter(pk__in=found.values("pk"))


@extend_schema_view(
    list=extend_schema(
        operation_id="upper_requests_list",
        tags=["upward"],
        responses={200: UpperRequestSerializer(many=True), **BAD_LIST},
        summary=_("上级数据申请列表"),
        description=_("本部门提出的；主管部门看到全部已报送的。"),
    ),
    retrieve=extend_schema(
        operation_id="upper_requests_read",
        tags=["upward"],
        responses={200: UpperRequestSerializer, **NO_ROW},
        summary=_("一件上级数据申请"),
        description=_("申请的内容、状态和上级办理的情况。"),
    ),
)
class UpperRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Requests for upper data that the caller may see."""

    queryset = UpperRequest.objects.select_related("department", "upper_dataset").all()
    serializer_class = UpperRequestSerializer

    @extend_schema(
        operation_id="upper_requests_draft",
        tags=["upward"],
        request=UpperRequestInput,
        responses={201: UpperRequestSerializer, **MOVE_REFUSALS},
        summary=_("起草上级数据申请"),
        description=_("由本部门的人员登录后起草；写好后用 submit 提交本部门审批。"),
    )
    def create(self, request: Request) -> Response:
        given = checked(UpperRequestInput, request)
        user: Any = request.user
        made = upper_requests.draft(actor=user, at=timezone.now(), **given)
        answer = UpperRequestSerializer(self.find(pk=made.pk)).data
        return Response(answer, status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="upper_requests_move",
        tags=["upward"],
        parameters=[move_parameter(MOVES, _("动作，见 docs/lifecycles.md；revise 为修改内容"))],
        request=UpperMoveShape,
        responses={200: UpperRequestSerializer, **MOVE_REFUSALS},
        summary=_("办理上级数据申请"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move; what the level above said and when goes with those that note it."""
        if move not in MOVES:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(MOVES[move], request)
        user: Any = request.user
        getattr(upper_requests, move)(request=row, actor=user, at=timezone.now(), **given)
        return Response(UpperRequestSerializer(self.find(pk=pk)).data)
