"""`/api/v1/planned-stops`: announced, taken back or ended, and what a consumer prepares for."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Department
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.api import ScopedViewSet, checked, lookups
from apps.core.errors import NotFound
from apps.core.openapi import refusals, sent, shown
from apps.sharing import operations as sharing
from apps.sharing.api.requests import BAD_LIST, NO_ROW
from apps.sharing.api.wording import REVISION_HELP
from apps.sharing.models import PlannedStop

EXAMPLE = shown(
    "planned_stop",
    "已公告的停机",
    {
        "id": 7,
        "number": "TJ-000007",
        "reach": "dataset",
        "dataset": "307027/000001",
        "provider": "重庆市民政局",
        "status": "announced",
        "starts_at": "2026-12-05T22:00:00+08:00",
        "ends_at": "2026-12-06T02:00:00+08:00",
        "ended_at": None,
        "reason": "婚姻登记数据库升级",
        "short_notice_reason": "",
        "announced_at": "2026-11-28T10:00:00+08:00",
        "end_reason": "",
        "revision": 1,
    },
)
ANNOUNCE = sent(
    "announce",
    "公告一项数据停机",
    {
        "reach": "dataset",
        "dataset": "307027/000001",
        "starts_at": "2026-12-05T22:00:00+08:00",
        "ends_at": "2026-12-06T02:00:00+08:00",
        "reason": "婚姻登记数据库升级",
    },
)
MOVES = (
    sent("withdraw_stop", "撤回公告", {"reason": "升级改期", "revision": 1}),
    sent("end_stop_early", "提前结束", {"reason": "升级提前完成", "revision": 2}),
)
MOVABLE = ["withdraw_stop", "end_stop_early"]
MOVE = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=MOVABLE,
    description=_("withdraw_stop：开始之前撤回；end_stop_early：开始之后提前结束"),
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=_("提交编号：同一人以同一编号再次提交返回原来的公告，内容不同则为 409"),
)
STATUS = OpenApiParameter(
    "status", OpenApiTypes.STR, enum=PlannedStop.Status.values, description=_("只要这种状态的")
)
OF_DATASET = OpenApiParameter(
    "dataset", OpenApiTypes.STR, description=_("只要影响这项数据的，目录代码的 / 写作 -")
)


@extend_schema_serializer(examples=[EXAMPLE])
class PlannedStopSerializer(serializers.ModelSerializer[PlannedStop]):
    about: ClassVar[str | Promise] = _("一次停机公告；停机期间数据调用返回 503 planned_stop")

    number = serializers.CharField(source="__str__", help_text=_("公告编号"))
    dataset = serializers.CharField(
        source="dataset.code", default=None, help_text=_("目录代码；范围不是一项数据的为空")
    )
    provider = serializers.CharField(
        source="provider.name", default=None, help_text=_("提供部门的名称；全平台的为空")
    )

    class Meta:
        model = PlannedStop
        fields = (
            "id", "number", "reach", "dataset", "provider", "status", "starts_at", "ends_at",
            "ended_at", "reason", "short_notice_reason", "announced_at", "end_reason", "revision",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "id": {"help_text": _("公告的 id")},
            "reach": {
                "help_text": _("dataset 一项数据，department 该部门提供的全部数据，platform 全平台")
            },
            "status": {"help_text": _("状态；是否停机以起止时间为准")},
        }


@extend_schema_serializer(examples=[ANNOUNCE])
class AnnounceInput(serializers.Serializer[Any]):
    """What a new announcement says."""

    about: ClassVar[str | Promise] = _("公告的内容")

    reach = serializers.ChoiceField(
        choices=PlannedStop.Reach.choices,
        help_text=_(
            "dataset 一项数据，department 本部门提供的全部数据，"
            "platform 全平台（由平台运维或者主管部门公告）"
        ),
    )
    dataset = serializers.CharField(
        required=False, max_length=40, help_text=_("目录代码；范围是一项数据时必填，其他不填")
    )
    starts_at = serializers.DateTimeField(help_text=_("开始时间，在现在之后"))
    ends_at = serializers.DateTimeField(help_text=_("预计结束时间；一次至多 7 日"))
    reason = serializers.CharField(max_length=500, help_text=_("停机原因，会送达使用部门"))
    short_notice_reason = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text=_("早于规定的提前量（3 个工作日）开始的必填：理由，随公告送达"),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that a dataset is named where the reach is one, and only there."""
        is_named = "dataset" in attrs
        if is_named != (attrs["reach"] == PlannedStop.Reach.DATASET):
            words = _("范围不是一项数据的，不填目录代码") if is_named else _("填写目录代码")
            raise serializers.ValidationError({"dataset": words})
        return attrs


@extend_schema_serializer(examples=[*MOVES])
class StopMoveInput(serializers.Serializer[Any]):
    """Why it is taken back, or ended before its time."""

    about: ClassVar[str | Promise] = _("撤回、提前结束的内容")

    reason = serializers.CharField(max_length=500, help_text=_("理由，会送达使用部门"))
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


@extend_schema_view(
    list=extend_schema(
        operation_id="planned_stops_list",
        tags=["grants"],
        parameters=[STATUS, OF_DATASET],
        responses={200: PlannedStopSerializer(many=True), **BAD_LIST},
        summary=_("停机公告列表"),
        description=_("影响调用者授权的停机和全平台的停机，包括已结束和已撤回的。"),
    ),
    retrieve=extend_schema(
        operation_id="planned_stops_read",
        tags=["grants"],
        responses={200: PlannedStopSerializer, **NO_ROW},
        summary=_("一次停机公告"),
        description=_("范围、起止时间和原因。"),
    ),
)
class PlannedStopViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Planned stops that reach the caller; the provider's head announces and ends his own."""

    queryset = PlannedStop.objects.select_related("dataset", "provider").all()
    serializer_class = PlannedStopSerializer

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        known = {"status": "status", "dataset": "dataset"}
        given = lookups(self.request, known, statuses=PlannedStop.Status.values)
        if code := given.pop("dataset", None):
            dataset = Dataset.objects.filter(code=code).first()
            stopping = PlannedStop.objects.none()
            if dataset is not None:
                stopping = PlannedStop.objects.stopping(dataset)
            queryset = queryset.filter(pk__in=stopping.values("pk"))
        return queryset.filter(**given)

    @extend_schema(
        operation_id="planned_stops_announce",
        tags=["grants"],
        parameters=[KEY],
        request=AnnounceInput,
        responses={
            201: PlannedStopSerializer,
            200: OpenApiResponse(PlannedStopSerializer, description=_("同一提交编号已经公告过")),
            **refusals(
                {
                    400: (
                        "invalid_input",
                        "too_early",
                        "too_long",
                        "short_notice",
                        "idempotency_key_too_long",
                    ),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("idempotency_conflict",),
                }
            ),
        },
        summary=_("公告停机"),
        description=_(
            "由提供部门的负责人登录后公告；全平台的由平台运维或者主管部门公告。"
            "使用部门、凭证保管人随即收到通知，登记了推送的系统收到 service.stop。"
        ),
    )
    def create(self, request: Request) -> Response:
        """Announce a stop; the same key again answers with the first announcement."""
        user: Any = request.user
        given = checked(AnnounceInput, request)
        at = timezone.now()
        stop = sharing.announce_stop(
            of=_reached(user, given.pop("reach"), given.pop("dataset", "")),
            actor=user,
            at=at,
            idempotency_key=request.headers.get("Idempotency-Key", "").strip().strip('"'),
            **given,
        )
        shown_stop = PlannedStopSerializer(self.find(pk=stop.pk)).data
        return Response(shown_stop, status=201 if stop.announced_at == at else 200)

    @extend_schema(
        operation_id="planned_stops_move",
        tags=["grants"],
        parameters=[MOVE],
        request=StopMoveInput,
        responses={
            200: PlannedStopSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision"),
                }
            ),
        },
        summary=_("撤回停机公告，提前结束停机"),
        description=_(
            "由公告方的负责人或者主管部门登录后办理；提前结束的，下一次调用就有回答。"
            "到预计结束时间由平台恢复，不必办理。"
        ),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Take the announcement back, or end the stop."""
        if move not in MOVABLE:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(StopMoveInput, request)
        getattr(sharing, move)(stop=row, actor=request.user, at=timezone.now(), **given)
        return Response(PlannedStopSerializer(self.find(pk=pk)).data)


def _reached(user: Any, reach: str, code: str) -> Dataset | Department | None:
    """Return what the stop shall reach: the named entry, the caller's department, or all (None).

    Raises:
        NotFound: he sees no such entry, or belongs to no department.
    """
    if reach == PlannedStop.Reach.PLATFORM:
        return None
    if reach == PlannedStop.Reach.DEPARTMENT:
        found: Dataset | Department | None = user.department
    else:
        rows = access.rows(user, "view", Dataset).select_related("department")
        found = rows.filter(code=code.replace("-", "/")).first()
    if found is None:
        raise NotFound
    return found
