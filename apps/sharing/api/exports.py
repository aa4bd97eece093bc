"""`/api/v1/data/{code}/exports`: files of a grant, made by the platform, fetched in pieces."""

from typing import Any

from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.core.errors import InvalidInput, NotFound
from apps.core.openapi import refusals, shown
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.api.data import TOKEN, GatewayView
from apps.sharing.api.documents import CODE, FIELDS, FILTER
from apps.sharing.gateway import allowances, calls, codes, credentials
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.files.asking import read_wanted
from apps.sharing.gateway.files.handing_out import answer
from apps.sharing.gateway.shapes import shape_of
from apps.sharing.models import Export

SHOWN: int = 50  # in the list
FORMAT = OpenApiParameter(
    "format", OpenApiTypes.STR, enum=Export.Format.values, description=_("不写则为 csv")
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=_("提交编号：同一编号再次提交返回原来的导出，内容不同则为 409"),
)
NUMBER = OpenApiParameter(
    "number", OpenApiTypes.INT64, OpenApiParameter.PATH, description=_("导出的 id")
)
RANGE = OpenApiParameter(
    "Range",
    str,
    OpenApiParameter.HEADER,
    description=_("只取一段，如 bytes=1048576-；断线后从已收到的字节数接着取"),
)
IF_RANGE = OpenApiParameter(
    "If-Range",
    str,
    OpenApiParameter.HEADER,
    description=_("此前得到的 ETag；文件不同时返回整个文件，不会拼错"),
)


class ExportColumnSerializer(serializers.Serializer[Any]):
    about = _("文件的一列，次序同文件")

    name = serializers.CharField(help_text=_("列名"))
    label = serializers.CharField(help_text=_("数据项名称"))  # type: ignore[assignment]
    type = serializers.CharField(
        help_text=_("数据类型的字母，按读到的样子；C、M、G 是文本，不要当作数值读入")
    )
    digits = serializers.IntegerField(allow_null=True, help_text=_("数值型、货币型的总位数"))
    scale = serializers.IntegerField(allow_null=True, help_text=_("数值型、货币型的小数位数"))
    is_masked = serializers.BooleanField(help_text=_("是否脱敏"))


class ExportGrantSerializer(serializers.Serializer[Any]):
    about = _("据以导出的授权")

    id = serializers.IntegerField(help_text=_("授权的 id，同授权列表"))
    version = serializers.IntegerField(help_text=_("授权的版本"))


class ManifestSerializer(serializers.Serializer[Any]):
    about = _("文件的清单，与文件一同保存，可证明是什么数据、按什么条件、何时取得")

    dataset = serializers.CharField(help_text=_("目录代码"))
    name = serializers.CharField(help_text=_("目录名称"))
    grant = ExportGrantSerializer(help_text=_("据以导出的授权"))
    format = serializers.ChoiceField(Export.Format.choices, help_text=_("文件格式"))
    rows = serializers.IntegerField(help_text=_("条数，不计表头"))
    bytes = serializers.IntegerField(help_text=_("字节数"))
    sha256 = serializers.CharField(help_text=_("文件的 SHA-256，十六进制"))
    horizon = serializers.IntegerField(help_text=_("文件是这一批次入库后的样子，其后的批次不在内"))
    query = serializers.JSONField(help_text=_("选取的数据项 fields 和筛选条件 where"))
    columns = ExportColumnSerializer(many=True, help_text=_("各列"))
    terms = serializers.JSONField(help_text=_("授权的条件：双方、目的、数据范围、期限、能否再提供"))
    asked_by = serializers.CharField(help_text=_("申请导出的系统或者人员"))
    asked_at = serializers.DateTimeField(help_text=_("申请时间"))
    made_at = serializers.DateTimeField(help_text=_("完成时间"))


class ExportSerializer(serializers.Serializer[Any]):
    about = _("一次导出的进度；完成后带清单")

    id = serializers.IntegerField(help_text=_("导出的 id"))
    status = serializers.ChoiceField(
        Export.Status.choices,
        help_text=_(
            "queued、running 之后是 ready（可下载）、failed、stopped，ready 到期为 expired"
        ),
    )
    format = serializers.ChoiceField(Export.Format.choices, help_text=_("文件格式"))
    queue_place = serializers.IntegerField(
        allow_null=True, help_text=_("排队时是第几个；不在排队为空")
    )
    progress_ratio = serializers.FloatField(help_text=_("大约完成的比例，0–1"))
    rows = serializers.IntegerField(help_text=_("已写的条数"))
    asked_at = serializers.DateTimeField(help_text=_("申请时间"))
    expires_at = serializers.DateTimeField(allow_null=True, help_text=_("文件保留到什么时候"))
    reason_code = serializers.CharField(
        allow_blank=True, help_text=_("failed、stopped 的原因，见 docs/api.md 的错误代码表")
    )
    reason = serializers.CharField(allow_blank=True, help_text=_("原因，可直接显示"))
    file = serializers.CharField(allow_null=True, help_text=_("文件的地址；没有文件时为空"))
    manifest = ManifestSerializer(allow_null=True, help_text=_("清单；没有文件时为空"))


class ExportListSerializer(serializers.Serializer[Any]):
    about = _("授权的导出，新的在前，至多 50 个")

    results = ExportSerializer(many=True, help_text=_("各次导出"))


EXAMPLE = shown(
    "export",
    "可以下载的一份",
    {
        "id": 31,
        "status": "ready",
        "format": "csv",
        "queue_place": None,
        "progress_ratio": 1.0,
        "rows": 920_000,
        "asked_at": "2026-11-28T10:00:00+08:00",
        "expires_at": "2026-12-05T10:00:07+08:00",
        "reason_code": "",
        "reason": "",
        "file": "/api/v1/data/307001002-000001/exports/31/file",
        "manifest": {
            "dataset": "307001002/000001",
            "name": "婚姻登记",
            "grant": {"id": 12, "version": 1},
            "format": "csv",
            "rows": 920_000,
            "bytes": 118_000_000,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "horizon": 42,
            "query": {"fields": ["name"], "where": []},
            "columns": [
                {
                    "name": "name",
                    "label": "姓名",
                    "type": "C",
                    "digits": None,
                    "scale": None,
                    "is_masked": True,
                }
            ],
            "terms": {"purpose": "入学核验", "row_condition": [], "may_redistribute": False},
            "asked_by": "学籍系统",
            "asked_at": "2026-11-28T10:00:00+08:00",
            "made_at": "2026-11-28T10:00:07+08:00",
        },
    },
)

LIST_EXAMPLE = shown("exports", "一份可以下载", {"results": [EXAMPLE.value]})


class ExportsView(GatewayView):
    """The files of a grant, and a new one."""

    @extend_schema(
        operation_id="data_exports_create",
        tags=["data"],
        summary=_("导出文件"),
        description=_(
            "排队生成一个文件：csv、xlsx、parquet 或 ndjson。字段和筛选的写法同读取一页数据。"
            "文件是开始生成时最新批次的样子，其间入库的不影响。csv 与整表导出逐字节相同，"
            "ndjson 的每一行与数据页相同。按进度地址查看，完成后下载，"
            "文件保留 7 天。同一授权至多 5 个在排队或生成，至多保留 20 个文件。"
        ),
        auth=TOKEN,
        parameters=[CODE, FORMAT, FIELDS, FILTER, KEY],
        request=None,
        examples=[EXAMPLE],
        responses={
            202: ExportSerializer,
            200: OpenApiResponse(ExportSerializer, description=_("同一提交编号的导出已经结束")),
            **refusals(codes.ASK_EXPORT),
        },
    )
    def post(self, request: Request, code: str) -> Response:
        """Queue a file; `Location` is where its progress stands."""
        call = self.admitted(request, code)
        if request.data:
            words = _("参数写在地址里（?format=parquet），正文留空")
            raise InvalidInput(words, code="unknown_parameter", field="body")
        wanted = read_wanted(dict(request.query_params.lists()), shape_of(call))
        token = calls.token_of(request.META.get("HTTP_AUTHORIZATION"))
        with allowances.call_counted(call):
            export = sharing.request_export(
                call=call,
                wanted=wanted,
                actor=User.objects.get(pk=call.user_id),
                at=timezone.now(),
                credential=credentials.credential_of_token(token),
                idempotency_key=request.headers.get("Idempotency-Key", "").strip().strip('"'),
            )
        return Response(
            _described(export, code),
            status=202 if export.status in queries.OPEN_EXPORTS else 200,
            headers={"Location": _address(export, code), "Cache-Control": "no-store"},
        )

    @extend_schema(
        operation_id="data_exports_list",
        tags=["data"],
        summary=_("授权的导出列表"),
        description=_("这个系统现在据以读取的授权的导出，新的在前。查看进度不计调用次数。"),
        auth=TOKEN,
        parameters=[CODE],
        examples=[LIST_EXAMPLE],
        responses={
            200: ExportListSerializer,
            **refusals(codes.LIST_EXPORTS),
        },
    )
    def get(self, request: Request, code: str) -> Response:
        call = self.admitted(request, code)
        _require_no_parameters(request)
        found = queries.exports_of(call.grant_id)[:SHOWN]
        return _fresh({"results": [_described(each, code) for each in found]})


class OneExportView(GatewayView):
    """One file: how far it is, its manifest, and an end to it."""

    @extend_schema(
        operation_id="data_exports_read",
        tags=["data"],
        summary=_("一次导出的进度和清单"),
        description=_("隔几秒查看一次，直到 status 不再是 queued 或 running。不计调用次数。"),
        auth=TOKEN,
        parameters=[CODE, NUMBER],
        examples=[EXAMPLE],
        responses={
            200: ExportSerializer,
            **refusals(codes.ONE_EXPORT),
        },
    )
    def get(self, request: Request, code: str, number: int) -> Response:
        call = self.admitted(request, code)
        _require_no_parameters(request)
        return _fresh(_described(_found(call, number), code))

    @extend_schema(
        operation_id="data_exports_discard",
        tags=["data"],
        summary=_("删除导出"),
        description=_("停止排队或生成，或者删除文件；删除后不能再下载。"),
        auth=TOKEN,
        parameters=[CODE, NUMBER],
        responses={
            204: None,
            **refusals(codes.DISCARD_EXPORT),
        },
    )
    def delete(self, request: Request, code: str, number: int) -> Response:
        call = self.admitted(request, code)
        _require_no_parameters(request)
        actor = User.objects.get(pk=call.user_id)
        sharing.discard_export(export=_found(call, number), actor=actor, at=timezone.now())
        return Response(status=204)


class ExportFileView(GatewayView):
    """The bytes of a finished file."""

    @extend_schema(
        operation_id="data_exports_file",
        tags=["data"],
        summary=_("下载导出的文件"),
        description=_(
            "先留下调用记录，再发送。ETag 是文件的 SHA-256；断线后用 Range 和 If-Range 接着取。"
            "每次下载计一次调用和字节数，条数在生成时已计。授权暂停、终止、到期或者收窄后不再提供。"
        ),
        auth=TOKEN,
        parameters=[CODE, NUMBER, RANGE, IF_RANGE],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description=_("与 If-None-Match 相同，不必再取")),
            **refusals(codes.EXPORT_FILE),
        },
    )
    def get(self, request: Request, code: str, number: int) -> HttpResponseBase:
        call = self.admitted(request, code)
        _require_no_parameters(request)
        return answer(request.method or "", request.META, call, _found(call, number))


def _found(call: Call, number: int) -> Export:
    """Return an export of the very grant under which the call reads."""
    export = queries.exports_of(call.grant_id).filter(pk=number).first()
    if export is None:
        raise NotFound
    return export


def _described(export: Export, code: str) -> dict[str, Any]:
    is_ready = export.status == Export.Status.READY
    return {
        "id": export.pk,
        "status": export.status,
        "format": export.format,
        "queue_place": queries.place_in_queue(export) or None,
        "progress_ratio": round(export.progress_ratio, 4),
        "rows": export.rows,
        "asked_at": timezone.localtime(export.created_at),
        "expires_at": timezone.localtime(export.expires_at) if export.expires_at else None,
        "reason_code": export.message_code,
        "reason": export.message,
        "file": f"{_address(export, code)}/file" if is_ready else None,
        "manifest": queries.manifest_of(export) if is_ready else None,
    }


def _address(export: Export, code: str) -> str:
    return reverse("api-data-export-one", args=[code.replace("/", "-"), export.pk])


def _require_no_parameters(request: Request) -> None:
    for name in request.query_params:
        raise InvalidInput(
            _("没有参数“%(name)s”") % {"name": name[:80]}, code="unknown_parameter", field=name[:80]
        )


def _fresh(body: dict[str, Any]) -> Response:
    return Response(body, headers={"Cache-Control": "no-store"})
