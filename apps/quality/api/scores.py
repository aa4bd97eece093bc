"""`/api/v1/quality/scores`: how datasets, departments and stores stand."""

from datetime import date
from typing import Any, ClassVar, Final

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput
from apps.core.openapi import refusals
from apps.quality.api import examples
from apps.quality.api.asking import DATASET, DEPARTMENT, PAGING
from apps.quality.models import Dimension, Score
from apps.quality.queries import screens
from apps.quality.queries.scores import DimensionStanding, Standing

FILTERS: Final = ("by", "dataset", "department", "store", "on")


class IndicatorShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一项指标：符合数 ÷ 评价数")

    indicator = serializers.CharField(help_text=_("指标编号，GB/T 36344-2018"))
    label = serializers.CharField(help_text=_("指标名称"))  # type: ignore[assignment]  # a field's own label is a text
    numerator = serializers.IntegerField(help_text=_("符合数"))
    denominator = serializers.IntegerField(help_text=_("评价数"))
    ratio = serializers.FloatField(help_text=_("得分，0 至 1"))


class DimensionShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一个维度：可评价的指标的平均；没有时不可评价")

    dimension = serializers.ChoiceField(
        choices=Dimension.choices, help_text=_("维度编号，GB/T 36344-2018")
    )
    label = serializers.CharField(help_text=_("维度名称"))  # type: ignore[assignment]  # a field's own label is a text
    weight = serializers.FloatField(help_text=_("权重，0 至 1"))
    ratio = serializers.FloatField(
        allow_null=True, help_text=_("得分，0 至 1；不可评价时为空，不按 1 计")
    )
    indicators = IndicatorShape(many=True, help_text=_("可评价的指标"))


@extend_schema_serializer(examples=[examples.SCORE])
class StandingShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一个目录、部门或者数据库的质量得分")

    code = serializers.CharField(help_text=_("目录代码（以 - 代 /）、部门编码或者数据库代号"))
    name = serializers.CharField(help_text=_("名称"))
    on = serializers.DateField(help_text=_("截至这一天"))
    ratio = serializers.FloatField(
        allow_null=True, help_text=_("总分，0 至 1：可评价的维度按权重的平均")
    )
    dimensions = DimensionShape(many=True, help_text=_("六个维度"))


class ScoreViewSet(ScopedViewSet):
    """Scores of what the caller may see: its own department's, or everything for overseers."""

    queryset = Score.objects.all()
    serializer_class = StandingShape

    @extend_schema(
        operation_id="quality_scores_list",
        tags=["quality"],
        summary=_("质量得分"),
        description=_(
            "按目录、部门或者数据库给出得分及其分子分母。部门见本部门的，主管部门见全部。"
            "没有可评价规则的维度 ratio 为空。0303 的重复是一次提交的文件内主键重复的记录，"
            "0304 的重复是数据表里规则所列各列取值相同的记录。"
        ),
        parameters=[
            OpenApiParameter(
                "by", str, enum=list(screens.RANKED_BY), description=_("按什么给出，不写则按目录")
            ),
            DATASET,
            DEPARTMENT,
            OpenApiParameter("store", str, description=_("数据库代号")),
            OpenApiParameter("on", date, description=_("截至哪一天，不写则为今天")),
        ],
        responses={
            200: StandingShape(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    )
    def list(self, request: Request) -> Response:
        query = request.query_params
        by, on = _asked(request)
        rows = screens.narrowed(self.get_queryset(), query)
        standings = screens.standings_of(screens.current(rows, on), by, on)
        _path, model = screens.RANKED_BY[by]
        page = self.paginate_queryset(model._default_manager.filter(pk__in=standings))
        found = [_standing(subject, standings[subject.pk], on) for subject in page or ()]
        return self.get_paginated_response(StandingShape(found, many=True).data)


def _asked(request: Request) -> tuple[str, date]:
    query = request.query_params
    for name in query:
        if name not in (*FILTERS, *PAGING):
            raise InvalidInput(
                _("没有筛选条件“%(name)s”；可用的有 %(known)s")
                % {"name": name[:80], "known": "、".join(FILTERS)},
                code="unknown_filter",
                field=name[:80],
            )
    by = query.get("by", "dataset")
    if by not in screens.RANKED_BY:
        raise InvalidInput(_("by 须为 dataset、department 或者 store"), code="unknown_filter")
    try:
        return by, date.fromisoformat(query["on"]) if "on" in query else timezone.localdate()
    except ValueError:
        raise InvalidInput(_("日期写作 2026-11-18"), code="unknown_filter", field="on") from None


def _standing(subject: Any, standing: Standing, on: date) -> dict[str, Any]:
    return {
        "code": getattr(subject, "dashed_code", subject.code),
        "name": subject.name,
        "on": on,
        "ratio": _rounded(standing.ratio),
        "dimensions": [_dimension(one) for one in standing.dimensions],
    }


def _dimension(one: DimensionStanding) -> dict[str, Any]:
    lines = one.lines()
    return {
        "dimension": one.dimension.value,
        "label": one.label,
        "weight": float(one.weight),
        "ratio": _rounded(one.ratio),
        "indicators": [
            {
                "indicator": code,
                "label": label,
                "numerator": good,
                "denominator": of,
                "ratio": _rounded(ratio),
            }
            for code, label, good, of, ratio in lines
        ],
    }


def _rounded(ratio: float | None) -> float | None:
    """Four places, but what is not whole never reads 1."""
    if ratio is None or ratio in (0, 1):
        return ratio
    return min(max(round(ratio, 4), 0.0001), 0.9999)
