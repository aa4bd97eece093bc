"""`/api/v1/datasets/{code}/no-changes`: confirm that nothing changed in a period."""

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
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import queries as catalog
from apps.core.api import ScopedViewSet
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.warehouse import operations as warehouse
from apps.warehouse.api import examples
from apps.warehouse.models import NoChange

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description=_("目录代码，以 - 代 /"))


@extend_schema_serializer(examples=[examples.CONFIRM])
class NoChangeInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一次无变化确认")

    period_from = serializers.DateField(help_text=_("期间起，如 2026-11-01"))
    period_to = serializers.DateField(help_text=_("期间止，最晚为今天"))
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=300, help_text=_("说明")
    )


@extend_schema_serializer(examples=[examples.NO_CHANGE])
class NoChangeSerializer(serializers.ModelSerializer[NoChange]):
    about: ClassVar[str | Promise] = _("已确认无变化的一个期间")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    confirmed_by = serializers.CharField(
        source="confirmed_by.username", read_only=True, help_text=_("确认的账号")
    )

    class Meta:
        model = NoChange
        fields = (
            "id", "dataset", "period_from", "period_to", "confirmed_by", "confirmed_at", "note",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(
        operation_id="no_changes_list",
        tags=["batches"],
        summary=_("无变化确认列表"),
        description=_("这项目录已确认无变化的期间，新的在前。"),
        parameters=[CODE],
        responses={
            200: NoChangeSerializer(many=True),
            **refusals(
                {
                    400: ("unknown_filter", "invalid_limit", "cursor_invalid"),
                    404: ("not_found",),
                }
            ),
        },
    ),
    create=extend_schema(
        operation_id="no_changes_confirm",
        tags=["batches"],
        summary=_("确认无变化"),
        description=_("提供部门确认某个期间数据没有变化，这个期间按已更新计。期间内改动过数据的不能确认。"),
        parameters=[CODE],
        request=NoChangeInput,
        responses={
            201: NoChangeSerializer,
            **refusals(
                {
                    400: (
                        "invalid_input", "period_invalid", "period_changed", "nothing_landed",
                        "dataset_not_published",
                    ),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("period_confirmed",),
                }
            ),
        },
    ),
)  # fmt: skip
class NoChangeViewSet(ScopedViewSet):
    """Confirmations of one dataset; a system confirms for the department it belongs to."""

    queryset = NoChange.objects.select_related("dataset", "confirmed_by").all()
    serializer_class = NoChangeSerializer

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()
        code = self.kwargs.get("code", "")
        return found.filter(dataset__code=code.replace("-", "/"))

    def list(self, request: Request, code: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(NoChangeSerializer(page, many=True).data)

    def create(self, request: Request, code: str) -> Response:
        user: Any = request.user
        dataset = catalog.visible_to(user).filter(code=code.replace("-", "/")).first()
        if dataset is None:
            raise NotFound
        given = NoChangeInput(data=request.data)
        given.is_valid(raise_exception=True)
        made = warehouse.confirm_no_change(
            dataset=dataset, actor=user, at=timezone.now(), **given.validated_data
        )
        return Response(NoChangeSerializer(made).data, status.HTTP_201_CREATED)
