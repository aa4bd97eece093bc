"""`/api/v1/duties` and `/api/v1/responsibility-lists`: what departments are held to."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog.api.examples import duties as examples
from apps.catalog.models import (
    Duty,
    DutyStatus,
    ResponsibilityList,
    ResponsibilityListStatus,
)
from apps.catalog.operations import compiling, duties, performing, responsibility
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals

PAGING = ("limit", "cursor", "format")
BAD_LIST = refusals({400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")})
NO_ROW = refusals({404: ("not_found",)})


@extend_schema_serializer(examples=[examples.RESPONSIBILITY_LIST])
class ResponsibilityListSerializer(serializers.ModelSerializer[ResponsibilityList]):
    about: ClassVar[str | Promise] = _("一份责任清单：一个部门一个年度的一个批次")

    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("责任部门的编码")
    )
    department_name = serializers.CharField(
        source="department.name", read_only=True, help_text=_("责任部门的名称")
    )

    class Meta:
        model = ResponsibilityList
        fields = (
            "id", "code", "department", "department_name", "year", "batch", "status",
            "consult_due_on", "opinion", "replied_at", "issued_at", "revision", "updated_at",
        )  # fmt: skip
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.DUTY])
class DutySerializer(serializers.ModelSerializer[Duty]):
    about: ClassVar[str | Promise] = _("一项责任：部门承诺归集的一项数据")

    responsibility_list = serializers.IntegerField(
        source="responsibility_list_id", read_only=True, help_text=_("所在责任清单的 id")
    )
    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("承担部门的编码")
    )
    dataset = serializers.CharField(
        source="dataset.dashed_code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("目录代码，以 - 代 /；目录还没有编制时为空"),
    )
    system = serializers.CharField(
        source="system.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("来源信息系统的编号；没有时为空"),
    )
    parent = serializers.IntegerField(  # type: ignore[assignment]  # of the duty, not of the field
        source="parent_id",
        read_only=True,
        allow_null=True,
        help_text=_("上级责任事项的 id；没有时为空"),
    )
    item_columns = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        read_only=True,
        help_text=_("应归集数据项的列名，与 item_names 逐项对应；不知道的为空"),
    )
    item_names = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=_("应归集数据项的名称")
    )
    is_overdue = serializers.SerializerMethodField(help_text=_("是否已过完成期限而没有报完成"))

    class Meta:
        model = Duty
        fields = (
            "id", "responsibility_list", "department", "internal_unit", "parent", "origin",
            "dataset", "title", "item_columns", "item_names", "expected_rows", "update_cycle",
            "due_on", "is_overdue", "contact_name", "contact_phone", "sharing_attribute",
            "opening_attribute", "system", "status", "objection", "settlement", "evidence",
            "performed_rows", "performed_at", "revision", "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_overdue(self, duty: Duty) -> bool:
        return duty.is_overdue(timezone.localdate())


class RevisionInput(serializers.Serializer[Any]):
    """What every move may carry."""

    about: ClassVar[str | Promise] = _("办理的内容")

    revision = serializers.IntegerField(
        required=False, min_value=1, help_text=_("读到的 revision；内容已被他人修改时返回 409")
    )


class ReasonInput(RevisionInput):
    about: ClassVar[str | Promise] = _("办理的内容，须写理由")

    reason = serializers.CharField(help_text=_("理由"))


class ConsultInput(RevisionInput):
    about: ClassVar[str | Promise] = _("征求意见")

    consult_due_on = serializers.DateField(help_text=_("征求意见截止日期"))


class ReplyInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("回复意见")

    opinion = serializers.CharField(
        required=False, allow_blank=True, help_text=_("部门意见；没有提出异议的事项视为确认")
    )


class PerformInput(RevisionInput):
    about: ClassVar[str | Promise] = _("报告完成")

    evidence = serializers.CharField(help_text=_("完成情况"))
    performed_rows = serializers.IntegerField(
        required=False, min_value=0, help_text=_("已归集条数")
    )


@extend_schema_serializer(examples=[*examples.DUTY_MOVES])
class DutyMoveShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    revision = serializers.IntegerField(required=False, help_text=_("读到的 revision"))
    reason = serializers.CharField(required=False, help_text=_("理由；动作须写理由的必填"))
    evidence = serializers.CharField(required=False, help_text=_("perform：完成情况，必填"))
    performed_rows = serializers.IntegerField(required=False, help_text=_("perform：已归集条数"))


@extend_schema_serializer(examples=[*examples.LIST_MOVES])
class ListMoveShape(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("各动作用到的字段，见字段说明")

    revision = serializers.IntegerField(required=False, help_text=_("读到的 revision"))
    reason = serializers.CharField(required=False, help_text=_("理由；动作须写理由的必填"))
    consult_due_on = serializers.DateField(
        required=False, help_text=_("consult：征求意见截止日期，必填")
    )
    opinion = serializers.CharField(required=False, help_text=_("reply：部门意见"))


LIST_MOVES: dict[str, tuple[Any, type[serializers.Serializer[Any]]]] = {
    "consult": (responsibility.consult, ConsultInput),
    "recall": (responsibility.recall, ReasonInput),
    "reply": (responsibility.reply, ReplyInput),
    "issue": (responsibility.issue, RevisionInput),
    "adjust": (compiling.adjust, RevisionInput),
    "close": (responsibility.close, ReasonInput),
}
DUTY_MOVES: dict[str, tuple[Any, type[serializers.Serializer[Any]]]] = {
    "accept": (duties.accept, RevisionInput),
    "raise_objection": (duties.raise_objection, ReasonInput),
    "settle": (duties.settle, ReasonInput),
    "drop": (duties.drop, ReasonInput),
    "perform": (performing.perform, PerformInput),
    "verify": (performing.verify, RevisionInput),
    "return_performance": (performing.return_performance, ReasonInput),
    "release": (performing.release, ReasonInput),
}
REFUSALS = refusals(
    {
        400: ("invalid_input", "list_empty", "objections_open", "due_date_missing",
              "reply_awaited", "not_consulting"),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "conflict"),
    }
)  # fmt: skip


def narrowed(
    request: Request, rows: QuerySet[Any], filters: dict[str, str], statuses: list[str]
) -> QuerySet[Any]:
    """Narrow a list by the filters of the address; a misspelt one is not passed over.

    Raises:
        InvalidInput: a filter or a status that there is not.
    """
    for name, value in request.query_params.dict().items():
        if name in PAGING:
            continue
        if name not in filters:
            raise InvalidInput(
                _("没有筛选条件“%(name)s”；可用的有 %(known)s")
                % {"name": name[:80], "known": "、".join(filters)},
                code="unknown_filter",
                field=name[:80],
            )
        if name == "status" and value not in statuses:
            raise InvalidInput(
                _("没有状态“%(name)s”") % {"name": value[:80]},
                code="unknown_status",
                field="status",
            )
        if name == "dataset":
            value = value.replace("-", "/")  # noqa: PLW2901 as addresses write it
        if name in ("year", "responsibility_list") and not (
            value.isascii() and value.isdigit() and len(value) < 10
        ):
            raise InvalidInput(
                _("%(name)s 应为整数") % {"name": name}, code="unknown_filter", field=name
            )
        rows = rows.filter(**{filters[name]: value})
    return rows


def _moved(moves: dict[str, Any], name: str, request: Request, **row: Any) -> Any:
    if name not in moves:
        raise NotFound
    act, shape = moves[name]
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return act(actor=request.user, at=timezone.now(), **row, **given.validated_data)


@extend_schema_view(
    list=extend_schema(
        operation_id="responsibility_lists_list",
        tags=["duties"],
        summary=_("责任清单列表"),
        description=_("主管部门为全部；部门为本部门已征求意见或者已印发的，新的在前。"),
        parameters=[
            OpenApiParameter("year", int, description=_("年度")),
            OpenApiParameter("department", str, description=_("责任部门的编码")),
            OpenApiParameter(
                "status",
                str,
                enum=ResponsibilityListStatus.values,
                description=_("只要这种状态的"),
            ),
        ],
        responses={200: ResponsibilityListSerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="responsibility_lists_read",
        tags=["duties"],
        summary=_("一份责任清单"),
        description=_("清单的状态和意见；其中的事项用 /duties?responsibility_list= 读取。"),
        responses={200: ResponsibilityListSerializer, **NO_ROW},
    ),
)
class ResponsibilityListViewSet(ScopedViewSet):
    """Lists that the caller may see; a move answers with the list, `adjust` with next year's."""

    queryset = ResponsibilityList.objects.select_related("department").all()
    serializer_class = ResponsibilityListSerializer

    def list(self, request: Request) -> Response:
        filters = {"year": "year", "department": "department__code", "status": "status"}
        found = narrowed(request, self.get_queryset(), filters, ResponsibilityListStatus.values)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(ResponsibilityListSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(ResponsibilityListSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="responsibility_lists_move",
        tags=["duties"],
        summary=_("办理责任清单"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=[*LIST_MOVES],
                description=_("动作，见 docs/lifecycles.md"),
            )
        ],
        request=ListMoveShape,
        responses={200: ResponsibilityListSerializer, **REFUSALS},
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        done = _moved(LIST_MOVES, move, request, responsibility_list=self.find(pk=pk))
        return Response(ResponsibilityListSerializer(self.find(pk=done.pk)).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="duties_list",
        tags=["duties"],
        summary=_("责任事项列表"),
        description=_("主管部门为全部；部门为本部门承担的和本部门清单里的，新的在前。"),
        parameters=[
            OpenApiParameter("responsibility_list", int, description=_("所在责任清单的 id")),
            OpenApiParameter("department", str, description=_("承担部门的编码")),
            OpenApiParameter("dataset", str, description=_("目录代码，以 - 代 /")),
            OpenApiParameter(
                "status", str, enum=DutyStatus.values, description=_("只要这种状态的")
            ),
        ],
        responses={200: DutySerializer(many=True), **BAD_LIST},
    ),
    retrieve=extend_schema(
        operation_id="duties_read",
        tags=["duties"],
        summary=_("一项责任"),
        description=_("承诺的内容、状态、异议和完成情况。"),
        responses={200: DutySerializer, **NO_ROW},
    ),
)
class DutyViewSet(ScopedViewSet):
    """Duties that the caller's department performs or has on its lists."""

    queryset = Duty.objects.select_related(
        "responsibility_list__department", "department", "dataset", "system"
    ).all()
    serializer_class = DutySerializer

    def list(self, request: Request) -> Response:
        filters = {
            "responsibility_list": "responsibility_list",
            "department": "department__code",
            "dataset": "dataset__code",
            "status": "status",
        }
        found = narrowed(request, self.get_queryset(), filters, DutyStatus.values)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(DutySerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(DutySerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="duties_move",
        tags=["duties"],
        summary=_("办理责任事项"),
        description=_("做一个动作；各动作由谁做、从哪种状态做起，见 docs/lifecycles.md。"),
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=[*DUTY_MOVES],
                description=_("动作，见 docs/lifecycles.md"),
            )
        ],
        request=DutyMoveShape,
        responses={200: DutySerializer, **REFUSALS},
    )
    def move(self, request: Request, pk: int, move: str) -> Response:
        _moved(DUTY_MOVES, move, request, duty=self.find(pk=pk))
        return Response(DutySerializer(self.find(pk=pk)).data)
