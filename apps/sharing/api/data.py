"""`GET /api/v1/data/{code}` and its export: a thin face of the gateway."""

import ipaddress
from time import perf_counter
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.sharing.api.documents import (
    EXPORT_PARAMETERS,
    PAGE_PARAMETERS,
    PROBLEMS,
    DataPageSerializer,
)
from apps.sharing.gateway import calls, exports, pages
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.filters import FORMATS, Query, read_query
from apps.sharing.gateway.shapes import shape_of

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

    def admitted(self, request: Request, code: str) -> Call:
        """Admit the call, or refuse it before its parameters are even looked at."""
        return calls.admit(
            calls.token_of(request.META.get("HTTP_AUTHORIZATION")),
            calls.code_in_path(code),
            at=timezone.now(),
            client_address=_address(request.META.get("REMOTE_ADDR")),
        )


class DataView(GatewayView):
    """Records of a dataset, as far as the caller's grant shows them."""

    @extend_schema(
        operation_id="data_page",
        tags=["data"],
        parameters=PAGE_PARAMETERS,
        responses={200: DataPageSerializer, **PROBLEMS},
    )
    def get(self, request: Request, code: str) -> HttpResponse:
        """读取一页数据。

        按授权读取记录，按 `_id` 排序，用 `next` 翻页。每次调用先留下调用记录，再返回数据。
        """
        started = perf_counter()
        call = self.admitted(request, code)
        query = _query(request, call)
        looked_up = perf_counter()
        page = pages.read_page(call, query)
        response = HttpResponse(page.body, content_type=page.content_type)
        response["Cache-Control"] = "no-store"
        if page.next is not None:
            response["Huiliu-Next-Cursor"] = page.next
        response["Server-Timing"] = (
            f"admit;dur={(looked_up - started) * 1000:.2f}, "
            f"read;dur={(perf_counter() - looked_up) * 1000:.2f}"
        )
        return response


class ExportView(GatewayView):
    """The whole grant as one file."""

    @extend_schema(
        operation_id="data_export",
        tags=["data"],
        parameters=EXPORT_PARAMETERS,
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.BINARY),
            **PROBLEMS,
        },
    )
    def get(self, request: Request, code: str) -> StreamingHttpResponse:
        """整表导出 CSV。

        逐块读取、逐块发送。授权中途暂停或终止时，文件末行以“#”说明原因和续传用的 cursor，
        连接随即断开，不会当作完整文件结束。
        """
        call = self.admitted(request, code)
        parameters = dict(request.query_params.lists())
        query = read_query(parameters, shape_of(call), accept="text/csv", allowed=EXPORT_WORDS)
        response = StreamingHttpResponse(exports.export(call, query), content_type=FORMATS["csv"])
        response["Cache-Control"] = "no-store"
        name = code.replace("/", "-")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response


def _query(request: Request, call: Call) -> Query:
    parameters: dict[str, Any] = dict(request.query_params.lists())
    return read_query(parameters, shape_of(call), accept=request.META.get("HTTP_ACCEPT", ""))


def _address(text: str | None) -> str | None:
    """Return the address, None where the server listens on a socket and knows none."""
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None
