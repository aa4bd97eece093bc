"""How the API describes itself: errors in one shape, a description for every part of it.

The text is for a consumer's engineers, so it is in their language; `docs/openapi.yaml` is what
comes of it.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

PROBLEM_TYPE = "application/problem+json"

_WORDS: dict[int, str | Promise] = {
    400: _("请求的内容有误"),
    401: _("没有访问令牌，或者令牌无效、已过期"),
    403: _("没有权限"),
    404: _("没有找到，或者无权查看"),
    406: _("没有 Accept 所要的格式"),
    409: _("与现状冲突"),
    410: _("已不提供"),
    411: _("没有说明长度"),
    413: _("文件过大"),
    415: _("正文的类型不接受"),
    416: _("Range 超出文件的大小"),
    429: _("超过限额，按 Retry-After 的秒数后再试"),
    502: _("提供部门的接口没有给出能用的回答"),
    503: _("暂时不能服务，按 Retry-After 的秒数重试"),
    504: _("提供部门的接口没有按时回答"),
    507: _("平台存储空间不足"),
}
_ALWAYS: dict[int, Sequence[str]] = {401: ("not_authenticated",)}


class ProblemSerializer(serializers.Serializer[Any]):
    """An error, as application/problem+json (RFC 9457): a stable `code`, words in `detail`."""

    about: ClassVar[str | Promise] = _(
        "错误（RFC 9457）。程序按 code 判断，detail 是给人看的话，会随语言和版本改动。"
        "视错误不同，还会附上有关的字段。"
    )

    type = serializers.CharField(help_text=_("错误的标识：urn:huiliu:problem:<code>"))
    title = serializers.CharField(help_text=_("HTTP 状态的名称，英文"))
    status = serializers.IntegerField(help_text=_("HTTP 状态码"))
    code = serializers.CharField(help_text=_("稳定的错误代码，见 docs/api.md 的错误代码表"))
    detail = serializers.CharField(help_text=_("错误说明，中文，可直接显示给办理人"))
    field = serializers.CharField(required=False, help_text=_("出错的参数或者字段"))
    item = serializers.CharField(required=False, help_text=_("出错的数据项列名"))
    errors = serializers.JSONField(  # type: ignore[assignment]  # a part of the body, not its faults
        required=False,
        help_text=_("请求体格式不符时，各字段的问题：{字段: [说明]}"),
    )


def shown(name: str, summary: str, value: Any, *, media_type: str | None = None) -> OpenApiExample:
    """Return an example of an answer: one row, of which lists make a page."""
    return OpenApiExample(
        name,
        summary=summary,
        value=value,
        media_type=media_type,
        status_codes=["200", "201", "202"],
        response_only=True,
    )


def sent(name: str, summary: str, value: Any) -> OpenApiExample:
    """Return an example of a request; of several moves at one address, by the move's name."""
    return OpenApiExample(name, summary=summary, value=value, request_only=True)


def refusals(codes: Mapping[int, Sequence[str]] | None = None) -> dict[int, OpenApiResponse]:
    """Return how an operation may answer no, by status, with the codes that each can carry.

    401 is added, as it can be the answer of every operation.
    """
    stated = {**_ALWAYS, **(codes or {})}
    return {
        status: OpenApiResponse(
            ProblemSerializer,
            description=_described(status, stated[status]),
            examples=[_example(status, stated[status][0])],
        )
        for status in sorted(stated)
    }


def _described(status: int, codes: Sequence[str]) -> str:
    return f"{_WORDS[status]}。code：{'、'.join(f'`{code}`' for code in codes)}"


def _example(status: int, code: str) -> OpenApiExample:
    return OpenApiExample(
        code,
        value={
            "type": f"urn:huiliu:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": f"{_WORDS[status]}",
        },
        media_type=PROBLEM_TYPE,
        status_codes=[str(status)],
        response_only=True,
    )


class DescribedSchema(AutoSchema):
    """Describes a field by its model's name for it where nothing longer is said.

    Errors are `application/problem+json`; a serializer says what it is in `about`.
    """

    def get_auth(self) -> list[dict[str, Any]]:
        """Every operation takes a system's token as well as a person's session."""
        known: list[dict[str, Any]] = super().get_auth()
        return [{"oauth2": []}, *known]

    def _get_serializer_field_meta(self, field: Any, direction: str) -> dict[str, Any]:
        meta: dict[str, Any] = super()._get_serializer_field_meta(field, direction)  # type: ignore[no-untyped-call]
        if field.field_name == "id":
            meta.setdefault("description", str(_("编号，用在地址中")))
        if "title" in meta:
            meta.setdefault("description", meta["title"])
        return meta

    def _map_serializer_field(
        self,
        field: Any,
        direction: str,
        bypass_extensions: bool = False,  # noqa: FBT001, FBT002 (the base's signature)
    ) -> dict[str, Any]:
        # DRF forgets of a field that is only read that its column may be empty.
        if isinstance(field, serializers.ChoiceField) and field.read_only and _may_be_empty(field):
            field.allow_blank = True
        mapped: dict[str, Any] = super()._map_serializer_field(  # type: ignore[no-untyped-call]
            field, direction, bypass_extensions
        )
        return mapped

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        about = getattr(serializer, "about", None)
        return {**schema, "description": str(about)} if about else schema

    def _get_response_for_code(
        self,
        serializer: Any,
        status_code: str,
        media_types: Sequence[str] | None = None,
        direction: str = "response",
    ) -> dict[str, Any]:
        if status_code >= "400":
            media_types = [PROBLEM_TYPE]
        answer: dict[str, Any] = super()._get_response_for_code(  # type: ignore[no-untyped-call]
            serializer, status_code, media_types, direction
        )
        answer["description"] = answer["description"] or str(_("成功"))
        return answer

    def _resolve_path_parameters(self, variables: Any) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if parameter["name"] in {"id", "pk"}:
                parameter["schema"] = {"type": "integer"}  # which an address's pattern does not say
                parameter["description"] = str(_("列表中给出的 id"))
        return parameters


def _may_be_empty(field: serializers.ChoiceField) -> bool:
    """Say whether the model's field behind a choice may hold no choice at all."""
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    columns = {each.name: each for each in model._meta.concrete_fields} if model else {}
    column = columns.get(str(field.source))
    return column is not None and bool(column.blank)
