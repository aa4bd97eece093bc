"""`/api/v1/datasets`: the catalogue for systems, read-only."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.utils.functional import Promise
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import search
from apps.catalog.api.examples import datasets as examples
from apps.catalog.models import (
    DataItem,
    Dataset,
    DatasetStatus,
    DatasetVersion,
    FormatClass,
    OpeningAttribute,
    SearchEntry,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.scoring import LOSSES
from apps.core import access
from apps.core.api import KeysetPagination, ScopedViewSet, sign_cursor
from apps.core.openapi import refusals
from apps.standards.types import DataType

PAGING = ("limit", "cursor", "format", "facets")

FILTERS = [
    OpenApiParameter(
        "q",
        str,
        description="关键词：名称、数据项、代码、主题、部门、摘要，也可以是拼音或拼音首字母；"
        "须全部符合，同义词视为相同；几乎没有相符的，给出相近的",
    ),
    OpenApiParameter("department", str, description="提供部门的编码"),
    OpenApiParameter("classification", str, description="资源分类代码，可只写前几位"),
    OpenApiParameter("theme", str, description="主题标签"),
    OpenApiParameter(
        "sharing",
        str,
        enum=SharingAttribute.values,
        description="共享属性；有条件共享而未写明条件的按无条件计",
    ),
    OpenApiParameter("opening", str, enum=OpeningAttribute.values, description="开放属性"),
    OpenApiParameter("cycle", str, enum=UpdateCycle.values, description="更新周期"),
    OpenApiParameter("format_class", str, enum=FormatClass.values, description="格式分类"),
    OpenApiParameter("region", str, description="提供部门所在行政区划的代码"),
    OpenApiParameter(
        "has_data", str, enum=list(search.YES_OR_NO), description="是否已有数据归集入库"
    ),
    OpenApiParameter(
        "quality",
        str,
        enum=list(search.BANDS),
        description="目录质量：excellent 90 分以上，good 75–89，fair 60–74，poor 不足 60",
    ),
    OpenApiParameter("loss", str, enum=list(LOSSES), description="失分项：在这一项上失分的目录"),
    OpenApiParameter("status", str, enum=DatasetStatus.values, description="状态"),
    OpenApiParameter(
        "sort",
        str,
        enum=list(search.SORTS),
        description="次序：有关键词时默认 relevance（只翻到前 1,000 条），否则默认 newest；"
        "score 由低到高",
    ),
    OpenApiParameter("facets", bool, description="为 true 时，一并给出各筛选条件的值和件数"),
]


@extend_schema_serializer(examples=[examples.DATASET])
class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """An entry as lists show it. `code` is written with `-` for `/`, as in addresses."""

    about: ClassVar[str] = "一条数据目录"

    code = serializers.CharField(
        source="dashed_code", read_only=True, help_text="目录代码，以 - 代 /"
    )
    department = serializers.CharField(
        source="department.code", read_only=True, help_text="提供部门的编码"
    )
    department_name = serializers.CharField(
        source="department.name", read_only=True, help_text="提供部门的名称"
    )
    classification = serializers.CharField(
        source="classification.code", read_only=True, help_text="资源分类代码"
    )
    sharing_attribute = serializers.ChoiceField(
        choices=SharingAttribute.choices,
        source="effective_sharing_attribute",
        read_only=True,
        help_text="共享属性；有条件共享而未写明条件的，按无条件共享给出",
    )
    themes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="主题标签"
    )

    has_data = serializers.BooleanField(
        source="search_entry.has_data",
        read_only=True,
        default=False,
        help_text="是否已有数据归集入库",
    )
    quality_score = serializers.IntegerField(
        source="search_entry.score",
        read_only=True,
        default=0,
        help_text="目录质量得分，0–100",
    )

    class Meta:
        model = Dataset
        fields = (
            "code",
            "name",
            "abstract",
            "department",
            "department_name",
            "classification",
            "sharing_attribute",
            "sharing_scope",
            "sharing_condition",
            "opening_attribute",
            "update_cycle",
            "grade",
            "contains_personal",
            "contains_sensitive",
            "themes",
            "status",
            "has_data",
            "quality_score",
            "release_on",
            "updated_at",
        )
        read_only_fields = fields


class DataItemSerializer(serializers.ModelSerializer[DataItem]):
    """One item: the name under which the data API serves it, its type and its rules."""

    about: ClassVar[str] = "一个数据项"

    type = serializers.ChoiceField(
        choices=DataType.choices, source="data_type", read_only=True, help_text="数据类型"
    )
    column = serializers.CharField(
        source="column_name",
        read_only=True,
        help_text="列名：数据接口中记录的字段名，也是筛选参数名",
    )
    data_element = serializers.CharField(
        source="data_element.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="对应数据元的编号；没有时为空",
    )
    code_list = serializers.CharField(
        source="code_list.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="代码集的编号，值只取其中的代码；没有时为空",
    )
    is_key = serializers.SerializerMethodField(help_text="是否主键列")

    class Meta:
        model = DataItem
        fields = (
            "column",
            "name",
            "type",
            "length",
            "scale",
            "required",
            "is_key",
            "sharing_attribute",
            "personal",
            "sensitive",
            "mask",
            "data_element",
            "code_list",
            "description",
        )
        read_only_fields = fields

    def get_is_key(self, item: DataItem) -> bool:
        return item.column_name in item.dataset.key_items


class DatasetVersionSerializer(serializers.ModelSerializer[DatasetVersion]):
    about: ClassVar[str] = "目录的一次发布"

    class Meta:
        model = DatasetVersion
        fields = ("number", "published_at")
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.DATASET_DETAIL])
class DatasetDetailSerializer(DatasetSerializer):
    """An entry with its items and the versions that were published."""

    about: ClassVar[str] = "一条数据目录，及其数据项和版本"

    items = DataItemSerializer(many=True, read_only=True, help_text="数据项，按序号")
    versions = DatasetVersionSerializer(
        many=True, read_only=True, help_text="发布过的版本，新的在前"
    )
    system = serializers.CharField(
        source="system.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="来源信息系统的编号；没有时为空",
    )
    key_items = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="主键列：合起来唯一确定一条记录；第一个是主体标识",
    )

    class Meta(DatasetSerializer.Meta):
        fields = (  # type: ignore[assignment]  # longer than the parent's
            *DatasetSerializer.Meta.fields,
            "internal_unit",
            "format_class",
            "format_type",
            "sharing_reason",
            "sharing_statute",
            "mode_class",
            "mode_type",
            "note",
            "opening_condition",
            "legal_duty",
            "service_item",
            "system",
            "contact_name",
            "contact_phone",
            "key_items",
            "items",
            "versions",
        )
        read_only_fields = fields  # type: ignore[assignment]


class SearchPagination(KeysetPagination):
    """Pages of what was found; with their total and, when asked for, the counts of every filter."""

    order_in_words: ClassVar[str | Promise] = "本页各条，按 sort 的次序"

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        page["properties"]["total"] = {
            "type": "integer",
            "description": "符合条件的总数",
            "example": 128,
        }
        page["properties"]["facets"] = {
            "type": "object",
            "description": "facets=true 时给出：筛选条件 → 各个值；件数以其他条件都已满足计",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["value", "label", "count"],
                    "properties": {
                        "value": {"type": "string", "description": "用作查询参数的值"},
                        "label": {"type": "string", "description": "名称"},
                        "count": {"type": "integer", "description": "选它之后的件数"},
                    },
                },
            },
            "example": {
                "sharing": [
                    {"value": "unconditional", "label": "无条件共享", "count": 79},
                    {"value": "conditional", "label": "有条件共享", "count": 49},
                ]
            },
        }
        return page


def facets_of(found: search.Search) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {"value": choice.value, "label": str(choice.label), "count": choice.count}
            for choice in choices
        ]
        for name, choices in found.choices.items()
    }


@extend_schema_view(
    list=extend_schema(
        operation_id="datasets_list",
        tags=["datasets"],
        summary="查找数据目录",
        description="已发布的目录，以及本部门的全部目录。能看目录不等于能读数据，读数据须有授权。",
        parameters=FILTERS,
        responses={
            200: DatasetSerializer(many=True),
            **refusals(
                {400: ("unknown_filter", "invalid_filter", "invalid_limit", "cursor_invalid")}
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="datasets_read",
        tags=["datasets"],
        summary="一条目录及其数据项、版本",
        description="数据项的 column 就是数据接口中的字段名和筛选参数名。",
        parameters=[
            OpenApiParameter("code", str, OpenApiParameter.PATH, description="目录代码，以 - 代 /")
        ],
        responses={200: DatasetDetailSerializer, **refusals({404: ("not_found",)})},
    ),
)
class DatasetViewSet(ScopedViewSet):
    """The entries that the caller may read about: published ones and all of its department.

    Reading the catalogue gives no right to the data; that takes a grant.
    """

    queryset = Dataset.objects.select_related(
        "department", "classification", "system", "search_entry"
    ).all()
    pagination_class = SearchPagination
    serializer_class = DatasetSerializer

    def list(self, request: Request) -> Response:
        filters = search.Filters.read_strictly(request.query_params.dict(), beside=PAGING)
        pages = SearchPagination()
        limit, after = pages.limit(request), pages.after(request)
        found = search.Search(access.rows(request.user, "view", SearchEntry), filters)
        part = found.page(size=limit, start=after)
        rows = self.get_queryset().in_bulk(part.keys)
        answer: dict[str, Any] = {
            "results": DatasetSerializer(
                [rows[key] for key in part.keys if key in rows], many=True
            ).data,
            "next": None if part.following is None else sign_cursor(part.following),
            "total": found.total,
        }
        if request.query_params.get("facets") == "true":
            answer["facets"] = facets_of(found)
        return Response(answer)

    def retrieve(self, request: Request, code: str) -> Response:
        return Response(DatasetDetailSerializer(self.find(code=code.replace("-", "/"))).data)

    def get_queryset(self) -> QuerySet[Any]:
        datasets = super().get_queryset()
        if getattr(self, "action", "") != "retrieve":
            return datasets
        items = DataItem.objects.select_related("dataset", "data_element", "code_list")
        return datasets.prefetch_related(
            Prefetch("items", items.order_by("position", "pk")), "versions"
        )
