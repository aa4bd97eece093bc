"""`/api/v1/datasets`: the catalogue for systems, and writing it for people."""

from typing import Any, ClassVar, Final

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations as catalog
from apps.catalog import search
from apps.catalog.api.dataset_shapes import DatasetDetailSerializer, DatasetSerializer
from apps.catalog.api.entry_input import (
    AssessmentInput,
    DatasetMoveShape,
    EntryDraftInput,
    MoveInput,
    ReasonInput,
    ReviseInput,
)
from apps.catalog.models import (
    DataItem,
    Dataset,
    DatasetStatus,
    FormatClass,
    OpeningAttribute,
    SearchEntry,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.scoring import LOSSES
from apps.core import access
from apps.core.api import KeysetPagination, ScopedViewSet, sign_cursor
from apps.core.errors import NotFound
from apps.core.openapi import refusals

MOVES: Final[dict[str, tuple[Any, type[serializers.Serializer[Any]]]]] = {
    "revise": (catalog.revise_dataset, ReviseInput),
    "record_assessment": (catalog.record_assessment, AssessmentInput),
    "submit": (catalog.submit, MoveInput),
    "approve": (catalog.approve, MoveInput),
    "publish": (catalog.publish, MoveInput),
    "send_back": (catalog.send_back, ReasonInput),
    "request_withdrawal": (catalog.request_withdrawal, ReasonInput),
    "decline_withdrawal": (catalog.decline_withdrawal, ReasonInput),
    "withdraw": (catalog.withdraw, MoveInput),
}
CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description=_("目录代码，以 - 代 /"))
DRAFT_REFUSALS = refusals({400: ("invalid_input",), 403: ("not_allowed",), 409: ("conflict",)})
MOVE_REFUSALS = refusals(
    {
        400: ("invalid_input", "dataset_incomplete"),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "item_in_use", "conflict"),
    }
)
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
        parameters=[CODE],
        responses={200: DatasetDetailSerializer, **refusals({404: ("not_found",)})},
    ),
)
class DatasetViewSet(ScopedViewSet):
    """The entries that the caller may read about: published ones and all of its department.

    Reading the catalogue gives no right to the data; that takes a grant. Writing it takes a person
    of the department, as on the pages.
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
        return Response(self._shown(code))

    @extend_schema(
        operation_id="datasets_draft",
        tags=["datasets"],
        summary=_("起草数据目录"),
        description=_(
            "由本部门的人员登录后起草；写好后用 submit 提交本部门审批。"
            "已发布的目录用 /dataset-changes 修改。"
        ),
        request=EntryDraftInput,
        responses={201: DatasetDetailSerializer, **DRAFT_REFUSALS},
    )
    def create(self, request: Request) -> Response:
        user: Any = request.user
        given = EntryDraftInput(data=request.data, context={"caller": user})
        given.is_valid(raise_exception=True)
        made = catalog.create_dataset(actor=user, at=timezone.now(), **given.validated_data)
        return Response(self._shown(made.code), 201)

    @extend_schema(
        operation_id="datasets_move",
        tags=["datasets"],
        summary=_("办理数据目录"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            CODE,
            OpenApiParameter(
                "move",
                str,
                OpenApiParameter.PATH,
                enum=[*MOVES],
                description=_(
                    "动作，见 docs/lifecycles.md；revise 为修改内容，record_assessment 为登记评估"
                ),
            ),
        ],
        request=DatasetMoveShape,
        responses={200: DatasetDetailSerializer, **MOVE_REFUSALS},
    )
    def move(self, request: Request, code: str, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        dataset = self.find(code=code.replace("-", "/"))
        user: Any = request.user
        act, shape = MOVES[move]
        given = shape(data=request.data, context={"caller": user})
        given.is_valid(raise_exception=True)
        act(dataset=dataset, actor=user, at=timezone.now(), **given.validated_data)
        return Response(self._shown(code))

    def _shown(self, code: str) -> Any:
        found = self.find(code=code.replace("-", "/"))
        return DatasetDetailSerializer(found, context={"caller": self.request.user}).data

    def get_queryset(self) -> QuerySet[Any]:
        datasets = super().get_queryset()
        if getattr(self, "action", "") == "list":
            return datasets
        items = DataItem.objects.select_related("dataset", "data_element", "code_list")
        others = access.rows(self.request.user, "view", Dataset).order_by("code")
        return datasets.select_related("source_department").prefetch_related(
            Prefetch("items", items.order_by("position", "pk")),
            Prefetch("related", others),
            "versions",
        )
