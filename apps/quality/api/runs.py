"""`/api/v1/quality/runs`: what was checked, what it found, and asking for a check."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.api import ScopedViewSet
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.quality import operations as quality
from apps.quality.api import examples
from apps.quality.api.asking import BAD_LIST, DATASET, DEPARTMENT, NO_ROW, NUMBER, narrowed
from apps.quality.models import QualityRun, RuleResult
from apps.quality.queries import runs


@extend_schema_serializer(examples=[examples.RUN])
class RunSerializer(serializers.ModelSerializer[QualityRun]):
    about: ClassVar[str | Promise] = _("一项质检任务")

    number = serializers.CharField(
        source="__str__", read_only=True, help_text=_("任务编号，如 ZJ-000001")
    )
    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    batch = serializers.IntegerField(
        source="batch_id", read_only=True, allow_null=True, help_text=_("归集批次的 id")
    )

    class Meta:
        model = QualityRun
        fields = (
            "id", "number", "dataset", "trigger", "status", "batch", "horizon", "rows_read",
            "message", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class ResultSerializer(serializers.ModelSerializer[RuleResult]):
    about: ClassVar[str | Promise] = _("一条规则的结果；不可评价时三个数都为空")

    rule = serializers.IntegerField(source="rule_id", read_only=True, help_text=_("规则的 id"))
    name = serializers.CharField(source="rule.name", read_only=True, help_text=_("规则名称"))
    ratio = serializers.FloatField(
        read_only=True, allow_null=True, help_text=_("符合的比例，0 至 1")
    )

    class Meta:
        model = RuleResult
        fields = (
            "rule", "name", "basis", "rule_version", "evaluated", "failed", "ratio",
            "not_evaluable",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.RUN_DETAIL])
class RunDetailSerializer(RunSerializer):
    about: ClassVar[str | Promise] = _("一项质检任务及各规则的结果")

    results = serializers.SerializerMethodField(help_text=_("各规则的结果，不符合最多的在前"))

    class Meta:
        model = QualityRun
        fields = (*RunSerializer.Meta.fields, "results")
        read_only_fields = fields

    @extend_schema_field(ResultSerializer(many=True))
    def get_results(self, run: QualityRun) -> Any:
        return ResultSerializer(runs.results_of(run), many=True).data


@extend_schema_serializer(examples=[examples.ASK_RUN])
class AskRunInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("要检查的目录")

    dataset = serializers.CharField(help_text=_("目录代码，以 - 代 /"))


@extend_schema_view(
    list=extend_schema(
        operation_id="quality_runs_list",
        tags=["quality"],
        summary=_("质检任务列表"),
        description=_("部门见本部门目录的，主管部门见全部，新的在前。"),
        parameters=[
            DATASET,
            DEPARTMENT,
            OpenApiParameter(
                "status", str, enum=QualityRun.Status.values, description=_("只要这种状态的")
            ),
        ],
        responses={200: RunSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="quality_runs_read",
        tags=["quality"],
        summary=_("一项质检任务及其结果"),
        description=_("各规则的评价数、不符合数，或者不可评价的原因。"),
        parameters=[NUMBER],
        responses={200: RunDetailSerializer, **NO_ROW},
    ),
)
class RunViewSet(ScopedViewSet):
    """Runs of the datasets whose quality the caller may see."""

    queryset = QualityRun.objects.select_related("dataset").all()
    serializer_class = RunSerializer

    def list(self, request: Request) -> Response:
        filters = {
            "dataset": "dataset__code",
            "department": "dataset__department__code",
            "status": "status",
        }
        choices = {"status": QualityRun.Status.values}
        page = self.paginate_queryset(narrowed(request, self.get_queryset(), filters, choices))
        return self.get_paginated_response(RunSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(RunDetailSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="quality_runs_ask",
        tags=["quality"],
        summary=_("立即检查一个目录"),
        description=_("由提供部门的经办人或者主管部门办理；已有等待的任务时返回那一项。"),
        request=AskRunInput,
        responses={
            202: RunSerializer,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("nothing_landed",),
                }
            ),
        },
    )
    def create(self, request: Request) -> Response:
        body = AskRunInput(data=request.data)
        body.is_valid(raise_exception=True)
        actor: Any = request.user
        code = body.validated_data["dataset"].replace("-", "/")
        dataset = access.rows(actor, "view_quality", Dataset).filter(code=code).first()
        if dataset is None:
            raise NotFound
        run = quality.ask_run(dataset=dataset, actor=actor, at=timezone.now())
        return Response(RunSerializer(run).data, status=202)
