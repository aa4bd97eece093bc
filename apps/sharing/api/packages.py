"""`/api/v1/packages`: the requests of one matter, each with where it lies. Read only."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers

from apps.core.api import ScopedViewSet
from apps.core.openapi import refusals, shown
from apps.sharing import queries
from apps.sharing.models import RequestPackage
from apps.sharing.queries.packages import Part

_EXAMPLE: dict[str, Any] = {
    "id": 3,
    "number": "YJ-2026-000003",
    "title": "义务教育入学一件事",
    "service_item": None,
    "consumer": "重庆市教育委员会",
    "system": "S-003-02",
    "basis": "《中华人民共和国义务教育法》第十二条",
    "scenario": "入学报名时核对户籍、房产和居住情况",
    "scope": "各区县教委入学审核岗位",
    "mode": "interface",
    "starts_on": "2026-12-01",
    "ends_on": "2027-11-30",
    "parts": [
        {
            "request": 61,
            "number": "SQ-2026-000061",
            "dataset": "307027/000001",
            "dataset_name": "婚姻登记信息",
            "provider": "重庆市民政局",
            "status": "reviewing",
            "status_label": "审核中",
            "holder": "重庆市民政局",
            "since": "2026-11-20T09:30:00+08:00",
            "waited_workdays": 5,
            "is_overdue": False,
            "due_on": "2026-12-04",
        }
    ],
    "revision": 4,
    "created_at": "2026-11-18T16:00:00+08:00",
    "updated_at": "2026-11-19T10:00:00+08:00",
}


class PartSerializer(serializers.Serializer[Part]):
    about: ClassVar[str | Promise] = _("一件事申请的一部分：一件共享申请和它现在所在")

    request = serializers.IntegerField(source="request.pk", help_text=_("共享申请的 id"))
    number = serializers.CharField(source="request.number", help_text=_("申请编号"))
    dataset = serializers.CharField(source="request.dataset.code", help_text=_("目录代码"))
    dataset_name = serializers.CharField(source="request.dataset.name", help_text=_("目录名称"))
    provider = serializers.CharField(
        source="request.dataset.department.name", help_text=_("提供部门的名称")
    )
    status = serializers.CharField(source="request.status", help_text=_("状态"))
    status_label = serializers.CharField(
        source="request.get_status_display", help_text=_("状态的名称")
    )
    holder = serializers.CharField(
        source="holder.name",
        allow_null=True,
        default=None,
        help_text=_("现在等哪个部门；办结的为空"),
    )
    since = serializers.DateTimeField(allow_null=True, help_text=_("何时到了这个部门"))
    waited_workdays = serializers.IntegerField(help_text=_("到这个部门之后过去的工作日"))
    is_overdue = serializers.BooleanField(help_text=_("时限是否已过"))
    due_on = serializers.DateField(
        source="remaining.due_on",
        allow_null=True,
        default=None,
        help_text=_("时限的截止日期；不计时的为空"),
    )


@extend_schema_serializer(examples=[shown("package", "办理中的一件事申请", _EXAMPLE)])
class PackageSerializer(serializers.ModelSerializer[RequestPackage]):
    """One matter with the parts that the caller may see."""

    about: ClassVar[str | Promise] = _("一件事申请的现状")

    service_item = serializers.CharField(
        source="service_item.code",
        allow_null=True,
        default=None,
        help_text=_("政务服务事项的编码；不对应的为空"),
    )
    consumer = serializers.CharField(source="consumer.name", help_text=_("使用部门的名称"))
    system = serializers.CharField(source="system.code", help_text=_("使用系统的编号"))
    parts = serializers.SerializerMethodField(help_text=_("所见的各部分，按加入的次序"))

    class Meta:
        model = RequestPackage
        fields = (
            "id", "number", "title", "service_item", "consumer", "system",
            "basis", "scenario", "scope", "mode", "starts_on", "ends_on",
            "parts", "revision", "created_at", "updated_at",
        )  # fmt: skip

    @extend_schema_field(PartSerializer(many=True))
    def get_parts(self, package: RequestPackage) -> Any:
        context: Any = self.context
        page: Any = self.parent
        if "parts" not in context:  # of the whole page at once
            rows = [package] if page is None else list(page.instance)
            user = context["request"].user
            context["parts"] = queries.parts_of_each(rows, user, timezone.now())
        return PartSerializer(context["parts"][package.pk], many=True).data


@extend_schema_view(
    list=extend_schema(
        operation_id="packages_list",
        tags=["requests"],
        responses={
            200: PackageSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
        summary=_("一件事申请列表"),
        description=_("本部门提出的，和其中有一部分向本部门申请的；各部分只列所见的。"),
    ),
    retrieve=extend_schema(
        operation_id="packages_read",
        tags=["requests"],
        responses={200: PackageSerializer, **refusals({404: ("not_found",)})},
        summary=_("一件一件事申请"),
        description=_("共同内容，各部分的状态、所在部门和时限。"),
    ),
)
class PackageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Matters that the caller may see: of his department, or with a part put to it."""

    queryset = RequestPackage.objects.select_related("consumer", "system", "service_item").all()
    serializer_class = PackageSerializer
