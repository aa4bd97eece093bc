"""`GET …/openapi`: the OpenAPI 3.1 document of one grant, or of what a dataset offers."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.openapi import refusals, shown
from apps.sharing.describing import subjects
from apps.sharing.describing.document import openapi
from apps.sharing.models import Grant

_GRANT = OpenApiParameter(
    "pk", OpenApiTypes.INT64, OpenApiParameter.PATH, description=_("授权的 id")
)
_CODE = OpenApiParameter(
    "code",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description=_("数据目录代码，“/”写作“-”，如 307001002-000001"),
)
_EXAMPLE = shown(
    "openapi",
    "授权 G-000014 的文档（节选）",
    {
        "openapi": "3.1.0",
        "info": {"title": "婚姻登记信息 · 授权 G-000014", "version": "1", "description": "…"},
        "servers": [{"url": "https://portal.example"}],
        "paths": {"/api/v1/data/307027-000001": {"get": {"operationId": "page"}}},
    },
)
_DOCUMENT: Any = {200: OpenApiTypes.OBJECT, **refusals({404: ("not_found",)})}


class GrantDocumentView(APIView):
    """What one grant can be called for."""

    @extend_schema(
        operation_id="grants_openapi",
        tags=["grants"],
        summary=_("授权的接口文档（OpenAPI 3.1）"),
        description=_(
            "只含这项授权可以调用的接口和可以读取的数据项，附 curl、Python、Java 的例子。"
        ),
        parameters=[_GRANT],
        examples=[_EXAMPLE],
        responses=_DOCUMENT,
    )
    def get(self, request: Request, pk: int) -> Response:
        rows = access.rows(request.user, "view", Grant)
        grant: Grant = get_object_or_404(
            rows.select_related("dataset", "system", "consumer"), pk=pk
        )
        return _answer(subjects.of_grant(grant), request)


class DatasetDocumentView(APIView):
    """What can be asked for of a dataset."""

    @extend_schema(
        operation_id="datasets_openapi",
        tags=["datasets"],
        summary=_("目录的接口文档（OpenAPI 3.1）"),
        description=_("可以申请的数据项和接口，脱敏方式为默认。读取须有授权，以授权的文档为准。"),
        parameters=[_CODE],
        examples=[_EXAMPLE],
        responses=_DOCUMENT,
    )
    def get(self, request: Request, code: str) -> Response:
        rows = access.rows(request.user, "view", Dataset)
        dataset: Dataset = get_object_or_404(rows, code=code.replace("-", "/"))
        return _answer(subjects.of_dataset(dataset), request)


def _answer(subject: subjects.Subject, request: Request) -> Response:
    origin = request.build_absolute_uri("/").rstrip("/")
    return Response(openapi(subject, origin=origin))
