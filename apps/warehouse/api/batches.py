"""`/api/v1/batches`: hand a file in, see what became of it, fetch what was rejected."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.api import KeysetPagination, ScopedViewSet, read_cursor, sign_cursor
from apps.core.errors import InvalidInput, NotAllowed, NotFound
from apps.core.incoming import HandedIn, read_body
from apps.core.openapi import refusals
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.api import examples
from apps.warehouse.api.encodings import ENCODING
from apps.warehouse.api.serializers import BatchSerializer, RejectionSerializer
from apps.warehouse.models import Batch, Rejection
from apps.warehouse.rejected_file import rejected_lines


class RejectionPagination(KeysetPagination):
    """Pages in the order of the file."""

    default_limit: ClassVar[int] = 100
    maximum_limit: ClassVar[int] = 1_000

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        limit = self.limit(request)
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(record_number__gt=read_cursor(cursor))
        rows = list(queryset.order_by("record_number")[: limit + 1])
        self._next = sign_cursor(rows[limit - 1].record_number) if len(rows) > limit else None
        return rows[:limit]


class BodyLater(BaseParser):
    """Leaves the body unread: nothing of it is taken before the caller may hand it in."""

    media_type = "*/*"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> QueryDict:
        return QueryDict()


REFUSALS = refusals(
    {
        400: (
            "unknown_parameter", "mode_unknown", "encoding_unknown", "declared_invalid",
            "dataset_not_published", "digest_invalid", "digest_mismatch", "upload_incomplete",
            "form_invalid", "one_file_expected", "idempotency_key_too_long",
            "mends_unknown",
        ),
        403: ("not_allowed",),
        404: ("not_found",),
        409: ("idempotency_conflict", "batch_in_flight", "not_landed"),
        411: ("length_required",),
        413: ("file_too_large",),
        507: ("storage_full",),
    }
)  # fmt: skip
CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description=_("目录代码，以 - 代 /"))
MODE = OpenApiParameter(
    "mode", str, enum=Batch.Mode.values, description=_("入库方式，不写则为 upsert")
)
MENDS = OpenApiParameter(
    "mends",
    int,
    description=_(
        "改正的是哪一批次未通过的记录：文件为下载的那些记录，改正后行号、原因各列不用删；"
        "入库方式随原批次，不用 mode"
    ),
)
DECLARED = OpenApiParameter("declared", int, description=_("申报条数；与文件不符时不予入库"))
FILE_NAME = OpenApiParameter("file_name", str, description=_("文件名；表单里的文件自带"))
KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=_("批次号：同一批次号再次提交返回原批次，内容不同则为 409"),
)
DIGEST = OpenApiParameter(
    "Content-Digest",
    str,
    OpenApiParameter.HEADER,
    description=_("sha-256=:…:（RFC 9530），与收到的内容不符时不予接收"),
)


@extend_schema_view(
    list=extend_schema(
        operation_id="batches_list",
        tags=["batches"],
        summary=_("归集批次列表"),
        parameters=[
            OpenApiParameter("dataset", str, description=_("目录代码，以 - 代 /")),
            OpenApiParameter(
                "status", str, enum=Batch.Status.values, description=_("只要这种状态的")
            ),
        ],
        description=_("本部门提供的目录的批次，新的在前。"),
        responses={
            200: BatchSerializer(many=True),
            **refusals(
                {400: ("unknown_parameter", "unknown_status", "invalid_limit", "cursor_invalid")}
            ),
        },
    ),
    retrieve=extend_schema(
        operation_id="batches_read",
        tags=["batches"],
        summary=_("一个批次及其收支平衡"),
        description=_("is_finished 为 true 时处理完毕，balance 为收支平衡，code 为未入库的原因。"),
        responses={200: BatchSerializer, **refusals({404: ("not_found",)})},
    ),
)
class BatchViewSet(ScopedViewSet):
    """Batches of the caller's department; a system acts for the department it belongs to."""

    queryset = Batch.objects.select_related(
        "dataset", "file", "source", "version"
    ).prefetch_related("normalisations")
    serializer_class = BatchSerializer
    parser_classes = [BodyLater]

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002 (DRF's signature)
    ) -> tuple[BaseRenderer, str]:
        # `format` and `Accept` choose between a page and a file, which DRF does not render.
        return JSONRenderer(), "application/json"

    def list(self, request: Request) -> Response:
        query = _only(request, {"dataset", "status", "limit", "cursor"})
        batches = self.get_queryset()
        if code := query.get("dataset"):
            batches = batches.filter(dataset__code=code.replace("-", "/"))
        if status := query.get("status"):
            if status not in Batch.Status.values:
                raise InvalidInput(
                    _("没有状态“%(name)s”") % {"name": status[:80]},
                    code="unknown_status",
                    field="status",
                )
            batches = batches.filter(status=status)
        page = self.paginate_queryset(batches)
        return self.get_paginated_response(BatchSerializer(page, many=True).data)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(BatchSerializer(self.find(pk=pk)).data)

    @extend_schema(
        operation_id="batches_push",
        tags=["batches"],
        summary=_("提交一个批次"),
        description=_(
            "正文是 CSV 文件，或者表单里的一个文件。收下后排队处理，按 Location 查看结果。"
            "只能由提供部门的信息系统或人员提交。"
        ),
        parameters=[CODE, MODE, MENDS, DECLARED, FILE_NAME, ENCODING, KEY, DIGEST],
        examples=[examples.BATCH, examples.PUSHED],
        request={
            "text/csv": OpenApiTypes.BINARY,
            "multipart/form-data": {
                "type": "object",
                "properties": {
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": _("CSV 文件"),
                    },
                },
                "required": ["file"],
            },
        },
        responses={
            202: BatchSerializer,
            200: OpenApiResponse(BatchSerializer, description=_("同一批次号已提交并处理完")),
            **REFUSALS,
        },
    )
    def push(self, request: Request, code: str) -> Response:
        """Take the file and queue it; `Location` is where its balance will stand."""
        user: Any = request.user
        query = _only(request, {"mode", "declared", "file_name", "encoding", "mends"})
        dataset = catalog.visible_to(user).filter(code=code.replace("-", "/")).first()
        if dataset is None:
            raise NotFound
        warehouse.require_may_land(dataset=dataset, actor=user, at=timezone.now())
        mends = self._mended(dataset, query.get("mends", ""))
        handed = read_body(_http(request))
        if mends is not None:
            return self._queued(
                warehouse.mend_by_file(
                    batch=mends,
                    file=handed.file,
                    file_name=query.get("file_name") or handed.name or f"{code}.csv",
                    actor=user,
                    at=timezone.now(),
                    idempotency_key=_key(request),
                    declared=_declared(query, handed),
                )
            )
        batch = warehouse.receive(
            dataset=dataset,
            file=handed.file,
            file_name=query.get("file_name") or handed.name or f"{code}.csv",
            mode=query.get("mode") or handed.fields.get("mode") or Batch.Mode.UPSERT.value,
            actor=user,
            at=timezone.now(),
            idempotency_key=_key(request),
            declared=_declared(query, handed),
            encoding=query.get("encoding") or handed.fields.get("encoding") or "",
        )
        return self._queued(batch)

    def _mended(self, dataset: Dataset, number: str) -> Batch | None:
        """Return the batch that the file mends, where the address names one.

        Raises:
            InvalidInput: it is no batch of this dataset.
        """
        if not number:
            return None
        found = None
        if number.isascii() and number.isdigit() and len(number) < 19:
            batches: QuerySet[Batch] = self.get_queryset()
            found = batches.filter(pk=number, dataset=dataset).first()
        if found is None:
            raise InvalidInput(
                _("这个目录没有批次“%(number)s”") % {"number": number[:20]},
                code="mends_unknown",
                field="mends",
            )
        return found

    def _queued(self, batch: Batch) -> Response:
        found = self.get_queryset().get(pk=batch.pk)
        return Response(
            BatchSerializer(found).data,
            status=202 if found.status in queries.OPEN else 200,
            headers={"Location": reverse("api-batch", args=[found.pk])},
        )

    @extend_schema(
        operation_id="batches_rejections",
        tags=["batches"],
        summary=_("未通过的记录"),
        description=_("一页 JSON，或者以原文件的列写成的 CSV，改正后可直接再提交。"),
        parameters=[
            OpenApiParameter("format", str, enum=["json", "csv"], description=_("不写则为 json")),
            OpenApiParameter("limit", int, description=_("每页条数，默认 100，至多 1000")),
            OpenApiParameter("cursor", str, description=_("上一页返回的 next")),
        ],
        examples=[examples.REJECTION, examples.REJECTED_LINES],
        responses={
            200: RejectionSerializer(many=True),
            (200, "text/csv"): OpenApiTypes.BINARY,
            **refusals(
                {
                    400: ("unknown_parameter", "invalid_limit", "cursor_invalid"),
                    403: ("not_allowed",),
                    404: ("not_found",),
                }
            ),
        },
    )
    def rejections(self, request: Request, pk: int) -> Response | StreamingHttpResponse:
        """Answer a page of them, or all as CSV in the columns of the file that was sent."""
        query = _only(request, {"format", "limit", "cursor"})
        batch = self.find(pk=pk)
        if not access.allowed(request.user, "view_rejections", batch):
            raise NotAllowed
        rows = access.rows(request.user, "view", Rejection).filter(batch=batch)
        user: Any = request.user
        accept = request.headers.get("Accept", "")
        if query.get("format", "csv" if accept.startswith("text/csv") else "json") == "csv":
            warehouse.record_download(
                batch=batch, what="rejections", rows=rows.count(), actor=user, at=timezone.now()
            )
            response = StreamingHttpResponse(
                rejected_lines(batch, rows), content_type="text/csv; charset=utf-8"
            )
            response["Content-Disposition"] = f'attachment; filename="{batch}-rejections.csv"'
            return response
        pages = RejectionPagination()
        page = pages.paginate_queryset(rows, request) or []
        numbers = [row.record_number for row in page]
        if numbers:
            warehouse.reveal_rejections(batch=batch, records=numbers, actor=user, at=timezone.now())
        return pages.get_paginated_response(RejectionSerializer(page, many=True).data)


def _http(request: Request) -> HttpRequest:
    return request._request  # noqa: SLF001 (DRF offers no other way to an unread body)


def _key(request: Request) -> str:
    """Return the sender's number of the batch, whether quoted as a structured field or not."""
    text: str = request.headers.get("Idempotency-Key", "").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _declared(query: dict[str, str], handed: HandedIn) -> int | None:
    text = query.get("declared") or handed.fields.get("declared") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(
            _("申报条数须为不小于 0 的整数"), code="declared_invalid", field="declared"
        )
    return int(text)


def _only(request: Request, known: set[str]) -> dict[str, str]:
    """Return the parameters of the address; a misspelt one must not be passed over in silence.

    Raises:
        InvalidInput: a parameter that is not known here.
    """
    for name in request.query_params:
        if name not in known:
            raise InvalidInput(
                _("没有参数“%(name)s”，可用的有 %(known)s")
                % {"name": name[:80], "known": "、".join(sorted(known))},
                code="unknown_parameter",
                field=name[:80],
            )
    return request.query_params.dict()
