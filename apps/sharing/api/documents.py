"""What the API's answers look like, for readers of its description; the data plane writes its own.

Pages of data are written by `gateway.formats` without a serializer per row; these shapes describe
them.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.sharing.gateway.filters import DEFAULT_LIMIT, FORMATS, MAXIMUM_LIMIT, SHAPES


class ProblemSerializer(serializers.Serializer[Any]):
    """An error, as application/problem+json (RFC 9457): a stable `code`, words in `detail`."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class PageGrantSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    version = serializers.IntegerField(help_text=_("授权内容每变更一次加一；变更后须重新读取"))
    expires_at = serializers.DateTimeField()


class DataPageSerializer(serializers.Serializer[Any]):
    """One page of records. Every record begins with `_id`, which names it for life."""

    dataset = serializers.CharField()
    grant = PageGrantSerializer()
    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True, help_text=_("下一页的 cursor；没有下一页时为空"))
    columns = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=_("仅 shape=arrays 时给出")
    )
    data = serializers.ListField(child=serializers.JSONField())  # type: ignore[assignment]


FILTERS_HELP = _(
    "筛选：以数据项的列名为参数，如 district=500103、birth__gte=1990-01-01。"
    "可用的后缀：__gte、__lte、__gt、__lt、__in（逗号分隔）、__prefix（文本开头）、"
    "__isnull（true 或 false）；多个条件同时成立。已脱敏或未授权的数据项不能筛选。"
)

_CURSOR = OpenApiParameter("cursor", OpenApiTypes.STR, description=_("上一页返回的 next"))
_FIELDS = OpenApiParameter(
    "fields", OpenApiTypes.STR, description=_("只取这些数据项，逗号分隔；_id 总会给出")
)
_FILTER = OpenApiParameter("<item>", OpenApiTypes.STR, description=FILTERS_HELP)
_CODE = OpenApiParameter(
    "code",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description=_("数据目录代码，“/”写作“-”，如 307001002-000001"),
)
PAGE_PARAMETERS = [
    _CODE,
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT},
        description=_("每页条数"),
    ),
    _CURSOR,
    _FIELDS,
    OpenApiParameter("shape", OpenApiTypes.STR, enum=SHAPES, description=_("记录写法")),
    OpenApiParameter("format", OpenApiTypes.STR, enum=list(FORMATS)),
    _FILTER,
]
EXPORT_PARAMETERS = [_CODE, _CURSOR, _FIELDS, _FILTER]

PROBLEMS: dict[int, Any] = {
    400: OpenApiResponse(
        ProblemSerializer,
        "unknown_filter · unknown_operator · filter_not_supported · invalid_value · "
        "too_many_filters · invalid_limit · unknown_field · unknown_format · unknown_shape · "
        "doubled_parameter · cursor_invalid",
    ),
    401: OpenApiResponse(ProblemSerializer, "not_authenticated"),
    403: OpenApiResponse(
        ProblemSerializer,
        "no_grant · grant_not_delivered · grant_not_started · grant_suspended · grant_ended · "
        "grant_expired · system_disabled",
    ),
    409: OpenApiResponse(ProblemSerializer, "resync_required"),
    503: OpenApiResponse(ProblemSerializer, "busy · query_timeout · grant_unavailable"),
}
