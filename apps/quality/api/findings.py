"""`/api/v1/quality/findings`: the failing rows, for their own department alone."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedViewSet
from apps.core.errors import NotFound
from apps.core.openapi import refusals
from apps.quality import operations as quality
from apps.quality.api import examples
from apps.quality.api.asking import BAD_LIST, DATASET, NO_ROW, NUMBER, narrowed
from apps.quality.models import Finding, WorkOrder

MOST_AT_ONCE = 1_000


@extend_schema_serializer(examples=[examples.FINDING])
class FindingSerializer(serializers.ModelSerializer[Finding]):
    about: ClassVar[str | Promise] = _("一条不符合规则的记录；含数据内容，只给提供部门")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    rule = serializers.IntegerField(source="rule_id", read_only=True, help_text=_("规则的 id"))
    rule_name = serializers.CharField(source="rule.name", read_only=True, help_text=_("规则名称"))
    work_order = serializers.IntegerField(
        source="work_order_id", read_only=True, allow_null=True, help_text=_("整改工单的 id")
    )
    key = serializers.DictField(read_only=True, help_text=_("主键：列名 → 值"))
    values = serializers.DictField(read_only=True, help_text=_("规则涉及的列：列名 → 现有的值"))

    class Meta:
        model = Finding
        fields = (
            "id", "dataset", "rule", "rule_name", "work_order", "status", "outcome", "key",
            "values", "times_found", "reason", "decided_at", "fixed_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.ACCEPT_FINDINGS])
class AcceptInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("核实无误的记录和依据")

    findings = serializers.ListField(
        child=serializers.IntegerField(),
        allow_empty=False,
        max_length=MOST_AT_ONCE,
        help_text=_("记录的 id，一次至多 1,000 条"),
    )
    reason = serializers.CharField(max_length=1000, help_text=_("数据无误的依据"))


@extend_schema_serializer(examples=[examples.ACCEPTED])
class AcceptedShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("核实的结果")

    accepted = serializers.IntegerField(help_text=_("核实的条数；已改正、已核实的不再计"))


@extend_schema_view(
    list=extend_schema(
        operation_id="quality_findings_list",
        tags=["quality"],
        summary=_("质量问题列表"),
        description=_("本部门提供的目录里不符合规则的记录，新的在前。其他部门和主管部门看不到。"),
        parameters=[
            DATASET,
            OpenApiParameter("rule", int, description=_("规则的 id")),
            OpenApiParameter("work_order", int, description=_("整改工单的 id")),
            OpenApiParameter(
                "status", str, enum=Finding.Status.values, description=_("只要这种状态的")
            ),
        ],
        responses={200: FindingSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="quality_findings_read",
        tags=["quality"],
        summary=_("一条质量问题"),
        description=_("不符合规则的记录的主键、现有的值和办理情况。"),
        parameters=[NUMBER],
        responses={200: FindingSerializer, **NO_ROW},
    ),
)
class FindingViewSet(ScopedViewSet):
    """Failing rows of the caller's own department's tables."""

    queryset = Finding.objects.select_related("dataset__department", "rule", "work_order").all()
    serializer_class = FindingSerializer

    def list(self, request: Request) -> Response:
        filters = {
            "dataset": "dataset__code",
            "rule": "rule",
            "work_order": "work_order",
            "status": "status",
        }
        choices = {"status": Finding.Status.values}
        page = self.paginate_queryset(narrowed(request, self.get_queryset(), filters, choices))
        _reveal(request, page or [])
        return self.get_paginated_response(FindingSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        found = self.find(pk=pk)
        _reveal(request, [found])
        return Response(FindingSerializer(found).data)

    @extend_schema(
        operation_id="quality_findings_accept",
        tags=["quality"],
        summary=_("核实记录无误"),
        description=_("由提供部门的负责人办理；工单里没有其他问题的，随即办结。全成或者全不成。"),
        request=AcceptInput,
        responses={
            200: AcceptedShape,
            **refusals(
                {
                    400: ("invalid_input",),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "nothing_open"),
                }
            ),
        },
    )
    def accept(self, request: Request) -> Response:
        body = AcceptInput(data=request.data)
        body.is_valid(raise_exception=True)
        actor: Any = request.user
        keys = set(body.validated_data["findings"])
        by_order: dict[int, list[int]] = defaultdict(list)
        found = self.get_queryset().filter(pk__in=keys, work_order__isnull=False)
        for order_key, key in found.values_list("work_order", "pk"):
            by_order[order_key].append(key)
        if sum(map(len, by_order.values())) < len(keys):
            raise NotFound
        done = 0
        with transaction.atomic():
            for order in WorkOrder.objects.filter(pk__in=by_order).order_by("pk"):
                done += quality.accept_findings(
                    order=order,
                    findings=by_order[order.pk],
                    reason=body.validated_data["reason"],
                    actor=actor,
                    at=timezone.now(),
                )
        return Response(AcceptedShape({"accepted": done}).data)


def _reveal(request: Request, findings: Sequence[Finding]) -> None:
    """Write down who takes these rows in the clear, before he does."""
    user: Any = request.user
    quality.reveal_findings(findings=findings, actor=user, at=timezone.now())
