"""`/api/v1/disposals`: certificates of disposal, filed by the consumer, checked by the provider."""

from typing import Any, ClassVar, Final

from django.http import FileResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.clocks import queries as clocks
from apps.core.api import ScopedViewSet, SentFileInput, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals, sent, shown
from apps.sharing import operations as sharing
from apps.sharing.api.filtering import BAD_FILTER, GRANT
from apps.sharing.api.requests import NO_ROW
from apps.sharing.api.wording import REVISION_HELP
from apps.sharing.models import Disposal
from apps.sharing.queries.disposals import CLOCK, obtained_under

_WRITTEN: Final[dict[str, Any]] = {
    "outcome": "destroyed",
    "held": "资助系统库表 t_check；备份一份",
    "method": "删除库表，覆写备份介质",
    "kept_basis": "",
    "disposed_by": "李晓燕，资助管理中心",
    "disposed_on": "2026-11-26",
}
_ROW: Final[dict[str, Any]] = {
    "id": 5,
    "number": "CZ-000014",
    "grant": 14,
    "dataset": "307027/000001",
    "dataset_name": "婚姻登记信息",
    "system": "S-003-02",
    "provider": "重庆市民政局",
    "consumer": "重庆市教育委员会",
    "status": "filed",
    "status_label": "待提供部门核对",
    "due_on": "2026-12-02",
    **_WRITTEN,
    "has_paper": True,
    "sha256": "3b1f0c6d8e5a4b7c9d2e1f0a8b6c4d2e0f1a3b5c7d9e8f6a4b2c0d1e3f5a7b9c",
    "filed_by": "李敏",
    "filed_at": "2026-11-27T10:00:00+08:00",
    "checked_by": None,
    "checked_at": None,
    "remark": "",
    "revision": 2,
    "created_at": "2026-11-18T10:00:00+08:00",
    "updated_at": "2026-11-27T10:00:00+08:00",
}
_OBTAINED: Final[dict[str, Any]] = {
    "calls": 2400,
    "rows": 2380,
    "last_at": "2026-11-17T16:20:00+08:00",
    "files": 0,
    "has_landed_copy": False,
}
MOVES: Final = (
    sent("file_disposal", "使用部门报送全部销毁", {**_WRITTEN, "revision": 1}),
    sent("confirm_disposal", "提供部门确认", {"reason": "已核对销毁记录", "revision": 2}),
    sent("return_disposal", "提供部门退回", {"reason": "备份介质的销毁没有写明", "revision": 2}),
)
STATUS: Final = OpenApiParameter(
    "status", OpenApiTypes.STR, enum=Disposal.Status.values, description=_("只要这种状态的")
)
MOVE: Final = OpenApiParameter(
    "move",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    enum=["file_disposal", "confirm_disposal", "return_disposal"],
    description=_(
        "使用部门 file_disposal 报送；提供部门 confirm_disposal 确认、return_disposal 退回重报"
    ),
)


class ObtainedSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("平台记录的取得情况，含这项授权所接续的；供核对")

    calls = serializers.IntegerField(help_text=_("调用次数"))
    rows = serializers.IntegerField(help_text=_("送出的记录条数"))
    last_at = serializers.DateTimeField(
        allow_null=True, help_text=_("最后一次取得的时间；没有的为空")
    )
    files = serializers.IntegerField(help_text=_("生成过的导出文件个数"))
    has_landed_copy = serializers.SerializerMethodField(help_text=_("是否在使用部门有过落地副本"))

    def get_has_landed_copy(self, obtained: Any) -> bool:
        return obtained.copy is not None


@extend_schema_serializer(examples=[shown("disposal", "待核对的处置证明", _ROW)])
class DisposalSerializer(serializers.ModelSerializer[Disposal]):
    """A certificate as it stands."""

    about: ClassVar[str | Promise] = _("一份数据处置证明")

    number = serializers.CharField(source="__str__", help_text=_("证明编号"))
    grant = serializers.IntegerField(source="grant_id", help_text=_("授权的 id"))
    dataset = serializers.CharField(source="grant.dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="grant.dataset.name", help_text=_("目录名称"))
    system = serializers.CharField(source="grant.system.code", help_text=_("使用系统的编号"))
    provider = serializers.CharField(source="provider.name", help_text=_("提供部门的名称"))
    consumer = serializers.CharField(source="consumer.name", help_text=_("使用部门的名称"))
    status_label = serializers.CharField(source="get_status_display", help_text=_("状态的名称"))
    due_on = serializers.DateField(
        allow_null=True, default=None, help_text=_("报送的截止日期"), label=_("报送的截止日期")
    )
    has_paper = serializers.SerializerMethodField(help_text=_("是否附有证明材料，在 paper 下载"))
    filed_by = serializers.CharField(
        source="filed_by.name", allow_null=True, default=None, help_text=_("报送人的姓名")
    )
    checked_by = serializers.CharField(
        source="checked_by.name", allow_null=True, default=None, help_text=_("核对人的姓名")
    )

    class Meta:
        model = Disposal
        fields = (
            "id", "number", "grant", "dataset", "dataset_name", "system", "provider", "consumer",
            "status", "status_label", "due_on", "outcome", "held", "method", "kept_basis",
            "disposed_by", "disposed_on", "has_paper", "sha256", "filed_by", "filed_at",
            "checked_by", "checked_at", "remark", "revision", "created_at", "updated_at",
        )  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {
            "outcome": {
                "help_text": _(
                    "destroyed 已全部销毁，kept 依据留存，nothing 没有取得过数据；未报送的为空"
                )
            },
            "sha256": {"help_text": _("证明材料的 SHA-256；没有材料的为空")},
        }

    def get_has_paper(self, disposal: Disposal) -> bool:
        return bool(disposal.file)


@extend_schema_serializer(
    examples=[shown("disposal", "待核对的处置证明", {**_ROW, "obtained": _OBTAINED})]
)
class OneDisposalSerializer(DisposalSerializer):
    """A certificate with what the platform knows of what was obtained."""

    about: ClassVar[str | Promise] = _("一份数据处置证明，和平台记录的取得情况")

    obtained = serializers.SerializerMethodField(help_text=_("平台记录的取得情况"))

    class Meta(DisposalSerializer.Meta):
        fields = (*DisposalSerializer.Meta.fields, "obtained")  # type: ignore[assignment]

    @extend_schema_field(ObtainedSerializer)
    def get_obtained(self, disposal: Disposal) -> Any:
        return ObtainedSerializer(obtained_under(disposal.grant)).data


class PaperInput(SentFileInput):
    about: ClassVar[str | Promise] = _("证明材料：PDF、OFD、图片或者文字处理文件")


class CheckInput(serializers.Serializer[Any]):
    """The provider's word on a certificate."""

    reason = serializers.CharField(
        required=False, allow_blank=True, default="", help_text=_("核对意见；退回的必填")
    )
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)


class CertificateInput(serializers.Serializer[Any]):
    """What the consumer certifies."""

    outcome = serializers.ChoiceField(
        choices=Disposal.Outcome.choices,
        help_text=_("报送必填：destroyed 已全部销毁，kept 依据留存，nothing 没有取得过数据"),
    )
    held = serializers.CharField(
        required=False, allow_blank=True, help_text=_("取得的数据及存放位置；取得过的必填")
    )
    method = serializers.CharField(
        required=False, allow_blank=True, help_text=_("销毁方式；全部销毁的必填")
    )
    kept_basis = serializers.CharField(
        required=False, allow_blank=True, help_text=_("留存内容和依据；留存的必填")
    )
    disposed_by = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=60,
        help_text=_("处置责任人的姓名和职务；取得过的必填"),
    )
    disposed_on = serializers.DateField(
        required=False, allow_null=True, help_text=_("处置日期；取得过的必填")
    )
    paper = PaperInput(required=False, help_text=_("证明材料；不给出的，保留此前所附的"))
    revision = serializers.IntegerField(required=False, min_value=1, help_text=REVISION_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Hand the paper on as the operation takes it."""
        paper = attrs.pop("paper", None)
        return {**attrs, "file": paper["file"] if paper else None}


@extend_schema_serializer(examples=[*MOVES])
class DisposalMoveShape(CertificateInput, CheckInput):
    """For readers: what all the moves of a certificate take together."""

    about: ClassVar[str | Promise] = _(
        "办理处置证明的内容。确认、退回只用 reason，报送用其余各项；revision 都可给出"
    )

    outcome = serializers.ChoiceField(
        choices=Disposal.Outcome.choices,
        required=False,
        help_text=_("报送必填：destroyed 已全部销毁，kept 依据留存，nothing 没有取得过数据"),
    )


INPUTS: Final[dict[str, type[serializers.Serializer[Any]]]] = {
    "file_disposal": CertificateInput,
    "confirm_disposal": CheckInput,
    "return_disposal": CheckInput,
}


@extend_schema_view(
    list=extend_schema(
        operation_id="disposals_list",
        tags=["grants"],
        parameters=[STATUS, GRANT],
        responses={200: DisposalSerializer(many=True), **BAD_FILTER},
        summary=_("数据处置证明列表"),
        description=_("本部门应报送的和应核对的；授权终止、到期时由平台产生。"),
    ),
    retrieve=extend_schema(
        operation_id="disposals_read",
        tags=["grants"],
        responses={200: OneDisposalSerializer, **NO_ROW},
        summary=_("一份数据处置证明"),
        description=_("报送的内容、核对的意见，和平台记录的取得情况。"),
    ),
)
class DisposalViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Certificates that the caller's department owes or checks."""

    queryset = (
        Disposal.objects.select_related(
            "grant__dataset", "grant__system", "provider", "consumer", "filed_by", "checked_by"
        )
        .annotate(due_on=clocks.due_days(Disposal, CLOCK))
        .all()
    )
    serializer_class = DisposalSerializer
    filters: ClassVar[dict[str, str]] = {"status": "status", "grant": "grant"}
    statuses = Disposal.Status.values
    keys = ("grant",)

    def get_serializer_class(self) -> type[serializers.Serializer[Any]]:
        return OneDisposalSerializer if self.action == "retrieve" else DisposalSerializer

    @extend_schema(
        operation_id="disposals_paper",
        tags=["grants"],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **NO_ROW},
        summary=_("下载证明材料"),
        description=_("报送时所附的扫描件；没有的返回 404。SHA-256 在证明的 sha256。"),
    )
    @action(detail=True, methods=["get"])
    def paper(self, request: Request, pk: int) -> FileResponse:
        """Send the scanned record; always as a download."""
        row = self.find(pk=pk)
        if not row.file:
            raise NotFound
        return FileResponse(
            row.file.open("rb"), as_attachment=True, content_type="application/octet-stream"
        )

    @extend_schema(
        operation_id="disposals_move",
        tags=["grants"],
        parameters=[MOVE],
        request=DisposalMoveShape,
        responses={
            200: DisposalSerializer,
            **refusals(
                {
                    400: ("invalid_input", "was_read", "too_large", "unknown_type"),
                    403: ("not_allowed", "own_disposal"),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision"),
                }
            ),
        },
        summary=_("报送、确认、退回数据处置证明"),
        description=_(
            "由使用部门、提供部门的人员登录后办理。退回后使用部门重新报送，时限重新计算。"
        ),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z]+_disposal)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """File, confirm, or send back."""
        if move not in INPUTS:
            raise NotFound
        row = self.find(pk=pk)
        given = checked(INPUTS[move], request)
        getattr(sharing, move)(disposal=row, actor=request.user, at=timezone.now(), **given)
        return Response(DisposalSerializer(self.find(pk=pk)).data)
