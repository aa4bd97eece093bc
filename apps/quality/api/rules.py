"""`/api/v1/quality/rules`: list, add, change, stop, restore."""

from typing import Any, ClassVar, Final

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

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals
from apps.quality import operations as quality
from apps.quality.api import examples
from apps.quality.api.asking import BAD_LIST, DATASET, DEPARTMENT, NO_ROW, NUMBER, narrowed
from apps.quality.models import Indicator, QualityRule, RuleKind, Severity
from apps.quality.queries import screens
from apps.quality.wording import in_words

MOVES: Final = ("change", "retire", "restore")
BAD_RULE: Final = ("invalid_input", "not_published", "unknown_item", "unknown_operator")


@extend_schema_serializer(examples=[examples.RULE])
class RuleSerializer(serializers.ModelSerializer[QualityRule]):
    about: ClassVar[str | Promise] = _("一条质量规则")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    owner = serializers.CharField(
        source="owner.code", read_only=True, help_text=_("负责部门的编码")
    )
    words = serializers.SerializerMethodField(help_text=_("规则的要求，一句话"))
    columns = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=_("涉及的列名，依次")
    )
    parameters = serializers.JSONField(read_only=True, help_text=_("参数，随类别而定"))

    class Meta:
        model = QualityRule
        fields = (
            "id", "dataset", "kind", "name", "words", "columns", "parameters", "indicator",
            "severity", "origin", "owner", "version", "is_active", "created_at", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_words(self, rule: QualityRule) -> str:
        labels: dict[int, dict[str, str]] = self.context.get("labels", {})
        return in_words(rule, labels.get(rule.dataset_id, {})) or rule.name


class _RuleInput(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, help_text=_("规则名称"))
    columns = serializers.ListField(
        child=serializers.CharField(max_length=51),
        required=False,
        default=list,
        max_length=50,
        help_text=_("涉及的列名；列间、表间关系和针对整张表的规则不用写"),
    )
    parameters = serializers.DictField(
        required=False,
        default=dict,
        help_text=_(
            "length、range：minimum、maximum；type：type；code_list：code_list 或者 codes；"
            "identifier：check；pattern：pattern；cross_column：when、then（条件的列表："
            "item、operator、value 或者 other）；reference_in_time：code_list、on；"
            "cross_table：dataset、match、same；population：expected"
        ),
    )
    indicator = serializers.ChoiceField(choices=Indicator.choices, help_text=_("评价指标的编号"))
    severity = serializers.ChoiceField(
        choices=Severity.choices,
        default=Severity.WARN,
        required=False,
        help_text=_("不符合的记录怎样处理；只有逐行判断的规则可以不予入库或者暂存待核"),
    )


@extend_schema_serializer(examples=[examples.ADD_RULE])
class RuleAddInput(_RuleInput):
    about: ClassVar[str | Promise] = _("要添加的规则")

    dataset = serializers.CharField(help_text=_("目录代码，以 - 代 /"))
    kind = serializers.ChoiceField(choices=RuleKind.choices, help_text=_("规则类别"))


@extend_schema_serializer(examples=[*examples.RULE_MOVES])
class RuleMoveInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("修改的内容，或者停用的理由；没有写的保持原样")

    name = serializers.CharField(max_length=120, required=False, help_text=_("规则名称"))
    columns = serializers.ListField(
        child=serializers.CharField(max_length=51),
        required=False,
        max_length=50,
        help_text=_("涉及的列名"),
    )
    parameters = serializers.DictField(required=False, help_text=_("参数，随类别而定"))
    indicator = serializers.ChoiceField(
        choices=Indicator.choices, required=False, help_text=_("评价指标的编号")
    )
    severity = serializers.ChoiceField(
        choices=Severity.choices, required=False, help_text=_("不符合的记录怎样处理")
    )
    reason = serializers.CharField(
        max_length=500, required=False, default="", help_text=_("理由；retire 必填")
    )
    version = serializers.IntegerField(
        required=False, help_text=_("读到的版本；之后有改动的，不予办理")
    )


@extend_schema_view(
    list=extend_schema(
        operation_id="quality_rules_list",
        tags=["quality"],
        summary=_("质量规则列表"),
        description=_("部门见本部门目录的，主管部门见全部，新的在前；含停用的。"),
        parameters=[
            DATASET,
            DEPARTMENT,
            OpenApiParameter("kind", str, enum=RuleKind.values, description=_("规则类别")),
            OpenApiParameter(
                "indicator", str, enum=Indicator.values, description=_("评价指标的编号")
            ),
            OpenApiParameter("origin", str, enum=QualityRule.Origin.values, description=_("来源")),
            OpenApiParameter("is_active", bool, description=_("只要启用的，或者停用的")),
        ],
        responses={200: RuleSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="quality_rules_read",
        tags=["quality"],
        summary=_("一条质量规则"),
        description=_("规则的要求、版本和负责部门。"),
        parameters=[NUMBER],
        responses={200: RuleSerializer, **NO_ROW},
    ),
)
class RuleViewSet(ScopedViewSet):
    """Rules of the datasets whose quality the caller may see."""

    queryset = QualityRule.objects.select_related("dataset", "owner").all()
    serializer_class = RuleSerializer

    def list(self, request: Request) -> Response:
        filters = {
            "dataset": "dataset__code",
            "department": "dataset__department__code",
            "kind": "kind",
            "indicator": "indicator",
            "origin": "origin",
            "is_active": "is_active",
        }
        choices = {
            "kind": RuleKind.values,
            "indicator": Indicator.values,
            "origin": QualityRule.Origin.values,
            "is_active": ["true", "false"],
        }
        page = self.paginate_queryset(narrowed(request, self.get_queryset(), filters, choices))
        labels = screens.labels_by_dataset({rule.dataset_id for rule in page or ()})
        shown = RuleSerializer(page, many=True, context={"labels": labels})
        return self.get_paginated_response(shown.data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(self._shown(pk))

    @extend_schema(
        operation_id="quality_rules_add",
        tags=["quality"],
        summary=_("添加质量规则"),
        description=_(
            "由提供部门的经办人或者主管部门办理；已入库的记录随即按它检查。"
            "只接受结构化的参数，不接受 SQL。"
        ),
        request=RuleAddInput,
        responses={
            201: RuleSerializer,
            **refusals(
                {400: BAD_RULE, 403: ("not_allowed",), 404: ("not_found",), 409: ("name_taken",)}
            ),
        },
    )
    def create(self, request: Request) -> Response:
        body = RuleAddInput(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        actor: Any = request.user
        code = given.pop("dataset").replace("-", "/")
        dataset = access.rows(actor, "view_quality", Dataset).filter(code=code).first()
        if dataset is None:
            raise NotFound
        made = quality.add_rule(dataset=dataset, actor=actor, at=timezone.now(), **given)
        return Response(self._shown(made.pk), status=201)

    @extend_schema(
        operation_id="quality_rules_move",
        tags=["quality"],
        summary=_("修改、停用、重新启用质量规则"),
        description=_("只限自行添加的规则；目录约定的规则随目录的变更修改。"),
        parameters=[
            NUMBER,
            OpenApiParameter(
                "move", str, OpenApiParameter.PATH, enum=[*MOVES], description=_("办理事项")
            ),
        ],
        request=RuleMoveInput,
        responses={
            200: RuleSerializer,
            **refusals(
                {
                    400: BAD_RULE,
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "name_taken"),
                }
            ),
        },
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        if move not in MOVES:
            raise NotFound
        rule: QualityRule = self.find(pk=pk)
        body = RuleMoveInput(data=request.data)
        body.is_valid(raise_exception=True)
        given: dict[str, Any] = dict(body.validated_data)
        actor: Any = request.user
        named = {
            "rule": rule,
            "actor": actor,
            "at": timezone.now(),
            "version": given.get("version"),
        }
        if move == "change":
            fields = ("name", "columns", "parameters", "indicator", "severity")
            changed = {name: given.get(name, getattr(rule, name)) for name in fields}
            quality.change_rule(**named, **changed, reason=given["reason"])
        elif move == "retire":
            quality.retire_rule(**named, reason=given["reason"])
        elif given["reason"]:
            raise InvalidInput(_("重新启用不用写理由"), field="reason")
        else:
            quality.restore_rule(**named)
        return Response(self._shown(pk))

    def _shown(self, pk: int) -> Any:
        rule = self.find(pk=pk)
        labels = screens.labels_by_dataset({rule.dataset_id})
        return RuleSerializer(rule, context={"labels": labels}).data
