"""`/api/v1/legal-duties` and `/api/v1/service-items`: the law's lists, read-only."""

from typing import Any, ClassVar

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
from rest_framework import mixins, serializers

from apps.catalog.api.examples import duties as examples
from apps.catalog.models import LegalDuty, ServiceItem
from apps.catalog.queries import law
from apps.core.api import ScopedViewSet
from apps.core.openapi import refusals

BAD_LIST = refusals({400: ("unknown_filter", "invalid_filter", "invalid_limit", "cursor_invalid")})
DEPARTMENT = OpenApiParameter("department", str, description=_("实施部门的编码"))
CODE = OpenApiParameter("code", str, description=_("事项编码"))


@extend_schema_serializer(examples=[examples.LEGAL_DUTY])
class LegalDutySerializer(serializers.ModelSerializer[LegalDuty]):
    about: ClassVar[str | Promise] = _("一项权责清单事项")

    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("实施部门的编码")
    )
    has_dataset = serializers.BooleanField(
        read_only=True, help_text=_("有没有已发布的目录写明它的编码或者名称")
    )

    class Meta:
        model = LegalDuty
        fields = (
            "id", "code", "name", "kind", "basis", "department", "valid_from", "valid_to",
            "has_dataset",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.SERVICE_ITEM])
class ServiceItemSerializer(serializers.ModelSerializer[ServiceItem]):
    about: ClassVar[str | Promise] = _("一项政务服务事项")

    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("实施部门的编码")
    )
    legal_duty = serializers.CharField(
        source="legal_duty.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("对应权责清单事项的编码；没有时为空"),
    )
    has_dataset = serializers.BooleanField(
        read_only=True, help_text=_("有没有已发布的目录写明它的编码或者名称")
    )

    class Meta:
        model = ServiceItem
        fields = (
            "id", "code", "name", "department", "legal_duty", "valid_from", "valid_to",
            "has_dataset",
        )  # fmt: skip
        read_only_fields = fields


class _LawViewSet(mixins.ListModelMixin, ScopedViewSet):
    """Items valid today."""

    filters: ClassVar[dict[str, str]] = {"department": "department__code", "code": "code"}

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = law.with_dataset(
            law.valid(super().get_queryset(), timezone.localdate())
        )
        return found


@extend_schema_view(
    list=extend_schema(
        operation_id="legal_duties_list",
        tags=["duties"],
        summary=_("权责清单事项"),
        description=_("现行有效的事项，新导入的在前。"),
        parameters=[DEPARTMENT, CODE],
        responses={200: LegalDutySerializer(many=True), **BAD_LIST},
    )
)
class LegalDutyViewSet(_LawViewSet):
    queryset = LegalDuty.objects.select_related("department").all()
    serializer_class = LegalDutySerializer


@extend_schema_view(
    list=extend_schema(
        operation_id="service_items_list",
        tags=["duties"],
        summary=_("政务服务事项"),
        description=_("现行有效的事项，新导入的在前。"),
        parameters=[DEPARTMENT, CODE],
        responses={200: ServiceItemSerializer(many=True), **BAD_LIST},
    )
)
class ServiceItemViewSet(_LawViewSet):
    queryset = ServiceItem.objects.select_related("department", "legal_duty").all()
    serializer_class = ServiceItemSerializer
