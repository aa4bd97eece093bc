"""`/api/v1/datasets/{code}/versions/{number}` and `…/on/{day}`: an entry as it stood."""

from typing import Any, ClassVar

from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import queries
from apps.catalog.api.examples import datasets as examples
from apps.catalog.differences import differences
from apps.catalog.models import Dataset, DatasetVersion
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description=_("目录代码，以 - 代 /"))


class DifferenceSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一处不同，按页面上的名称写")

    item = serializers.CharField(help_text=_("数据项的列名；目录本身的字段为空"))
    item_name = serializers.CharField(
        source="item_label", help_text=_("数据项的名称；目录本身的字段为空")
    )
    field = serializers.CharField(help_text=_("字段；增加或者移除整个数据项时为空"))
    field_name = serializers.CharField(  # type: ignore[assignment]  # a part of the answer
        source="label", help_text=_("字段的名称")
    )
    kind = serializers.ChoiceField(
        choices=("changed", "added", "removed"), help_text=_("改动、增加或者移除")
    )
    old = serializers.CharField(help_text=_("原来的值"))
    new = serializers.CharField(help_text=_("现在的值"))


@extend_schema_serializer(examples=[examples.VERSION])
class VersionDetailSerializer(serializers.ModelSerializer[DatasetVersion]):
    """A version with what it held, and what differs from the one before."""

    about: ClassVar[str | Promise] = _("目录的一个版本：当时的内容，与上一版的不同")

    snapshot = serializers.JSONField(help_text=_("当时的全部字段和数据项；指向他物的写其代码"))
    reason = serializers.SerializerMethodField(help_text=_("变更说明；首次发布的为空"))
    differences = serializers.SerializerMethodField(help_text=_("与上一版的不同；首次发布的为空"))

    class Meta:
        model = DatasetVersion
        fields = ("number", "published_at", "reason", "snapshot", "differences")
        read_only_fields = fields

    def get_reason(self, version: DatasetVersion) -> str:
        change = queries.reasons_of_versions(version.dataset).get(version.number)
        return change.reason if change else ""

    @extend_schema_field(DifferenceSerializer(many=True))
    def get_differences(self, version: DatasetVersion) -> list[dict[str, Any]]:
        before = version.dataset.versions.filter(number__lt=version.number).first()
        if before is None:
            return []
        found = differences(before.snapshot, version.snapshot)
        return list(DifferenceSerializer(found, many=True).data)


class DatasetVersionViewSet(ScopedViewSet):
    """The versions of an entry that the caller may read about."""

    queryset = Dataset.objects.all()

    @extend_schema(
        operation_id="datasets_version",
        tags=["datasets"],
        summary=_("目录的一个版本"),
        description=_("版本一经发布不再改动；versions 中列出全部版本号。"),
        parameters=[
            CODE,
            OpenApiParameter("number", int, OpenApiParameter.PATH, description=_("版本号")),
        ],
        responses={200: VersionDetailSerializer, **refusals({404: ("not_found",)})},
    )
    def version(self, request: Request, code: str, number: int) -> Response:
        found = self._entry(code).versions.filter(number=number).first()
        return self._answer(found)

    @extend_schema(
        operation_id="datasets_on_day",
        tags=["datasets"],
        summary=_("某日有效的版本"),
        description=_("当日终了时有效的版本；首次发布之前、撤回之后没有。"),
        parameters=[
            CODE,
            OpenApiParameter(
                "day", str, OpenApiParameter.PATH, description=_("日期，如 2026-11-18")
            ),
        ],
        responses={
            200: VersionDetailSerializer,
            **refusals({400: ("invalid_input",), 404: ("not_found",)}),
        },
    )
    def on_day(self, request: Request, code: str, day: str) -> Response:
        try:
            wanted = parse_date(day)
        except ValueError:
            wanted = None
        if wanted is None:
            raise InvalidInput(_("日期写作 2026-11-18"), field="day")
        return self._answer(queries.version_on(self._entry(code), wanted))

    def _entry(self, code: str) -> Dataset:
        found: Dataset = self.find(code=code.replace("-", "/"))
        return found

    def _answer(self, version: DatasetVersion | None) -> Response:
        if version is None:
            raise NotFound
        return Response(VersionDetailSerializer(version).data)
