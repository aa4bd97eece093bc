"""`/api/v1/catalog-imports`: hand a spreadsheet of entries in; and the catalogue as one."""

from typing import Any, ClassVar

from django.http import FileResponse, HttpRequest, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import operations as catalog
from apps.catalog import search
from apps.catalog.api.datasets import FILTERS
from apps.catalog.api.examples import datasets as examples
from apps.catalog.lifecycle import OPEN_IMPORT
from apps.catalog.models import CatalogImport, Dataset, ImportEntry, SearchEntry
from apps.catalog.spreadsheets.answering import spreadsheet_of
from apps.core import access
from apps.core.api import KeysetPagination, ScopedViewSet, read_cursor, sign_cursor
from apps.core.errors import InvalidInput, NotAllowed
from apps.core.incoming import read_body
from apps.core.openapi import refusals
from apps.core.workbooks.guarding import LIMIT_BYTES


@extend_schema_serializer(examples=[examples.IMPORT])
class ImportSerializer(serializers.ModelSerializer[CatalogImport]):
    """An import as it stands; `code` and `message` say why it was refused."""

    about: ClassVar[str] = "一份编目表格的现状"

    number = serializers.CharField(source="__str__", read_only=True, help_text="编号，如 BM-000001")
    department = serializers.CharField(
        source="department.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="部门编码；主管部门上传的为空，可含各部门的目录",
    )
    status_label = serializers.CharField(
        source="get_status_display", read_only=True, help_text="状态的名称"
    )
    is_finished = serializers.SerializerMethodField(help_text="是否处理完；否则稍后再查")
    sha256 = serializers.CharField(read_only=True, help_text="收到的文件的 SHA-256，十六进制")
    code = serializers.CharField(
        source="problem_code", read_only=True, help_text="无法读取时的错误代码；否则为空"
    )
    message = serializers.CharField(source="problem", read_only=True, help_text="问题的说明")
    summary = serializers.JSONField(
        read_only=True, help_text="counts 为各结论的条数，notes 为读取时的说明，outcomes 为采用结果"
    )
    entries = serializers.SerializerMethodField(help_text="逐条结论的地址")

    class Meta:
        model = CatalogImport
        fields = (
            "id", "number", "department", "file_name", "sha256", "size_bytes", "status",
            "status_label", "is_finished", "scope", "progress", "expected", "code", "message",
            "summary", "entries", "created_at", "finished_at", "revision",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_finished(self, subject: CatalogImport) -> bool:
        return subject.status not in OPEN_IMPORT

    def get_entries(self, subject: CatalogImport) -> str:
        return reverse("api-catalog-import-entries", args=[subject.pk])


@extend_schema_serializer(examples=[examples.IMPORT_ENTRY])
class ImportEntrySerializer(serializers.ModelSerializer[ImportEntry]):
    """What a sheet says of one entry, with the verdict."""

    about: ClassVar[str] = "表格中的一条目录及其结论"

    dataset = serializers.CharField(
        source="dataset.dashed_code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text="对应的目录代码，以 - 代 /；新目录在采用之前为空",
    )
    faults = serializers.JSONField(
        read_only=True,
        help_text="问题：level 为 error（不能采用）、due（提交前须补）、warning；cell 为单元格",
    )
    differences = serializers.SerializerMethodField(help_text="改动：数据项列名、字段、原值、新值")
    clashes = serializers.SerializerMethodField(
        help_text="冲突：表格所依据的值、表里的值、平台现在的值；在页面上由人决定"
    )
    change = serializers.IntegerField(
        source="change_id", read_only=True, allow_null=True, help_text="采用后形成的变更的编号"
    )

    class Meta:
        model = ImportEntry
        fields = (
            "position", "sheet", "first_row", "last_row", "code", "name", "dataset", "action",
            "base_version", "error_count", "faults", "differences", "clashes", "decisions",
            "outcome", "note", "change",
        )  # fmt: skip
        read_only_fields = fields

    def get_differences(self, entry: ImportEntry) -> list[dict[str, Any]]:
        return list(entry.proposal.get("differences", ()))

    def get_clashes(self, entry: ImportEntry) -> list[dict[str, Any]]:
        return list(entry.proposal.get("clashes", ()))


@extend_schema_serializer(examples=[examples.ADOPT])
class AdoptSerializer(serializers.Serializer[Any]):
    about: ClassVar[str] = "采用的范围"

    scope = serializers.ChoiceField(
        choices=CatalogImport.Scope.choices,
        help_text="all：全部都对才采用；good：只采用没有差错的",
    )
    revision = serializers.IntegerField(
        required=False, help_text="读到的修订号；给出时，其间有变即不办理"
    )


class EntryPagination(KeysetPagination):
    """Pages in the order of the file."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        limit = self.limit(request)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(position__gt=read_cursor(cursor))
        rows = list(queryset.order_by("position")[: limit + 1])
        self._next = sign_cursor(rows[limit - 1].position) if len(rows) > limit else None
        return rows[:limit]


class BodyLater(BaseParser):
    """Leaves the body unread: nothing of it is taken before the caller may hand it in."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict:
        return QueryDict()


FILE_NAME = OpenApiParameter("file_name", str, description="文件名；表单里的文件自带")
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="提交编号：同一编号再次提交返回原来的一份，内容不同则为 409",
)
PK = OpenApiParameter("pk", int, OpenApiParameter.PATH, description="列表中给出的 id")


@extend_schema_view(
    list=extend_schema(
        operation_id="catalog_imports_list",
        tags=["datasets"],
        summary="编目表格列表",
        description="本部门上传的编目表格，新的在前。",
        responses={
            200: ImportSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    ),
    retrieve=extend_schema(
        operation_id="catalog_imports_read",
        tags=["datasets"],
        summary="一份编目表格的现状",
        description="is_finished 为 true 时处理完毕，summary.counts 为各结论的条数。",
        parameters=[PK],
        responses={200: ImportSerializer, **refusals({404: ("not_found",)})},
    ),
)
class ImportViewSet(ScopedViewSet):
    """Spreadsheets of the caller's department."""

    queryset = CatalogImport.objects.select_related("department").all()
    serializer_class = ImportSerializer

    def get_parsers(self) -> list[BaseParser]:
        is_file = getattr(self, "action_map", None) and "receive" in self.action_map.values()
        return [BodyLater()] if is_file else super().get_parsers()

    @extend_schema(
        operation_id="catalog_imports_receive",
        tags=["datasets"],
        summary="上传编目表格",
        description=(
            "正文是 xlsx、xls 或 csv 文件，或者表单里的一个文件。收下后排队检查，"
            "不改动任何目录；按 Location 查看结论。"
        ),
        parameters=[FILE_NAME, KEY],
        request={
            "application/octet-stream": OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "表格文件"}
                },
                "required": ["file"],
            },
        },
        responses={
            202: ImportSerializer,
            **refusals(
                {
                    400: (
                        "unknown_parameter", "form_invalid", "one_file_expected",
                        "upload_incomplete", "digest_invalid", "digest_mismatch",
                        "idempotency_key_too_long",
                    ),
                    403: ("not_allowed",),
                    409: ("idempotency_conflict",),
                    411: ("length_required",),
                    413: ("file_too_large",),
                    507: ("storage_full",),
                }
            ),
        },
    )  # fmt: skip
    def receive(self, request: Request) -> Response:
        """Take the file and queue it; `Location` is where its verdicts will stand."""
        user: Any = request.user
        if not access.able(user, "create", CatalogImport):
            raise NotAllowed
        unknown = sorted(set(request.query_params) - {"file_name"})
        if unknown:
            raise InvalidInput(
                f"没有参数“{unknown[0][:80]}”，可用的有 file_name", code="unknown_parameter"
            )
        http: HttpRequest = request._request  # noqa: SLF001 (no other way to an unread body)
        handed = read_body(http, limit=LIMIT_BYTES)
        subject = catalog.receive_import(
            file=handed.file,
            file_name=request.query_params.get("file_name") or handed.name or "catalogue.xlsx",
            actor=user,
            at=timezone.now(),
            channel=CatalogImport.Channel.API,
            idempotency_key=request.headers.get("Idempotency-Key", "").strip().strip('"'),
        )
        return Response(
            ImportSerializer(subject).data,
            status=202,
            headers={"Location": reverse("api-catalog-import", args=[subject.pk])},
        )

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ImportSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(ImportSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="catalog_imports_entries",
        tags=["datasets"],
        summary="编目表格的逐条结论",
        description="按表格中的次序，一条目录一项。",
        parameters=[PK],
        responses={
            200: ImportEntrySerializer(many=True),
            **refusals({400: ("invalid_limit", "cursor_invalid"), 404: ("not_found",)}),
        },
    )
    def entries(self, request: Request, pk: int) -> Response:
        subject = self.find(pk=pk)
        pages = EntryPagination()
        page = pages.paginate_queryset(subject.entries.select_related("dataset"), request)
        return pages.get_paginated_response(ImportEntrySerializer(page, many=True).data)

    @extend_schema(
        operation_id="catalog_imports_adopt",
        tags=["datasets"],
        summary="采用编目表格",
        description="须由编目人员办理；冲突须先在页面上决定。写入草稿和变更后，再按程序审批。",
        parameters=[PK],
        request=AdoptSerializer,
        responses={
            202: ImportSerializer,
            **refusals(
                {
                    400: ("invalid_input", "import_has_faults", "nothing_to_adopt"),
                    403: ("not_allowed",),
                    404: ("not_found",),
                    409: ("illegal_move", "stale_revision", "conflicts_undecided"),
                }
            ),
        },
    )
    def adopt(self, request: Request, pk: int) -> Response:
        asked = AdoptSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        user: Any = request.user
        subject = catalog.adopt(
            subject=self.find(pk=pk), actor=user, at=timezone.now(), **asked.validated_data
        )
        return Response(ImportSerializer(subject).data, status=202)

    @extend_schema(
        operation_id="catalog_imports_discard",
        tags=["datasets"],
        summary="放弃编目表格",
        description="须由编目人员办理；不改动任何目录。",
        parameters=[PK],
        request=None,
        responses={
            200: ImportSerializer,
            **refusals({403: ("not_allowed",), 404: ("not_found",), 409: ("illegal_move",)}),
        },
    )
    def discard(self, request: Request, pk: int) -> Response:
        user: Any = request.user
        subject = catalog.discard(subject=self.find(pk=pk), actor=user, at=timezone.now())
        return Response(ImportSerializer(subject).data)


class ExportViewSet(ScopedViewSet):
    """The catalogue as the template: exactly what the filters leave."""

    queryset = Dataset.objects.all()

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002 (DRF's signature)
    ) -> tuple[BaseRenderer, str]:
        # The address says which file it is; DRF renders only the refusals.
        return JSONRenderer(), "application/json"

    @extend_schema(
        operation_id="datasets_export_xlsx",
        tags=["datasets"],
        summary="导出数据目录（xlsx）",
        description="按目录模板逐项列出符合条件的目录，每行带版本，改后可再上传。",
        parameters=FILTERS,
        responses={
            (200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"): (
                OpenApiTypes.BINARY
            ),
            **refusals({400: ("unknown_filter", "invalid_filter")}),
        },
    )
    def xlsx(self, request: Request) -> FileResponse | StreamingHttpResponse:
        return spreadsheet_of(self._found(request), "xlsx", "datasets")

    @extend_schema(
        operation_id="datasets_export_csv",
        tags=["datasets"],
        summary="导出数据目录（csv）",
        description="内容与 xlsx 相同，UTF-8 带 BOM，边读边传。",
        parameters=FILTERS,
        responses={
            (200, "text/csv"): OpenApiTypes.BINARY,
            **refusals({400: ("unknown_filter", "invalid_filter")}),
        },
    )
    def csv(self, request: Request) -> FileResponse | StreamingHttpResponse:
        return spreadsheet_of(self._found(request), "csv", "datasets")

    def _found(self, request: Request) -> Any:
        filters = search.Filters.read_strictly(request.query_params.dict(), beside=())
        found = search.Search(access.rows(request.user, "view", SearchEntry), filters).everything()
        return self.get_queryset().filter(pk__in=found.order_by().values("dataset"))
