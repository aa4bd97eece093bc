"""What the API's answers look like, for readers of its description; the data plane writes its own.

Pages of data are written by `gateway.formats` without a serializer per row; these shapes describe
them.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from apps.core.openapi import refusals, sent, shown
from apps.sharing.api import examples
from apps.sharing.gateway import codes
from apps.sharing.gateway.changes import FEED_FORMATS
from apps.sharing.gateway.filters import DEFAULT_LIMIT, FORMATS, MAXIMUM_LIMIT, SHAPES
from apps.sharing.gateway.verifying import MAXIMUM_RECORDS


class PageGrantSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("据以读取的授权")

    id = serializers.IntegerField(help_text=_("授权的 id，同授权列表"))
    version = serializers.IntegerField(help_text=_("授权内容每变更一次加一；变更后须重新读取"))
    expires_at = serializers.DateTimeField(help_text=_("到期时间，带时区"))


class DataPageSerializer(serializers.Serializer[Any]):
    """One page of records. Every record begins with `_id`, which names it for life."""

    about: ClassVar[str | Promise] = _("一页数据。每条记录以 _id 开头，_id 一经给出不再改变")

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以读取的授权"))
    forwarded = serializers.BooleanField(
        required=False, help_text=_("由提供部门的接口实时提供；平台有数据的不带")
    )
    is_complete = serializers.BooleanField(
        required=False, help_text=_("仅 forwarded 时：false 是还有记录没有给出")
    )
    count = serializers.IntegerField(help_text=_("本页条数"))
    next = serializers.CharField(allow_null=True, help_text=_("下一页的 cursor；没有下一页时为空"))
    columns = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=_("仅 shape=arrays 时给出")
    )
    data = serializers.ListField(  # type: ignore[assignment]  # the page's rows, not the input's
        child=serializers.JSONField(),
        help_text=_(
            "记录。shape=objects 时每条为对象，shape=arrays 时为数组，次序同 columns；"
            "数值型、货币型写成文本以免失真，日期为 YYYY-MM-DD，日期时间为东八区"
        ),
    )


class ChangesSerializer(serializers.Serializer[Any]):
    """One page of changes: what to put in, what to take out, which marks changed."""

    about: ClassVar[str | Promise] = _(
        "一页变更。_op 为 upsert：按 _id 写入或覆盖；delete：按 _id 删除；mark：只改校核标注"
    )

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以读取的授权"))
    horizon = serializers.IntegerField(help_text=_("这一轮读到哪个批次为止；同一轮各页相同"))
    is_complete = serializers.BooleanField(
        help_text=_("true：应用本页后，所持数据与批次 horizon 之后授权可见的数据完全相同")
    )
    count = serializers.IntegerField(help_text=_("本页变更的条数"))
    next = serializers.CharField(help_text=_("下一次的 cursor，总会给出；应用本页之后再保存"))
    data = serializers.ListField(  # type: ignore[assignment]  # the page's rows, not the input's
        child=serializers.JSONField(),
        help_text=_("变更，按批次和 _id 排列；upsert 含授权的全部数据项，写法同数据页"),
    )


class VerificationSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("要核验的记录")

    records = serializers.ListField(
        child=serializers.JSONField(),
        min_length=1,
        max_length=MAXIMUM_RECORDS,
        help_text=_("每条为 {列名: 值}：主键各列写全，另加要核验的数据项；值按入库的规则规范化"),
    )


class VerifiedRecordSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("一条记录的核验结果，次序同提交")

    found = serializers.BooleanField(help_text=_("授权的数据范围内有无主键相同的记录"))
    items = serializers.DictField(
        child=serializers.BooleanField(allow_null=True),
        help_text=_("列名 → 是否相符；没有找到、已脱敏或者记录没有值的为空"),
    )


class VerifiedSerializer(serializers.Serializer[Any]):
    about: ClassVar[str | Promise] = _("核验结果，只有是否相符，不含数据")

    dataset = serializers.CharField(help_text=_("目录代码，如 307001002/000001"))
    grant = PageGrantSerializer(help_text=_("据以核验的授权"))
    count = serializers.IntegerField(help_text=_("核验的条数"))
    found = serializers.IntegerField(help_text=_("找到的条数"))
    data = VerifiedRecordSerializer(  # type: ignore[assignment]  # the answers, not the input's
        many=True, help_text=_("逐条的结果")
    )


FILTERS_HELP = _(
    "筛选：以数据项的列名为参数，如 district=500103、birth__gte=1990-01-01。"
    "可用的后缀：__gte、__lte、__gt、__lt、__in（逗号分隔）、__prefix（文本开头）、"
    "__isnull（true 或 false）；多个条件同时成立。已脱敏或未授权的数据项不能筛选。"
)

_CURSOR = OpenApiParameter("cursor", OpenApiTypes.STR, description=_("上一页返回的 next"))
FIELDS = OpenApiParameter(
    "fields", OpenApiTypes.STR, description=_("只取这些数据项，逗号分隔；_id 总会给出")
)
FILTER = OpenApiParameter(
    "filters",
    {"type": "object", "additionalProperties": {"type": "string"}},
    description=FILTERS_HELP,
    style="form",
    explode=True,
)
CODE = OpenApiParameter(
    "code",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description=_("数据目录代码，“/”写作“-”，如 307001002-000001"),
)
LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAXIMUM_LIMIT, "default": DEFAULT_LIMIT},
    description=_("每页条数"),
)
PAGE_PARAMETERS = [
    CODE,
    LIMIT,
    _CURSOR,
    FIELDS,
    OpenApiParameter("shape", OpenApiTypes.STR, enum=SHAPES, description=_("记录写法")),
    OpenApiParameter(
        "format",
        OpenApiTypes.STR,
        enum=list(FORMATS),
        description=_("返回格式；不写则看 Accept，再不然为 json"),
    ),
    FILTER,
    OpenApiParameter(
        "If-None-Match",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description=_("所持这一页的 ETag；没有变动的返回 304，不再给出记录，也不占条数的限额"),
    ),
]
EXPORT_PARAMETERS = [CODE, _CURSOR, FIELDS, FILTER]
CHANGES_PARAMETERS = [
    CODE,
    LIMIT,
    OpenApiParameter(
        "cursor",
        OpenApiTypes.STR,
        description=_("上一次返回的 next；不写为从头读起（先得到全部现有记录），now 为从现在起"),
    ),
    OpenApiParameter(
        "format",
        OpenApiTypes.STR,
        enum=FEED_FORMATS,
        description=_("返回格式；不写则看 Accept，再不然为 json"),
    ),
]

PROBLEMS: dict[Any, Any] = refusals(codes.PAGE_OF_EITHER)
EXPORT_PROBLEMS: dict[Any, Any] = refusals(codes.WHOLE)
CHANGES_PROBLEMS: dict[Any, Any] = refusals(codes.CHANGES)
VERIFY_PARAMETERS = [CODE]
VERIFY_PROBLEMS: dict[Any, Any] = refusals(codes.VERIFY)
VERIFY_EXAMPLES = [
    sent(
        "verify",
        "核验一个人的姓名和区县",
        {
            "records": [
                {
                    "identity_number": "11010519491231002X",
                    "name": "张小三",
                    "division_code": "500112",
                }
            ]
        },
    ),
    shown(
        "verified",
        "姓名相符，区县不符",
        {
            "dataset": "307001002/000001",
            "grant": {"id": 12, "version": 1, "expires_at": "2027-11-18T00:00:00+08:00"},
            "count": 1,
            "found": 1,
            "data": [{"found": True, "items": {"name": True, "division_code": False}}],
        },
    ),
]
PAGE_EXAMPLE = OpenApiExample(
    "page",
    summary="一页，两条",
    value={
        "dataset": "307001002/000001",
        "grant": {"id": 12, "version": 1, "expires_at": "2027-11-18T00:00:00+08:00"},
        "count": 2,
        "next": "AAAAAAAAAAcAAAAAAAAADAAAAAEAAAAAAAAAAg",
        "data": [
            {"_id": 1, "name": "张*", "division_code": "500103", "registered_on": "2026-01-05"},
            {"_id": 2, "name": "李*", "division_code": "500103", "registered_on": "2026-02-06"},
        ],
    },
    media_type="application/json",
)
CHANGES_EXAMPLE = OpenApiExample(
    "changes",
    summary="一条更新，一条离开授权范围",
    value={
        "dataset": "307001002/000001",
        "grant": {"id": 12, "version": 1, "expires_at": "2027-11-18T00:00:00+08:00"},
        "horizon": 42,
        "is_complete": True,
        "count": 2,
        "next": "AAAAAAAAAAcAAAAAAAAADAAAAAEAAAAAAAAAKg",
        "data": [
            {
                "_op": "upsert",
                "_id": 2,
                "name": "李*",
                "division_code": "500103",
                "registered_on": "2026-02-06",
            },
            {"_op": "delete", "_id": 1},
        ],
    },
    media_type="application/json",
)
CHANGES_LINES_EXAMPLE = OpenApiExample(
    "changes_lines",
    summary="每行一条变更",
    value='{"_op":"upsert","_id":2,"name":"李*"}\n{"_op":"delete","_id":1}\n',
    media_type="application/x-ndjson",
)
CSV_EXAMPLE = OpenApiExample(
    "csv",
    summary="首行为列名",
    value="_id,name,division_code\r\n1,张*,500103\r\n",
    media_type="text/csv",
)


_TOKEN: dict[str, Any] = {
    "type": "object",
    "description": "访问令牌",
    "properties": {
        "access_token": {"type": "string", "description": "访问令牌，放在 Authorization 头"},
        "token_type": {"type": "string", "description": "固定为 Bearer"},
        "expires_in": {"type": "integer", "description": "有效秒数，3600"},
        "scope": {"type": "string", "description": "固定为 data"},
    },
}
_TOKEN_REQUEST: dict[str, Any] = {
    "type": "object",
    "description": "客户端凭证",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "description": "固定为 client_credentials"},
        "client_id": {"type": "string", "description": "调用凭证的编号；也可用 HTTP Basic"},
        "client_secret": {"type": "string", "description": "调用凭证的密钥，只在签发时显示"},
    },
}
_TOKEN_REFUSAL: dict[str, Any] = {
    "type": "object",
    "description": "OAuth 2.0 的错误（RFC 6749 §5.2）",
    "properties": {"error": {"type": "string", "description": "错误，如 invalid_client"}},
}


def add_token(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """Describe `/oauth/token`, which is not a view of DRF's and so is not found by itself."""
    schemas = result["components"].setdefault("schemas", {})
    schemas.update(
        {"Token": _TOKEN, "TokenRequest": _TOKEN_REQUEST, "TokenRefusal": _TOKEN_REFUSAL}
    )

    def of(name: str, media_type: str = "application/json", example: Any = None) -> dict[str, Any]:
        shape: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        if example is not None:
            shape["examples"] = {name: {"value": example}}
        return {media_type: shape}

    result["paths"]["/oauth/token"] = {
        "post": {
            "operationId": "token_draw",
            "tags": ["token"],
            "summary": "换取访问令牌",
            "description": "用信息系统的调用凭证换取一小时有效的访问令牌（RFC 6749 §4.4）。",
            "requestBody": {
                "content": of(
                    "TokenRequest", "application/x-www-form-urlencoded", examples.TOKEN_REQUEST
                )
            },
            "security": [],
            "responses": {
                "200": {"description": "成功", "content": of("Token", example=examples.TOKEN)},
                "400": {"description": "请求的内容有误", "content": of("TokenRefusal")},
                "401": {"description": "凭证不对", "content": of("TokenRefusal")},
            },
        }
    }
    return result
