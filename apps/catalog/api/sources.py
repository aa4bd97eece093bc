"""`/api/v1/duplicates` and `/api/v1/source-designations`."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import Department
from apps.catalog import operations as catalog
from apps.catalog.api.examples import datasets as examples
from apps.catalog.models import Dataset, Duplicate, DuplicateStatus, SourceDesignation
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals

MOVES = ("name_source", "tell_apart", "reconsider", "comment")
NUMBER = OpenApiParameter("id", int, OpenApiParameter.PATH, description="列表中给出的 id")


class PairedDatasetSerializer(serializers.ModelSerializer[Dataset]):
    about: ClassVar[str] = "疑似重复的一条目录"

    code = serializers.CharField(
        source="dashed_code", read_only=True, help_text="目录代码，以 - 代 /"
    )
    department = serializers.CharField(
        source="department.code", read_only=True, help_text="提供部门的编码"
    )

    class Meta:
        model = Dataset
        fields = ("code", "name", "department")
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.DUPLICATE])
class DuplicateSerializer(serializers.ModelSerializer[Duplicate]):
    about: ClassVar[str] = "一对疑似重复采集的目录，及其依据和决定"

    first = PairedDatasetSerializer(read_only=True, help_text="目录甲")
    second = PairedDatasetSerializer(read_only=True, help_text="目录乙")
    evidence = serializers.JSONField(
        read_only=True,
        help_text="items：相同的数据项及怎样相同；words：名称中相同的词；"
        "first_only、second_only：各自另有几项",
    )
    designation = serializers.IntegerField(
        source="designation_id",
        read_only=True,
        allow_null=True,
        help_text="据以确定的数源认定的 id；没有时为空",
    )

    class Meta:
        model = Duplicate
        fields = (
            "id",
            "status",
            "revision",
            "score",
            "name_score",
            "item_score",
            "first",
            "second",
            "evidence",
            "designation",
            "remark",
            "decided_at",
        )
        read_only_fields = fields


@extend_schema_serializer(examples=[*examples.DUPLICATE_MOVES])
class DuplicateMoveSerializer(serializers.Serializer[Any]):
    about: ClassVar[str] = "对疑似重复采集的决定或者意见"

    reason = serializers.CharField(max_length=500, help_text="依据、理由，或者意见")
    department = serializers.CharField(
        required=False, help_text="name_source 必填：数源部门的编码，两个提供部门之一"
    )
    subject = serializers.CharField(
        required=False,
        max_length=100,
        help_text="name_source：数据的名称，默认为其目录的名称",
    )
    revision = serializers.IntegerField(
        required=False, help_text="读到的修订号；之后有改动的，不予办理"
    )


@extend_schema_serializer(examples=[examples.DESIGNATION])
class SourceDesignationSerializer(serializers.ModelSerializer[SourceDesignation]):
    about: ClassVar[str] = "一项数源认定"

    department = serializers.CharField(
        source="department.code", read_only=True, help_text="数源部门的编码"
    )
    department_name = serializers.CharField(
        source="department.name", read_only=True, help_text="数源部门的名称"
    )
    data_element = serializers.CharField(
        source="data_element.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="数据元的编号；没有时为空",
    )

    class Meta:
        model = SourceDesignation
        fields = (
            "id",
            "subject",
            "department",
            "department_name",
            "data_element",
            "basis",
            "decided_at",
            "valid_from",
            "valid_to",
        )
        read_only_fields = fields


@extend_schema_view(
    list=extend_schema(
        operation_id="duplicates_list",
        tags=["datasets"],
        summary="疑似重复采集",
        description="主管部门见全部；其他部门见涉及本部门目录的。",
        parameters=[
            OpenApiParameter(
                "status", str, enum=DuplicateStatus.values, description="只要这种状态的"
            )
        ],
        responses={
            200: DuplicateSerializer(many=True),
            **refusals(
                {400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")}
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="duplicates_read",
        tags=["datasets"],
        summary="一对疑似重复采集的目录",
        description="含逐项的依据。",
        parameters=[NUMBER],
        responses={200: DuplicateSerializer, **refusals({404: ("not_found",)})},
    ),
)
class DuplicateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Pairs of entries that concern the caller."""

    queryset = Duplicate.objects.select_related("first__department", "second__department").all()
    serializer_class = DuplicateSerializer
    filters: ClassVar[dict[str, str]] = {"status": "status"}
    statuses = DuplicateStatus.values

    @extend_schema(
        operation_id="duplicates_move",
        tags=["datasets"],
        summary="确定数源、认定不是同一数据、重新考虑、提出意见",
        description="前三项由主管部门办理；有关部门可以提出意见（comment）。",
        parameters=[
            NUMBER,
            OpenApiParameter(
                "move", str, OpenApiParameter.PATH, enum=[*MOVES], description="办理事项"
            ),
        ],
        request=DuplicateMoveSerializer,
        responses={
            200: DuplicateSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "conflict"),
                }
            ),
        },
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        row: Duplicate = self.find(pk=pk)
        body = DuplicateMoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        actor: Any = request.user
        at = timezone.now()
        if move == "comment":
            catalog.comment_duplicate(duplicate=row, actor=actor, at=at, text=given["reason"])
            return Response(DuplicateSerializer(self.find(pk=pk)).data)
        if move == "name_source":
            given["department"] = _department(given.get("department", ""))
        else:
            given.pop("department", None)
            given.pop("subject", None)
        getattr(catalog, move)(duplicate=row, actor=actor, at=at, **given)
        return Response(DuplicateSerializer(self.find(pk=pk)).data)


def _department(code: str) -> Department:
    found: Department | None = Department.objects.filter(code=code).first()
    if found is None:
        raise InvalidInput("没有这个部门", field="department")
    return found


@extend_schema_view(
    list=extend_schema(
        operation_id="source_designations_list",
        tags=["datasets"],
        summary="数源认定",
        description="哪项数据由哪个部门采集；新的在前，含已终止的。",
        responses={
            200: SourceDesignationSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    ),
    retrieve=extend_schema(
        operation_id="source_designations_read",
        tags=["datasets"],
        summary="一项数源认定",
        description="含依据和有效期。",
        parameters=[NUMBER],
        responses={200: SourceDesignationSerializer, **refusals({404: ("not_found",)})},
    ),
)
class SourceDesignationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """The sources that were named; every member of a department sees them."""

    queryset = SourceDesignation.objects.select_related("department", "data_element").all()
    serializer_class = SourceDesignationSerializer
