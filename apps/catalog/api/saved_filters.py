"""`/api/v1/saved-filters`: searches kept under a name."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations as catalog
from apps.catalog.api.examples import datasets as examples
from apps.catalog.models import SavedFilter
from apps.core.api import ScopedViewSet
from apps.core.openapi import refusals


@extend_schema_serializer(examples=[examples.SAVED_FILTER])
class SavedFilterSerializer(serializers.ModelSerializer[SavedFilter]):
    about: ClassVar[str] = "一组常用筛选"

    owner = serializers.CharField(source="owner.__str__", read_only=True, help_text="保存人")
    department = serializers.CharField(
        source="department.code", read_only=True, help_text="保存人所在部门的编码"
    )

    class Meta:
        model = SavedFilter
        fields = ("id", "name", "query", "audience", "owner", "department", "created_at")
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.SAVE_FILTER])
class SaveFilterSerializer(serializers.Serializer[Any]):
    about: ClassVar[str] = "要保存的筛选"

    name = serializers.CharField(max_length=50, help_text="名称，本人的不能重复")
    query = serializers.CharField(
        max_length=1000, help_text="筛选条件，与 /api/v1/datasets 的查询参数写法相同"
    )
    audience = serializers.ChoiceField(
        choices=SavedFilter.Audience.choices, default="own", help_text="共享给谁"
    )


@extend_schema_view(
    list=extend_schema(
        operation_id="saved_filters_list",
        tags=["datasets"],
        summary="常用筛选",
        description="本人保存的，以及他人共享给本部门或者全市各部门的。",
        responses={
            200: SavedFilterSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    ),
    create=extend_schema(
        operation_id="saved_filters_create",
        tags=["datasets"],
        summary="保存一组常用筛选",
        description="共享的是筛选条件；各人用它查到的仍是自己有权查看的目录。",
        request=SaveFilterSerializer,
        responses={
            201: SavedFilterSerializer,
            **refusals(
                {
                    400: ("invalid_input", "invalid_filter"),
                    403: ("not_allowed",),
                    409: ("conflict",),
                }
            ),
        },
    ),
    destroy=extend_schema(
        operation_id="saved_filters_delete",
        tags=["datasets"],
        summary="删除本人的一组常用筛选",
        description="已共享的，他人也不再看到。",
        parameters=[
            OpenApiParameter("id", int, OpenApiParameter.PATH, description="列表中给出的 id")
        ],
        responses={
            204: None,
            **refusals({403: ("not_allowed",), 404: ("not_found",), 409: ("conflict",)}),
        },
    ),
)
class SavedFilterViewSet(ScopedViewSet):
    """The caller's kept searches and those shared with it."""

    queryset = SavedFilter.objects.select_related("owner", "department").all()
    serializer_class = SavedFilterSerializer

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(SavedFilterSerializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        body = SaveFilterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        actor: Any = request.user
        saved = catalog.save_filter(actor=actor, at=timezone.now(), **body.validated_data)
        return Response(SavedFilterSerializer(saved).data, status=201)

    def destroy(self, request: Request, pk: int) -> Response:
        actor: Any = request.user
        catalog.delete_filter(saved=self.find(pk=pk), actor=actor, at=timezone.now())
        return Response(status=204)
