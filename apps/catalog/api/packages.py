"""`/api/v1/upward-packages`: what is reported to the levels above, package by package."""

from typing import Any, ClassVar, Final

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.api.demand_shapes import REVISION_HELP
from apps.catalog.api.examples import upward as examples
from apps.catalog.api.upward_shapes import (
    BAD_LIST,
    MOVE_REFUSALS,
    NO_ROW,
    move_parameter,
)
from apps.catalog.models import UpperLevel, UpwardEntry, UpwardPackage
from apps.catalog.operations import upward
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import NotFound
from apps.core.openapi import refusals


class UpwardEntrySerializer(serializers.ModelSerializer[UpwardEntry]):
    about: ClassVar[str | Promise] = _("数据包中的一条，及上级的回执")

    code = serializers.CharField(source="snapshot.code", help_text=_("目录代码"))
    name = serializers.CharField(source="snapshot.name", help_text=_("上报时的目录名称"))

    class Meta:
        model = UpwardEntry
        fields = (
            "code", "name", "change", "version", "receipt", "upper_code", "receipt_note",
            "receipted_at",
        )  # fmt: skip


@extend_schema_serializer(examples=[examples.PACKAGE])
class UpwardPackageSerializer(serializers.ModelSerializer[UpwardPackage]):
    about: ClassVar[str | Promise] = _("一份上报数据包")

    class Meta:
        model = UpwardPackage
        fields = (
            "id", "number", "level", "status", "outside_number", "sent_at", "receipted_at",
            "revision", "created_at",
        )  # fmt: skip


@extend_schema_serializer(examples=[examples.PACKAGE_DETAIL])
class UpwardPackageDetailSerializer(UpwardPackageSerializer):
    about: ClassVar[str | Promise] = _("一份上报数据包及其条目")

    entries = UpwardEntrySerializer(many=True, help_text=_("条目"))

    class Meta(UpwardPackageSerializer.Meta):
        fields = (*UpwardPackageSerializer.Meta.fields, "entries")  # type: ignore[assignment]


@extend_schema_serializer(examples=[examples.MAKE])
class MakeInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("生成上报数据包")

    level = serializers.ChoiceField(choices=UpperLevel.choices, help_text=_("上报给哪一级"))


class SendInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("确认已上报")

    outside_number = serializers.CharField(
        max_length=100, required=False, allow_blank=True, help_text=_("send：上级受理编号")
    )
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


class DiscardInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("作废")

    reason = serializers.CharField(help_text=_("discard：理由，必填"))
    revision = serializers.IntegerField(required=False, help_text=REVISION_HELP)


@extend_schema_serializer(examples=[*examples.PACKAGE_MOVES])
class PackageMoveShape(SendInput):
    """For readers: what all the moves take together."""

    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    reason = serializers.CharField(required=False, help_text=_("discard：理由，必填"))


MOVES: Final[dict[str, tuple[Any, type[serializers.Serializer[Any]]]]] = {
    "send": (upward.send, SendInput),
    "discard": (upward.discard, DiscardInput),
}


@extend_schema_view(
    list=extend_schema(
        operation_id="upward_packages_list",
        tags=["upward"],
        responses={200: UpwardPackageSerializer(many=True), **BAD_LIST},
        summary=_("上报数据包列表"),
        description=_("主管部门向国家和省级上报的数据包。"),
    ),
    retrieve=extend_schema(
        operation_id="upward_packages_read",
        tags=["upward"],
        responses={200: UpwardPackageDetailSerializer, **NO_ROW},
        summary=_("一份上报数据包"),
        description=_("数据包的条目和上级的回执。"),
    ),
)
class UpwardPackageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Packages, for those who oversee the catalogue."""

    queryset = UpwardPackage.objects.all()

    def get_queryset(self) -> QuerySet[Any]:
        packages = super().get_queryset()
        return packages.prefetch_related("entries") if self.action == "retrieve" else packages

    def get_serializer_class(self) -> Any:
        is_one = self.action == "retrieve"
        return UpwardPackageDetailSerializer if is_one else UpwardPackageSerializer

    @extend_schema(
        operation_id="upward_packages_make",
        tags=["upward"],
        request=MakeInput,
        responses={
            201: UpwardPackageDetailSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    409: ("package_waiting", "nothing_to_report"),
                }
            ),
        },
        summary=_("生成上报数据包"),
        description=_("收入上次上报之后发布、变更、撤回的目录，以及被退回和有差异的。"),
    )
    def create(self, request: Request) -> Response:
        user: Any = request.user
        made = upward.make_package(actor=user, at=timezone.now(), **checked(MakeInput, request))
        return Response(UpwardPackageDetailSerializer(self.find(pk=made.pk)).data, 201)

    @extend_schema(
        operation_id="upward_packages_move",
        tags=["upward"],
        parameters=[move_parameter(MOVES, _("动作，见 docs/lifecycles.md"))],
        request=PackageMoveShape,
        responses={200: UpwardPackageDetailSerializer, **MOVE_REFUSALS},
        summary=_("办理上报数据包"),
        description=_("确认已上报，或者作废；上级的回执文件在页面导入。"),
    )
    @action(detail=True, methods=["post"], url_path=r"(?P<move>[a-z_]+)", url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        package = self.find(pk=pk)
        act, shape = MOVES[move]
        user: Any = request.user
        act(package=package, actor=user, at=timezone.now(), **checked(shape, request))
        return Response(UpwardPackageDetailSerializer(self.find(pk=pk)).data)
