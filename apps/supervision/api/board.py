"""`/api/v1/responsibility-board`: the board as systems read it."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import access
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.openapi import refusals
from apps.supervision.api import examples
from apps.supervision.models import BoardDay
from apps.supervision.queries.board import Line, board
from apps.supervision.queries.findings import COLUMNS

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]


class DefinitionSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一个数字的统计口径")

    key = serializers.CharField(help_text=_("figures 中的名字"))
    label = serializers.CharField(  # type: ignore[assignment]  # a field's own label is a text
        help_text=_("列名")
    )
    definition = serializers.CharField(help_text=_("统计口径"))


class FiguresSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("看板的各个数字")

    def get_fields(self) -> Fields:
        return {
            column.key: serializers.IntegerField(help_text=str(column.definition))
            for column in COLUMNS
        }


class BoardLineSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一个部门的数字")

    department = serializers.CharField(allow_null=True, help_text=_("部门编码；全市合计为空"))
    department_name = serializers.CharField(allow_null=True, help_text=_("部门名称"))
    kept_ratio = serializers.FloatField(allow_null=True, help_text=_("兑现率，0–1；没有承诺时为空"))
    figures = FiguresSerializer(help_text=_("各列的数字，名字见 definitions"))


@extend_schema_serializer(examples=[examples.BOARD])
class BoardSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("责任落实看板的现状")

    at = serializers.DateTimeField(help_text=_("比对的时间"))
    definitions = DefinitionSerializer(many=True, help_text=_("统计口径"))
    departments = BoardLineSerializer(many=True, help_text=_("各部门，兑现率低的在前"))
    total = BoardLineSerializer(help_text=_("全市合计"))


class ResponsibilityBoardView(APIView):
    """The city-wide figures, a circular to every department."""

    @extend_schema(
        operation_id="responsibility_board_read",
        tags=["duties"],
        summary=_("责任落实看板"),
        description=_("按部门比对责任清单的承诺与实际入库。数字向各部门通报，明细在页面上查看。"),
        responses={
            200: BoardSerializer,
            **refusals({400: ("unknown_parameter",), 403: ("not_allowed",)}),
        },
    )
    def get(self, request: Request) -> Response:
        for name in request.query_params:
            if name != "format":
                raise InvalidInput(
                    _("没有参数“%(name)s”") % {"name": name[:80]}, code="unknown_parameter"
                )
        user: Any = request.user
        if not access.able(user, "open", BoardDay):
            raise NotAllowed
        at = timezone.now()
        found = board(at, with_trend=False)
        return Response(
            {
                "at": timezone.localtime(at).isoformat(),
                "definitions": [
                    {
                        "key": column.key,
                        "label": str(column.label),
                        "definition": str(column.definition),
                    }
                    for column in COLUMNS
                ],
                "departments": [_line(line) for line in found.lines],
                "total": _line(found.total),
            }
        )


def _line(line: Line) -> dict[str, Any]:
    department = line.department
    return {
        "department": department.code if department else None,
        "department_name": department.name if department else None,
        "kept_ratio": line.kept_ratio,
        "figures": line.figures,
    }
