"""`/api/v1/tasks` and `/api/v1/task-returns`: what was asked, and the answers to it."""

from typing import Any, ClassVar, Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import access
from apps.core.api import ScopedViewSet, checked
from apps.core.errors import InvalidInput
from apps.core.openapi import refusals
from apps.supervision.api import examples
from apps.supervision.models import AnswerKind, ReturnStatus, TaskReturn, TaskStatus, WorkTask
from apps.supervision.operations import task_returns as returns
from apps.supervision.operations import tasks

WRITTEN: Final[dict[str, Any]] = {"answer_kind": "", "answers": {}, "lines": [], "note": ""}
"""What a return says, as it stands for whoever may not read it yet."""
TASK_MOVES = ("issue", "close", "cancel")
RETURN_MOVES = ("take_in", "submit", "sign", "send_back", "accept", "excuse")
BAD_LIST = refusals({400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")})
NO_ROW = refusals({404: ("not_found",)})
REFUSALS = refusals(
    {
        400: ("invalid_input", "return_incomplete"),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("illegal_move", "stale_revision", "returns_waiting", "nobody_late"),
    }
)


@extend_schema_serializer(examples=[examples.TASK])
class WorkTaskSerializer(serializers.ModelSerializer[WorkTask]):
    """A task as it was sent out."""

    about: ClassVar[str] = "一项工作任务"

    department = serializers.CharField(
        source="department.code", read_only=True, help_text="部署单位的编码"
    )
    questions = serializers.JSONField(
        read_only=True,
        help_text="填报表：每个问题有 key、label、kind（text、long_text、number、date、yes_no、"
        "choice、choices、table、file），视类型还有 required、help、choices、columns；"
        "per_line 为真的对清单逐项填写",
    )
    number = serializers.CharField(read_only=True, help_text="任务编号")
    status = serializers.ChoiceField(choices=TaskStatus.choices, read_only=True, help_text="状态")

    class Meta:
        model = WorkTask
        fields = (
            "id",
            "number",
            "kind",
            "title",
            "basis",
            "content",
            "questions",
            "target_list",
            "due_on",
            "contact_name",
            "contact_phone",
            "department",
            "status",
            "issued_at",
            "closed_at",
            "revision",
        )
        read_only_fields = fields


@extend_schema_serializer(examples=[examples.RETURN])
class TaskReturnSerializer(serializers.ModelSerializer[TaskReturn]):
    """What one department returns."""

    about: ClassVar[str] = "一个单位对一项工作任务的填报；签发报送之前，填报内容只有填报单位可见"

    task = serializers.IntegerField(source="task_id", read_only=True, help_text="任务的 id")
    department = serializers.CharField(
        source="department.code", read_only=True, help_text="填报单位的编码"
    )
    status = serializers.ChoiceField(choices=ReturnStatus.choices, read_only=True, help_text="状态")
    answers = serializers.JSONField(read_only=True, help_text="{问题的 key: 回答}")
    lines = serializers.JSONField(
        read_only=True,
        help_text="逐项核对：[{key: 编码, label: 名称, answers: {问题的 key: 回答}}]",
    )
    signed_by = serializers.CharField(
        source="signed_by.name", default=None, read_only=True, help_text="签发人姓名"
    )

    class Meta:
        model = TaskReturn
        fields = (
            "id",
            "task",
            "department",
            "status",
            "answer_kind",
            "answers",
            "lines",
            "note",
            "opened_at",
            "signed_by",
            "signed_at",
            "accepted_at",
            "remark",
            "revision",
        )
        read_only_fields = fields

    def to_representation(self, instance: TaskReturn) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown if getattr(instance, "may_read", False) else {**shown, **WRITTEN}


class TaskLineInput(serializers.Serializer[Any]):
    about: ClassVar[str] = "清单的一行；没有 number 的是补充的一行"

    number = serializers.IntegerField(required=False, min_value=1, help_text="第几行，从 1 数起")
    label = serializers.CharField(  # type: ignore[assignment]  # a part of the body
        required=False, max_length=100, help_text="补充的一行是什么"
    )
    answers = serializers.DictField(required=False, help_text="{问题的 key: 回答}")
    drop = serializers.BooleanField(required=False, help_text="移除补充的一行")


@extend_schema_serializer(examples=[examples.SAVE_ANSWERS])
class SaveAnswersInput(serializers.Serializer[Any]):
    about: ClassVar[str] = "填报的内容；没有写的部分保持原样"

    answer_kind = serializers.ChoiceField(
        choices=AnswerKind.choices, required=False, allow_blank=True, help_text="填报方式"
    )
    answers = serializers.DictField(required=False, help_text="{问题的 key: 回答}；文件在页面上传")
    lines = TaskLineInput(many=True, required=False, help_text="逐项核对")
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="说明"
    )
    revision = serializers.IntegerField(required=False, help_text="读到的修订号")


class TaskMoveInput(serializers.Serializer[Any]):
    about: ClassVar[str] = "一个动作"

    reason = serializers.CharField(
        required=False, max_length=2000, help_text="理由；退回、免报和作废必填"
    )
    revision = serializers.IntegerField(required=False, help_text="读到的修订号")


@extend_schema_serializer(examples=[examples.URGED])
class UrgedSerializer(serializers.Serializer[Any]):
    about: ClassVar[str] = "催办的结果"

    done = serializers.IntegerField(help_text="催办了几个单位")
    skipped = serializers.IntegerField(help_text="一小时内催办过、没有重复催办的")


def _one_of(moves: tuple[str, ...]) -> str:
    """The end of an address that takes these moves only, beside actions of their own."""
    return f"(?P<move>{'|'.join(moves)})"


def _parameter(values: list[str]) -> OpenApiParameter:
    return OpenApiParameter("status", OpenApiTypes.STR, enum=values, description="只要这种状态的")


def _filtered(request: Request, known: dict[str, list[str] | None]) -> dict[str, str]:
    """Return the filters of the address; `known` lists the values of each, None for any number."""
    found = {}
    for name, given in request.query_params.items():
        if name in {"limit", "cursor", "format"}:
            continue
        value, words = str(given), {"name": name[:80]}
        if name not in known:
            raise InvalidInput(
                _("没有筛选条件“%(name)s”") % words, code="unknown_filter", field=name[:80]
            )
        values = known[name]
        if values is None and not (value.isascii() and value.isdigit() and len(value) < 19):
            raise InvalidInput(_("“%(name)s”应是编号") % words, code="unknown_filter", field=name)
        if values is not None and value not in values:
            raise InvalidInput(
                _("没有状态“%(name)s”") % {"name": value[:80]}, code="unknown_status", field=name
            )
        found[name] = value
    return found


@extend_schema_view(
    list=extend_schema(
        operation_id="tasks_list",
        tags=["tasks"],
        parameters=[_parameter(TaskStatus.values)],
        responses={200: WorkTaskSerializer(many=True), **BAD_LIST},
        summary="工作任务列表",
        description="本部门部署的，和下发给本部门的。",
    ),
    retrieve=extend_schema(
        operation_id="tasks_read",
        tags=["tasks"],
        responses={200: WorkTaskSerializer, **NO_ROW},
        summary="一项工作任务",
        description="任务的要求、填报表和截止日期。",
    ),
)
class WorkTaskViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Tasks that the caller's department sent or was sent."""

    queryset = WorkTask.objects.select_related("department").all()
    serializer_class = WorkTaskSerializer

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        return queryset.filter(**_filtered(self.request, {"status": TaskStatus.values}))

    @extend_schema(
        operation_id="tasks_urge_late",
        tags=["tasks"],
        request=None,
        responses={200: UrgedSerializer, **REFUSALS},
        summary="催办全部逾期单位",
        description="截止日期已过而没有报送的单位，各催办一次；一小时内催办过的不重复催办。",
    )
    @action(detail=True, methods=["post"], url_path="urge_late", url_name="urge-late")
    def urge_late(self, request: Request, pk: int) -> Response:
        """Urge everybody who is late."""
        user: Any = request.user
        urged = tasks.urge_late(task=self.find(pk=pk), actor=user, at=timezone.now())
        return Response(UrgedSerializer(urged).data)

    @extend_schema(
        operation_id="tasks_move",
        tags=["tasks"],
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=list(TASK_MOVES),
                description="动作，见 docs/lifecycles.md",
            )
        ],
        request=TaskMoveInput,
        examples=[examples.TASK, *examples.TASK_MOVES],
        responses={200: WorkTaskSerializer, **REFUSALS},
        summary="办理工作任务",
        description="下发、结束或者作废；由部署单位的人员登录后办理。",
    )
    @action(detail=True, methods=["post"], url_path=_one_of(TASK_MOVES), url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move."""
        user: Any = request.user
        given = checked(TaskMoveInput, request)
        if move != "cancel":
            given.pop("reason", None)
        elif "reason" not in given:
            given["reason"] = ""
        getattr(tasks, move)(task=self.find(pk=pk), actor=user, at=timezone.now(), **given)
        return Response(WorkTaskSerializer(self.find(pk=pk)).data)


@extend_schema_view(
    list=extend_schema(
        operation_id="task_returns_list",
        tags=["tasks"],
        parameters=[
            _parameter(ReturnStatus.values),
            OpenApiParameter("task", OpenApiTypes.INT, description="只要这项任务的，任务的 id"),
        ],
        responses={200: TaskReturnSerializer(many=True), **BAD_LIST},
        summary="任务填报列表",
        description="本部门的填报；部署单位看到各单位的。",
    ),
    retrieve=extend_schema(
        operation_id="task_returns_read",
        tags=["tasks"],
        responses={200: TaskReturnSerializer, **NO_ROW},
        summary="一份任务填报",
        description="填报的内容、状态和退回意见。",
    ),
)
class TaskReturnViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Returns of the caller's department, and those to its own tasks."""

    queryset = TaskReturn.objects.select_related("department", "signed_by").all()
    serializer_class = TaskReturnSerializer

    def get_queryset(self) -> QuerySet[Any]:
        readable = access.rows(self.request.user, "read", TaskReturn).filter(pk=OuterRef("pk"))
        found: QuerySet[Any] = super().get_queryset().annotate(may_read=Exists(readable))
        return found

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action != "list":
            return queryset
        known: dict[str, list[str] | None] = {"status": ReturnStatus.values, "task": None}
        return queryset.filter(**_filtered(self.request, known))

    @extend_schema(
        operation_id="task_returns_save_answers",
        tags=["tasks"],
        request=SaveAnswersInput,
        responses={200: TaskReturnSerializer, **REFUSALS},
        summary="保存填报",
        description="签收之后、签发之前可以多次保存；写得不对的也保存，提交时指出。",
    )
    @action(detail=True, methods=["post"], url_path="save_answers", url_name="save-answers")
    def save_answers(self, request: Request, pk: int) -> Response:
        """Keep what was written."""
        user: Any = request.user
        given = checked(SaveAnswersInput, request)
        returns.save_answers(row=self.find(pk=pk), actor=user, at=timezone.now(), **given)
        return Response(TaskReturnSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="task_returns_move",
        tags=["tasks"],
        parameters=[
            OpenApiParameter(
                "move",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                enum=list(RETURN_MOVES),
                description="动作，见 docs/lifecycles.md",
            )
        ],
        request=TaskMoveInput,
        examples=[examples.RETURN, *examples.RETURN_MOVES],
        responses={200: TaskReturnSerializer, **REFUSALS},
        summary="办理任务填报",
        description="签收、提交、签发、退回补正、验收、免报；各由谁做、从哪种状态做起，"
        "见 docs/lifecycles.md。",
    )
    @action(detail=True, methods=["post"], url_path=_one_of(RETURN_MOVES), url_name="move")
    def move(self, request: Request, pk: int, move: str) -> Response:
        """Do one move."""
        user: Any = request.user
        given = checked(TaskMoveInput, request)
        if move not in ("send_back", "excuse"):
            given.pop("reason", None)
        else:
            given.setdefault("reason", "")
        if move == "take_in":
            given.pop("revision", None)
        getattr(returns, move)(row=self.find(pk=pk), actor=user, at=timezone.now(), **given)
        return Response(TaskReturnSerializer(self.find(pk=pk)).data)
