"""`/api/v1/front-nodes/heartbeat`: a department's front node says that it lives."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core.api import ScopedViewSet
from apps.core.openapi import refusals
from apps.warehouse import operations as warehouse
from apps.warehouse.api import examples
from apps.warehouse.models import FrontNode


class FrontNodeJobSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("前置机的一项任务")

    name = serializers.CharField(max_length=100, help_text=_("任务名称"))
    dataset = serializers.CharField(max_length=60, help_text=_("目录代码，以 - 代 /"))
    last_success_at = serializers.CharField(
        max_length=40, allow_blank=True, help_text=_("最近成功的时间；没有则为空")
    )
    waiting_rows = serializers.IntegerField(min_value=0, help_text=_("已读出、还没有入库的条数"))
    message = serializers.CharField(
        max_length=300, allow_blank=True, help_text=_("最近一次的错误；没有则为空")
    )


@extend_schema_serializer(examples=[examples.HEARTBEAT])
class HeartbeatInput(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("前置机的心跳")

    node = serializers.CharField(max_length=100, help_text=_("前置机的名称，同一系统内不重复"))
    version = serializers.CharField(
        max_length=40, allow_blank=True, help_text=_("前置机程序的版本")
    )
    jobs = FrontNodeJobSerializer(many=True, help_text=_("各项任务，至多 200 项"))

    def validate_jobs(self, jobs: list[Any]) -> list[Any]:
        return jobs[:200]


@extend_schema_serializer(examples=[examples.NODE])
class FrontNodeSerializer(serializers.ModelSerializer[FrontNode]):
    about: ClassVar[str | Promise] = _("平台记下的一个前置机")

    node = serializers.CharField(source="name", read_only=True, help_text=_("前置机的名称"))
    jobs = FrontNodeJobSerializer(many=True, read_only=True, help_text=_("各项任务"))

    class Meta:
        model = FrontNode
        fields = ("node", "version", "heartbeat_at", "jobs")
        read_only_fields = fields


class FrontNodeViewSet(ScopedViewSet):
    queryset = FrontNode.objects.all()
    serializer_class = FrontNodeSerializer

    @extend_schema(
        operation_id="front_nodes_heartbeat",
        tags=["batches"],
        summary=_("前置机心跳"),
        description=_("前置机（huiliu-sync）每分钟报一次；“接入”页面据此显示在线和失联。"),
        request={"application/json": HeartbeatInput},
        responses={
            200: FrontNodeSerializer,
            **refusals({400: ("invalid_input",), 403: ("not_allowed",), 409: ("too_many_nodes",)}),
        },
    )
    def heartbeat(self, request: Request) -> Response:
        user: Any = request.user
        given = HeartbeatInput(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        node = warehouse.report_heartbeat(
            name=said["node"],
            version=said["version"],
            jobs=[dict(job) for job in said["jobs"]],
            actor=user,
            at=timezone.now(),
        )
        return Response(FrontNodeSerializer(node).data)
