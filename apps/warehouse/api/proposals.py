"""`/api/v1/proposals`: have a draft entry proposed from a file, ask how far it is, read it."""

from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
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

from apps.catalog.models import Classification, DataItem, Dataset
from apps.core import access
from apps.core.api import ScopedViewSet
from apps.core.errors import InvalidInput, NotAllowed, NotFound
from apps.core.incoming import read_body
from apps.core.openapi import refusals
from apps.standards.types import DataType
from apps.warehouse import operations as warehouse
from apps.warehouse.api import proposal_examples as examples
from apps.warehouse.api.batches import BodyLater
from apps.warehouse.lifecycle import OPEN_PROPOSAL
from apps.warehouse.models import FileProposal, ProposalRun
from apps.warehouse.operations.proposal_runs import PROPOSED_LIMIT_BYTES

QUERY = frozenset({"classification", "name", "file_name", "sha256"})


class EvidenceSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一项建议及其依据")

    said = serializers.CharField(help_text=_("建议"))
    why = serializers.CharField(help_text=_("依据"))


@extend_schema_serializer(examples=[examples.RUN])
class ProposalRunSerializer(serializers.ModelSerializer[ProposalRun]):
    """A run as it stands; `code` and `message` say why no draft came of it."""

    about: ClassVar[str | Promise] = _("由文件生成草案的进展")

    department = serializers.CharField(
        source="department.code", read_only=True, help_text=_("部门编码")
    )
    classification = serializers.CharField(
        source="classification.code", read_only=True, help_text=_("资源分类代码")
    )
    sha256 = serializers.CharField(
        source="file.sha256", read_only=True, help_text=_("文件的 SHA-256，十六进制")
    )
    size_bytes = serializers.IntegerField(
        source="file.size_bytes", read_only=True, help_text=_("文件大小，字节")
    )
    status_label = serializers.CharField(
        source="get_status_display", read_only=True, help_text=_("状态的名称")
    )
    is_finished = serializers.SerializerMethodField(help_text=_("是否处理完；否则稍后再查"))
    columns_done = serializers.IntegerField(
        source="progress", read_only=True, help_text=_("已统计的列数")
    )
    columns_total = serializers.IntegerField(
        source="expected", read_only=True, help_text=_("总列数；文件还没有打开时为 0")
    )
    code = serializers.CharField(
        source="problem_code", read_only=True, help_text=_("没有生成时的错误代码；否则为空")
    )
    message = serializers.CharField(source="problem", read_only=True, help_text=_("问题的说明"))
    dataset = serializers.CharField(
        source="proposal.dataset.dashed_code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("生成的草案的目录代码，以 - 代 /；还没有时为空"),
    )
    draft = serializers.SerializerMethodField(help_text=_("草案和依据的地址；还没有时为空"))

    class Meta:
        model = ProposalRun
        fields = (
            "id", "department", "classification", "name", "file_name", "sha256", "size_bytes",
            "status", "status_label", "is_finished", "stage", "columns_done", "columns_total",
            "code", "message", "dataset", "draft", "created_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_finished(self, run: ProposalRun) -> bool:
        return run.status not in OPEN_PROPOSAL

    def get_draft(self, run: ProposalRun) -> str | None:
        return reverse("api-proposal-draft", args=[run.pk]) if run.proposal_id else None


class ProposedItemSerializer(serializers.ModelSerializer[DataItem]):
    """One item as it stands in the draft now, and what spoke for it."""

    about: ClassVar[str | Promise] = _("草案的一个数据项")

    column = serializers.CharField(source="column_name", read_only=True, help_text=_("列名"))
    type = serializers.ChoiceField(
        choices=DataType.choices, source="data_type", read_only=True, help_text=_("数据类型")
    )
    is_key = serializers.SerializerMethodField(help_text=_("是否主键列"))
    code_list = serializers.CharField(
        source="code_list.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("代码集的编号；没有时为空"),
    )
    data_element = serializers.CharField(
        source="data_element.code",
        read_only=True,
        default=None,
        allow_null=True,
        help_text=_("数据元的编号；没有时为空"),
    )
    normalise = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=_("入库时统一写法的方式")
    )
    evidence = serializers.SerializerMethodField(help_text=_("建议和依据"))

    class Meta:
        model = DataItem
        fields = (
            "column", "name", "type", "length", "scale", "required", "is_key", "value_check",
            "normalise", "code_list", "data_element", "personal", "sensitive", "mask",
            "description", "evidence",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_key(self, item: DataItem) -> bool:
        return item.column_name in item.dataset.key_items

    @extend_schema_field(EvidenceSerializer(many=True))
    def get_evidence(self, item: DataItem) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.context["evidence"].get(item.column_name, [])
        return found


@extend_schema_serializer(examples=[examples.DRAFT])
class DraftSerializer(serializers.ModelSerializer[FileProposal]):
    """The draft as it stands now, with the evidence that the file gave."""

    about: ClassVar[str | Promise] = _("由文件生成的草案及其依据")

    dataset = serializers.CharField(
        source="dataset.dashed_code", read_only=True, help_text=_("目录代码，以 - 代 /")
    )
    name = serializers.CharField(source="dataset.name", read_only=True, help_text=_("目录名称"))
    update_cycle = serializers.CharField(
        source="dataset.update_cycle", read_only=True, help_text=_("更新周期")
    )
    key_items = serializers.ListField(
        source="dataset.key_items",
        child=serializers.CharField(),
        read_only=True,
        help_text=_("主键列的列名"),
    )
    notes = serializers.JSONField(
        read_only=True, help_text=_("怎样读的：form 格式，encoding 字符编码，sheet 工作表")
    )
    evidence = EvidenceSerializer(many=True, read_only=True, help_text=_("对整个目录的建议和依据"))
    items = serializers.SerializerMethodField(help_text=_("数据项，依文件的列序"))

    class Meta:
        model = FileProposal
        fields = (
            "dataset", "name", "update_cycle", "key_items", "file_name", "rows", "notes",
            "evidence", "items", "proposed_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ProposedItemSerializer(many=True))
    def get_items(self, made: FileProposal) -> Any:
        items = made.dataset.items.select_related("code_list", "data_element", "dataset")
        context = {"evidence": made.item_evidence}
        return ProposedItemSerializer(items.order_by("position"), many=True, context=context).data


PK = OpenApiParameter("pk", int, OpenApiParameter.PATH, description=_("提交时给的 id"))
CLASSIFICATION = OpenApiParameter(
    "classification", str, required=True, description=_("资源分类代码，至少到“目”")
)
NAME = OpenApiParameter("name", str, description=_("目录名称；不写则由文件名得出"))
FILE_NAME = OpenApiParameter("file_name", str, description=_("文件名；表单里的文件自带"))
SHA256 = OpenApiParameter(
    "sha256",
    str,
    description=_("本部门提交过的文件（批次或者以前的草案）的 SHA-256；写了就不用正文"),
)
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=_("提交编号：同一编号再次提交返回原来的一份，内容不同则为 409"),
)


@extend_schema_view(
    list=extend_schema(
        operation_id="proposals_list",
        tags=["datasets"],
        summary=_("由文件生成草案的列表"),
        description=_("本部门提交的，新的在前。"),
        responses={
            200: ProposalRunSerializer(many=True),
            **refusals({400: ("unknown_filter", "invalid_limit", "cursor_invalid")}),
        },
    ),
    retrieve=extend_schema(
        operation_id="proposals_read",
        tags=["datasets"],
        summary=_("由文件生成草案的进展"),
        description=_("is_finished 为 true 时处理完毕：draft 是草案的地址，没有生成的看 code。"),
        parameters=[PK],
        responses={200: ProposalRunSerializer, **refusals({404: ("not_found",)})},
    ),
)
class ProposalViewSet(ScopedViewSet):
    """Files of the caller's department from which drafts are proposed."""

    queryset = ProposalRun.objects.select_related(
        "department", "classification", "file", "proposal__dataset"
    ).all()
    serializer_class = ProposalRunSerializer
    parser_classes = [BodyLater]

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(ProposalRunSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(ProposalRunSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="proposals_request",
        tags=["datasets"],
        summary=_("由文件生成目录草案"),
        description=_(
            "正文是数据文件（CSV、XLSX、JSON、Parquet 等，或者其 ZIP、GZ，至多 200 MB），"
            "或者表单里的一个文件；写 sha256 则用本部门提交过的文件。收下后排队通读整个文件，"
            "按 Location 查看进展。生成的只是草案，数据不入库。只能由部门的目录编制人提交。"
        ),
        parameters=[CLASSIFICATION, NAME, FILE_NAME, SHA256, KEY],
        request={
            "application/octet-stream": OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": _("数据文件")}
                },
                "required": ["file"],
            },
        },
        responses={
            202: ProposalRunSerializer,
            **refusals(
                {
                    400: (
                        "unknown_parameter", "invalid_input", "file_unknown", "form_invalid",
                        "one_file_expected", "upload_incomplete", "digest_invalid",
                        "digest_mismatch", "idempotency_key_too_long",
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
    def request_proposal(self, request: Request) -> Response:
        """Take the file and queue it; `Location` is where its draft will stand."""
        user: Any = request.user
        if not access.able(user, "create", Dataset):
            raise NotAllowed
        query = _only(request)
        classification = _classification(query.get("classification", ""))
        digest = query.get("sha256", "")
        http: HttpRequest = request._request  # noqa: SLF001 (no other way to an unread body)
        handed = None if digest else read_body(http, limit=PROPOSED_LIMIT_BYTES)
        own_name = handed.name if handed else ""
        run = warehouse.request_proposal(
            file=handed.file if handed else None,
            file_name=query.get("file_name") or own_name or "data.csv",
            classification=classification,
            name=query.get("name", ""),
            sha256=digest,
            idempotency_key=request.headers.get("Idempotency-Key", "").strip().strip('"'),
            actor=user,
            at=timezone.now(),
        )
        return Response(
            ProposalRunSerializer(run).data,
            status=202,
            headers={"Location": reverse("api-proposal", args=[run.pk])},
        )

    @extend_schema(
        operation_id="proposals_draft",
        tags=["datasets"],
        summary=_("由文件生成的草案及其依据"),
        description=_("数据项以草案现在的样子列出，依据是生成时的；还没有生成的为 404。"),
        parameters=[PK],
        responses={200: DraftSerializer, **refusals({404: ("not_found",)})},
    )
    def draft(self, request: Request, pk: int) -> Response:
        run: ProposalRun = self.find(pk=pk)
        if run.proposal is None:
            raise NotFound(_("还没有生成草案：%(status)s") % {"status": run.get_status_display()})
        return Response(DraftSerializer(run.proposal).data)

    @extend_schema(
        operation_id="proposals_discard",
        tags=["datasets"],
        summary=_("放弃由文件生成草案"),
        description=_("还没有处理完的不再处理，不生成草案；只能由部门的目录编制人办理。"),
        parameters=[PK],
        request=None,
        responses={
            200: ProposalRunSerializer,
            **refusals({403: ("not_allowed",), 404: ("not_found",), 409: ("illegal_move",)}),
        },
    )
    def discard(self, request: Request, pk: int) -> Response:
        user: Any = request.user
        run = warehouse.discard_proposal(run=self.find(pk=pk), actor=user, at=timezone.now())
        return Response(ProposalRunSerializer(run).data)


def _only(request: Request) -> dict[str, str]:
    unknown = sorted(set(request.query_params) - QUERY)
    if unknown:
        raise InvalidInput(
            _("没有参数“%(name)s”，可用的有 %(known)s")
            % {"name": unknown[0][:80], "known": "、".join(sorted(QUERY))},
            code="unknown_parameter",
        )
    return {name: str(value) for name, value in request.query_params.items()}


def _classification(code: str) -> Classification:
    found: Classification | None = Classification.objects.filter(code=code).first()
    if found is None:
        raise InvalidInput(_("写明资源分类代码，至少到“目”"), field="classification")
    return found
