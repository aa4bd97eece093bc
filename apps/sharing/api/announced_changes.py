"""`/api/v1/service-changes`: a provider's change of a live service: announced, answered, filed."""

from typing import Any, ClassVar, Final

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

from apps.clocks import queries as clocks
from apps.core import access
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals, sent, shown
from apps.sharing import operations as sharing
from apps.sharing.api.filtering import BAD_FILTER, GRANT
from apps.sharing.api.requests import NO_ROW
from apps.sharing.api.serializers import NarrowInput
from apps.sharing.api.service_changes import ServiceChangeSerializer
from apps.sharing.api.wording import REVISION_HELP
from apps.sharing.models import Grant, ServiceChange
from apps.sharing.queries.service_changes import ANSWER_CHANGE

_ROW: Final[dict[str, Any]] = {
    "id": 7,
    "number": "BG-000007",
    "grant": 14,
    "grant_version": 1,
    "dataset": "307027/000001",
    "dataset_name": "婚姻登记信息",
    "system": "S-003-02",
    "provider": "重庆市民政局",
    "consumer": "重庆市教育委员会",
    "kind": "narrow",
    "status": "objected",
    "status_label": "有异议，待主管部门决定",
    "effective_on": "2026-12-15",
    "reason": "婚姻登记改由省级系统提供",
    "answer_due_on": "2026-12-07",
    "items": [{"name": "registered_on", "label": "登记日期", "mask": ""}],
    "row_condition": [],
    "mode": "interface",
    "ends_on": "2027-11-19",
    "calls_a_day": 20000,
    "rows_a_day": None,
    "calls_a_minute": 600,
    "allowed_addresses": ["10.20.0.0/16"],
    "may_redistribute": False,
    "opened_at": "2026-11-30T10:00:00+08:00",
    "answer": "秋季学期资助审核到 12 月底，请推迟到下学期",
    "answered_at": "2026-12-02T15:00:00+08:00",
    "decision": "",
    "decided_at": None,
    "closed_at": None,
    "problem": "",
    "revision": 2,
}
OPEN: Final = sent(
    "open_change",
    "告知收窄：12 月 15 日起只给登记日期",
    {
        "grant": 14,
        "kind": "narrow",
        "effective_on": "2026-12-15",
        "reason": "婚姻登记改由省级系统提供",
        "items": {"registered_on": ""},
        "revision": 2,
    },
)
MOVES: Final = (
    sent("agree_change", "使用部门同意", {"revision": 1}),
    sent("object_change", "使用部门有异议", {"reason": "资助审核到 12 月底", "revision": 1}),
    sent("file_change", "主管部门备案", {"reason": "给出一个月过渡", "revision": 2}),
    sent("withdraw_change", "提供部门撤回", {"reason": "省级系统推迟上线", "revision": 2}),
)
STATUS: Final = OpenApiParameter(
    "status", OpenApiTypes.STR, enum=ServiceChange.Status.values, description=_("只要这种状态的")
)
MOVABLE: Final = [
    "agree_change", "object_change", "file_change", "refuse_change", "withdraw_change",
]  # fmt: skip
MOVE: Final = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=MOVABLE,
    description=_(
        "使用部门的负责人 agree_change 同意、object_change 提出异议；主管部门 file_change 备案、"
        "refuse_change 不予变更；提供部门的负责人 withdraw_change 撤回"
    ),
)


@extend_schema_serializer(examples=[shown("service_change", "有异议的服务变更", _ROW)])
class AnnouncedChangeSerializer(ServiceChangeSerializer):
    """A change with its parties and what each of them said."""

    about: ClassVar[str | Promise] = _("一件服务变更，和各方的意见")

    grant = serializers.IntegerField(source="grant_id", help_text=_("授权的 id"))
    dataset = serializers.CharField(source="grant.dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="grant.dataset.name", help_text=_("目录名称"))
    system = serializers.CharField(source="grant.system.code", help_text=_("使用系统的编号"))
    provider = serializers.CharField(source="grant.provider.name", help_text=_("提供部门的名称"))
    consumer = serializers.CharField(source="grant.consumer.name", help_text=_("使用部门的名称"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))

    class Meta(ServiceChangeSerializer.Meta):
        fields = (  # type: ignore[assignment]  # more of them than its parent has
            "id", "grant", "grant_version", "dataset", "dataset_name", "system", "provider",
            "consumer", *ServiceChangeSerializer.Meta.fields, "status_label", "opened_at",
            "answer", "answered_at", "decision", "decided_at", "closed_at", "problem", "revision",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            **ServiceChangeSerializer.Meta.extra_kwargs,
            "grant_version": {"help_text": _("依据授权的第几版写的；授权另有变更的不再适用")},
            "answer": {"help_text": _("使用部门的意见")},
            "decision": {"help_text": _("主管部门的意见")},
            "problem": {"help_text": _("到生效日期未能变更的原因；平台会再试")},
        }


@extend_schema_serializer(examples=[OPEN])
class OpenChangeInput(NarrowInput):
    """What a new notice of a change says."""

    about: ClassVar[str | Promise] = _(
        "变更的内容。收窄的写明变更后的条件，写法同授权的 narrow，不给出的维持原样；停止服务的不写"
    )

    grant = serializers.IntegerField(min_value=1, max_value=(1 << 63) - 1, help_text=_("授权的 id"))
    kind = serializers.ChoiceField(
        choices=ServiceChange.Kind.choices, help_text=_("narrow 收窄，stop 停止服务")
    )
    effective_on = serializers.DateField(help_text=_("生效日期，在使用部门的答复期限之后"))
    reason = serializers.CharField(help_text=_("变更的理由，会送达使用部门和主管部门"))
    revision = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=_("所见授权的修订号；给出而与现状不符时，返回 stale_revision"),
    )


@extend_schema_serializer(examples=[*MOVES])
class ChangeMoveInput(serializers.Serializer[Any]):
    """An answer, a filing or a withdrawal."""

    about: ClassVar[str | Promise] = _("办理服务变更的内容")

    reason = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text=_("意见；提出异议、不予变更、撤回，以及有异议而仍备案的必填"),
    )
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


@extend_schema_view(
    list=extend_schema(
        operation_id="service_changes_list",
        tags=["grants"],
        parameters=[STATUS, GRANT],
        responses={200: AnnouncedChangeSerializer(many=True), **BAD_FILTER},
        summary=_("服务变更列表"),
        description=_("本部门提供的和使用的授权的服务变更，包括已办结的。"),
    ),
    retrieve=extend_schema(
        operation_id="service_changes_read",
        tags=["grants"],
        responses={200: AnnouncedChangeSerializer, **NO_ROW},
        summary=_("一件服务变更"),
        description=_("变更后的条件、生效日期和各方的意见。"),
    ),
)
class AnnouncedChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Changes of grants that the caller may see."""

    queryset = (
        ServiceChange.objects.select_related(
            "grant__dataset", "grant__system", "grant__provider", "grant__consumer"
        )
        .annotate(due_on=clocks.due_days(ServiceChange, ANSWER_CHANGE))
        .all()
    )
    serializer_class = AnnouncedChangeSerializer
    filters: ClassVar[dict[str, str]] = {"status": "status", "grant": "grant"}
    statuses = ServiceChange.Status.values
    keys = ("grant",)

    @extend_schema(
        operation_id="service_changes_open",
        tags=["grants"],
        request=OpenChangeInput,
        responses={
            201: AnnouncedChangeSerializer,
            **refusals(
                {
                    400: (
                        "invalid_input",
                        "too_early",
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
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "service_change_open"),
                }
            ),
        },
        summary=_("告知服务变更"),
        description=_(
            "由提供部门的负责人登录后办理。使用部门在 5 个工作日内答复，主管部门备案后，"
            "平台在生效日期变更；此前服务照旧。一项授权同时只有一件。"
        ),
    )
    def create(self, request: Request) -> Response:
        """Announce that a live service will be narrowed or stopped."""
        user: Any = request.user
        given = checked(OpenChangeInput, request)
        grants = access.rows(user, "view", Grant)
        grant = grants.filter(pk=given.pop("grant")).first()
        if grant is None:
            raise NotFound
        change = sharing.open_change(grant=grant, actor=user, at=timezone.now(), **given)
        return Response(AnnouncedChangeSerializer(self.find(pk=change.pk)).data, status=201)

    @extend_schema(
        operation_id="service_changes_move",
        tags=["grants"],
        parameters=[MOVE],
        request=ChangeMoveInput,
        responses={
            200: AnnouncedChangeSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed", "own_change"),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision"),
                }
            ),
        },
        summary=_("答复、备案、撤回服务变更"),
        description=_("由有权的人员登录后办理；使用部门逾期未答复的，平台按没有异议送主管部门。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Agree or object, file or refuse, or take the change back."""
        if move not in MOVABLE:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(ChangeMoveInput, request)
        getattr(sharing, move)(change=row, actor=request.user, at=timezone.now(), **given)
        return Response(AnnouncedChangeSerializer(self.find(pk=pk)).data)
