"""`GET /api/v1/data/{code}`, its export, changes and verification: a thin face of the gateway."""

from dataclasses import replace
from http import HTTPStatus
from time import perf_counter
from typing import Any

import orjson
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.sharing.api.documents import (
    CHANGES_EXAMPLE,
    CHANGES_LINES_EXAMPLE,
    CHANGES_PARAMETERS,
    CHANGES_PROBLEMS,
    CSV_EXAMPLE,
    EXPORT_PARAMETERS,
    EXPORT_PROBLEMS,
    PAGE_EXAMPLE,
    PAGE_PARAMETERS,
    PROBLEMS,
    VERIFY_EXAMPLES,
    VERIFY_PARAMETERS,
    VERIFY_PROBLEMS,
    ChangesSerializer,
    DataPageSerializer,
    VerificationSerializer,
    VerifiedSerializer,
)
from apps.sharing.gateway import (
    addresses,
    allowances,
    calls,
    changes,
    codings,
    console,
    ending,
    exports,
    pages,
    unchanged,
    verifying,
)
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import FORMATS, Query, read_query
from apps.sharing.gateway.forwarding import serving
from apps.sharing.gateway.refusals import BodyTooLarge
from apps.sharing.gateway.shapes import shape_of

TOKEN: Any = [{"oauth2": ["data"]}]
LARGEST_BODY_BYTES = 1 << 20
EXPORT_WORDS = frozenset({"fields", "cursor"})


class GatewayView(APIView):
    """What the views of the data plane share: the token is looked up once, by the gateway."""

    # The gateway asks who calls, which system and which grant in one statement of its own.
    authentication_classes = ()
    permission_classes = ()

    def perform_content_negotiation(
        self,
        request: Request,
        force: bool = False,  # noqa: FBT001, FBT002 (DRF's signature)
    ) -> tuple[BaseRenderer, str]:
        # Only problems are rendered by DRF; the gateway reads `format` and `Accept` itself.
        return JSONRenderer(), "application/json"

    is_verification = False
    can_be_tried = False  # in the console
    is_trial_offered = False
    call: Call | None = None
    is_forwarded = False  # to the provider's own service, where nothing landed

    def admitted(self, request: Request, code: str) -> Call:
        """Admit the call, or refuse it before its parameters are even looked at."""
        token = calls.token_of(request.META.get("HTTP_AUTHORIZATION"))
        call = self._admitted(request, code, token)
        if not call.horizon and not self.is_forwarded:
            serving.refuse_forwarded(call)
        return call

    def _admitted(self, request: Request, code: str, token: str) -> Call:
        if token.startswith(console.PREFIX):
            return console.admit(
                token,
                calls.code_in_path(code),
                at=timezone.now(),
                client_address=addresses.address_of(request.META),
                is_verification=self.is_verification,
                can_be_tried=self.can_be_tried,
            )
        self.call = calls.admit(
            token,
            calls.code_in_path(code),
            at=timezone.now(),
            client_address=addresses.address_of(request.META),
            is_verification=self.is_verification,
            is_trial_offered=self.is_trial_offered,
        )
        return self.call

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Mark what was invented, in whatever format it is, and note that it was answered."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.call is not None and self.call.trial:
            answer["Huiliu-Test"] = "true"
            if answer.status_code == HTTPStatus.OK:
                calls.remember_trial(self.call, at=timezone.now())
        return answer


class DataView(GatewayView):
    """Records of a dataset, as far as the caller's grant shows them."""

    can_be_tried = True
    is_trial_offered = True
    is_forwarded = True

    @extend_schema(
        operation_id="data_page",
        tags=["data"],
        summary=_("读取一页数据"),
        description=_(
            "按授权读取记录，按 _id 排序，用 next 翻页；CSV 和 NDJSON 的 next 在响应头 "
            "Huiliu-Next-Cursor 中。每次调用先留下调用记录，再返回数据。授权订有限额的，"
            "当日余量不足一页时给出余下的条数和 next，用完返回 429。数据不落地的，由提供部门的接口"
            "实时提供，forwarded 为 true，没有 _id，接口登记了翻页的才有 next。"
            "目录停用的列在保留期内照旧给出，响应头 "
            "Deprecation 是停用的时刻，Sunset 是不再提供的时刻。"
        ),
        auth=TOKEN,
        parameters=PAGE_PARAMETERS,
        examples=[PAGE_EXAMPLE, CSV_EXAMPLE],
        responses={
            200: DataPageSerializer,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
            304: OpenApiResponse(description=_("与 If-None-Match 相同，不必再取")),
            **PROBLEMS,
        },
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        started = perf_counter()
        call = self.admitted(request, code)
        query = _query(request, call)
        console.require_few(call, query.limit)
        looked_up = perf_counter()
        with allowances.counted(call, rows=query.limit) as (admitted, rows):
            response = _page(request, admitted, replace(query, limit=rows))
        ending.announce(response, shape_of(call))
        response["Server-Timing"] = _timing(started, looked_up)
        return response


class ChangesView(GatewayView):
    """What changed in a grant since a cursor."""

    can_be_tried = True
    is_trial_offered = True

    @extend_schema(
        operation_id="data_changes",
        tags=["data"],
        summary=_("读取变更（增量订阅）"),
        description=_(
            "返回 cursor 之后授权可见数据的变更，按批次和 _id 排序；首次不带 cursor，得到全部现有"
            "记录。一轮读到固定的批次 horizon 为止，其间入库的批次留给下一轮；is_complete 为 true "
            "后，隔一段时间用 next 再来。离开授权范围或被删除的记录为 delete。授权内容变更后返回 "
            "409 resync_required，须清空所持数据，从头读起。NDJSON 的 next、horizon、is_complete "
            "在响应头 Huiliu-Next-Cursor、Huiliu-Horizon、Huiliu-Is-Complete 中。"
        ),
        auth=TOKEN,
        parameters=CHANGES_PARAMETERS,
        examples=[CHANGES_EXAMPLE, CHANGES_LINES_EXAMPLE],
        responses={
            200: ChangesSerializer,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            **CHANGES_PROBLEMS,
        },
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        started = perf_counter()
        call = self.admitted(request, code)
        query = changes.read_feed_query(
            dict(request.query_params.lists()),
            shape_of(call),
            accept=request.META.get("HTTP_ACCEPT", ""),
        )
        console.require_few(call, query.limit)
        looked_up = perf_counter()
        with allowances.counted(call, rows=query.limit) as (admitted, rows):
            page = changes.read_changes(admitted, replace(query, limit=rows))
        response = HttpResponse(page.body, content_type=page.content_type)
        response["Cache-Control"] = "no-store"
        ending.announce(response, shape_of(call))
        response["Huiliu-Next-Cursor"] = page.next
        response["Huiliu-Horizon"] = str(page.horizon)
        response["Huiliu-Is-Complete"] = "true" if page.is_complete else "false"
        response["Server-Timing"] = _timing(started, looked_up)
        return response


class ExportView(GatewayView):
    """The whole grant as one file."""

    is_trial_offered = True

    @extend_schema(
        operation_id="data_export",
        tags=["data"],
        summary=_("整表导出 CSV"),
        description=_(
            "逐块读取、逐块发送。授权中途暂停或终止时，文件末行以“#”说明原因和续传用的 cursor，"
            "连接随即断开，不会当作完整文件结束。"
        ),
        auth=TOKEN,
        examples=[CSV_EXAMPLE],
        parameters=EXPORT_PARAMETERS,
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            **EXPORT_PROBLEMS,
        },
    )
    def get(self, request: Request, code: str) -> StreamingHttpResponse:
        call = self.admitted(request, code)
        parameters = dict(request.query_params.lists())
        query = read_query(parameters, shape_of(call), accept="text/csv", allowed=EXPORT_WORDS)
        blocks = exports.export(call, query)
        coding = codings.chosen(request.META.get("HTTP_ACCEPT_ENCODING", ""))
        packed = codings.flowing(blocks, coding) if coding else blocks
        response = StreamingHttpResponse(packed, content_type=FORMATS["csv"])
        response["Cache-Control"] = "no-store"
        if coding:
            response["Content-Encoding"] = coding
        ending.announce(response, shape_of(call))
        name = code.replace("/", "-")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response


class VerifyView(GatewayView):
    """Whether what the caller holds agrees with what his grant shows."""

    is_verification = True
    can_be_tried = True
    is_trial_offered = True

    @extend_schema(
        operation_id="data_verify",
        tags=["data"],
        summary=_("核验"),
        description=_(
            "提交记录的主键和要核验的值，返回逐项是否相符，不返回数据。主键须列入授权且不脱敏。"
            "数据范围之外的记录与不存在的一样，found 为 false。一个信息系统一小时内核验的不同记录"
            "有限额，超过返回 429；重复核验同一条记录不另计。每次调用先留下调用记录，再返回结果。"
        ),
        auth=TOKEN,
        parameters=VERIFY_PARAMETERS,
        request=VerificationSerializer,
        examples=VERIFY_EXAMPLES,
        responses={200: VerifiedSerializer, **VERIFY_PROBLEMS},
    )
    def post(self, request: Request, code: str) -> HttpResponse:
        call = self.admitted(request, code)
        question = verifying.read_verification(_json_of(request), call, shape_of(call))
        with allowances.counted(call, rows=len(question.records), in_full=True) as (
            admitted,
            _rows,
        ):
            answer = verifying.verify(admitted, question)
        response = HttpResponse(answer, content_type=FORMATS["json"])
        ending.announce(response, shape_of(call))
        response["Cache-Control"] = "no-store"
        return response


def _page(request: Request, call: Call, query: Query) -> HttpResponse:
    """Answer a page; with no more than its mark, where the caller says that he holds it."""
    mark = unchanged.mark_of(call, query)
    if unchanged.is_held(mark, request.META.get("HTTP_IF_NONE_MATCH", "")):
        unchanged.record_held(call, query)
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    else:
        is_here = call.horizon or call.trial
        page = (pages.read_page if is_here else serving.read_page)(call, query)
        response = HttpResponse(page.body, content_type=page.content_type)
        if page.next is not None:
            response["Huiliu-Next-Cursor"] = page.next
    if mark:
        response["ETag"] = mark
    # The caller may keep what he is granted, nobody between us; he asks before he uses it again.
    response["Cache-Control"] = "private, no-cache" if mark else "no-store"
    return response


def _json_of(request: Request) -> Any:
    """Return the body; read by orjson, which a deeply nested one does not bring down.

    Raises:
        BodyTooLarge, UnsupportedMediaType, ParseError: it is not what was asked for.
    """
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind != FORMATS["json"]:
        raise UnsupportedMediaType(kind)
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY_BYTES:
        raise BodyTooLarge(limit=LARGEST_BODY_BYTES)
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise ParseError from None


def _query(request: Request, call: Call) -> Query:
    parameters: dict[str, Any] = dict(request.query_params.lists())
    return read_query(parameters, shape_of(call), accept=request.META.get("HTTP_ACCEPT", ""))


def _timing(started: float, looked_up: float) -> str:
    return (
        f"admit;dur={(looked_up - started) * 1000:.2f}, "
        f"read;dur={(perf_counter() - looked_up) * 1000:.2f}"
    )
