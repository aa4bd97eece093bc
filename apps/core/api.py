"""Bases of the API: scoped viewsets, keyset paging, and errors as `application/problem+json`."""

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db import DataError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, pagination, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import access
from apps.core.errors import DomainError, InvalidInput, NotFound
from apps.core.openapi import PROBLEM_TYPE

# What an error may carry for the answer's head.
_HEADERS: Final = {
    "auth_header": "WWW-Authenticate",
    "wait": "Retry-After",
    "content_range": "Content-Range",
}


def problem(error: DomainError) -> dict[str, Any]:
    """Return the body of a problem: stable `code`, words in `detail`, facts beside them.

    Source: RFC 9457
    """
    details = {key: value for key, value in error.details.items() if value is not None}
    return {
        "type": f"urn:huiliu:problem:{error.code}",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": str(error.message),
        **details,
    }


def problem_response(error: DomainError) -> JsonResponse:
    """Answer with a problem from a view outside DRF."""
    return JsonResponse(
        problem(error),
        status=error.status,
        content_type=PROBLEM_TYPE,
        json_dumps_params={"ensure_ascii": False},
    )


@csrf_exempt
def no_such_address(request: HttpRequest) -> JsonResponse:
    """Answer in the API's own shape at an address under it that there is not."""
    return problem_response(NotFound(_("没有这个接口，请核对地址")))


def problem_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Translate what a view raised; None (a real fault, status 500) for what nobody foresaw."""
    translated = _translate(error)
    if translated is None:
        return None
    response = Response(problem(translated), status=translated.status)
    response.content_type = PROBLEM_TYPE
    for name, header in _HEADERS.items():
        if value := getattr(error, name, None):
            response[header] = str(value)
    return response


class _Translated(DomainError):
    """An error of Django or DRF in our own shape."""

    status: int  # type: ignore[misc]

    def __init__(self, message: Any, code: str, status: int, **details: Any) -> None:
        super().__init__(message, code=code, **details)
        self.status = status


def _translate(error: Exception) -> DomainError | None:
    match error:
        case DomainError():
            return error
        case exceptions.ValidationError():
            return _Translated(_("填写的内容有误"), "invalid_input", 400, errors=error.detail)
        case ValidationError():
            return _Translated(_("填写的内容有误"), "invalid_input", 400, errors=error.messages)
        case Http404():
            return NotFound()
        case PermissionDenied() | exceptions.PermissionDenied():
            return _Translated(_("没有进行这项操作的权限"), "not_allowed", 403)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            return _Translated(_("调用凭证缺失、无效或已过期"), "not_authenticated", 401)
        case exceptions.APIException():
            return _of_the_framework(error)
        case _:
            return _of_the_driver(error)


def _of_the_driver(error: Exception) -> DomainError | None:
    """Name the one fault of a call that the driver finds; whatever else it raises is ours."""
    if isinstance(error, DataError) and "NUL" in str(error):
        return InvalidInput(_("内容里有空字符（NUL），请去掉"))
    return None


def _of_the_framework(error: exceptions.APIException) -> DomainError:
    words = str(error.detail)
    if isinstance(error, exceptions.ParseError):
        return _Translated(_("正文不是合格的 JSON"), "parse_error", 400, cause=words)
    return _Translated(words, error.default_code, error.status_code)


class KeysetPagination(pagination.BasePagination):
    """Pages by the primary key with a signed cursor; cost does not grow with the page's number.

    limit: rows per page, 1–200, 50 unless told. cursor: what the last page gave as `next`.
    """

    default_limit: ClassVar[int] = 50
    maximum_limit: ClassVar[int] = 200
    order_in_words: ClassVar[str | Promise] = _("本页各条，新的在前")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        limit = self.limit(request)
        after = self.after(request)
        ordered = queryset.order_by("-pk")
        if after is not None:
            ordered = ordered.filter(pk__lt=after)
        rows = list(ordered[: limit + 1])
        self._next = sign_cursor(rows[limit - 1].pk) if len(rows) > limit else None
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self._next})

    def get_paginated_response_schema(self, schema: Any) -> dict[str, Any]:
        """Describe a page; `schema` is no mapping where a page is made of an example's row."""
        is_schema = isinstance(schema, dict)
        results = {**schema, "description": str(self.order_in_words)} if is_schema else schema
        return {
            "type": "object",
            "description": str(_("一页")),
            "required": ["results", "next"],
            "properties": {
                "results": results,
                "next": {
                    "type": "string",
                    "nullable": True,
                    "description": str(_("下一页的 cursor；没有下一页时为空")),
                    "example": "MTI4OlQ4bHFkZkVn",
                },
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "schema": {"type": "integer", "minimum": 1, "maximum": self.maximum_limit},
                "description": str(
                    _("每页条数，默认 %(limit)s，至多 %(maximum)s")
                    % {"limit": self.default_limit, "maximum": self.maximum_limit}
                ),
            },
            {
                "name": "cursor",
                "in": "query",
                "schema": {"type": "string"},
                "description": str(_("上一页返回的 next")),
            },
        ]

    def limit(self, request: Request) -> int:
        """Return how many rows a page shall have.

        Raises:
            InvalidInput: not a number, or out of bounds.
        """
        text = request.query_params.get("limit", str(self.default_limit))
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(self.maximum_limit))
        if not (is_number and 1 <= int(text) <= self.maximum_limit):
            raise InvalidInput(
                _("limit 须为 1 至 %(maximum)s 的整数") % {"maximum": self.maximum_limit},
                code="invalid_limit",
            )
        return int(text)

    def after(self, request: Request) -> int | None:
        """Return where the page begins, as the cursor of the page before says."""
        cursor = request.query_params.get("cursor")
        return None if not cursor else read_cursor(cursor)


def sign_cursor(pk: int) -> str:
    signed = signing.Signer(salt="huiliu.keyset").sign(str(pk))
    return base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """Return the key that the cursor stands for.

    Raises:
        InvalidInput: it is not one of ours.
    """
    try:
        signed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return int(signing.Signer(salt="huiliu.keyset").unsign(signed))
    except (signing.BadSignature, binascii.Error, UnicodeError, ValueError):
        raise InvalidInput(_("翻页标记无效，请从第一页重新读取"), code="cursor_invalid") from None


class ScopedViewSet(viewsets.GenericViewSet[Any]):
    """A viewset whose list and rows are those on which the caller may do the action.

    `scoped_action`: the access action for reading ("view" unless told). `filters`, `statuses` and
    `keys`: what its list may be narrowed by, as `lookups` takes them.
    """

    scoped_action: ClassVar[str] = "view"
    filters: ClassVar[Mapping[str, str]] = {}
    statuses: ClassVar[Collection[str]] = ()
    keys: ClassVar[Collection[str]] = ()
    pagination_class = KeysetPagination
    # A router's address of a row; whatever else stands there is no address.
    lookup_value_regex = r"\d{1,18}"
    # `queryset` of the subclass is the unscoped base; every read goes through `get_queryset`.

    def get_queryset(self) -> QuerySet[Any]:
        base = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return base.none()
        return access.rows(self.request.user, self.scoped_action, base)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list by the filters of the address; a row is found without them."""
        if self.action != "list":
            return queryset
        given = lookups(self.request, self.filters, statuses=self.statuses, keys=self.keys)
        return queryset.filter(**given)

    def find(self, **lookup: Any) -> Any:
        """Return the row, or NotFound alike for what does not exist and what may not be seen."""
        row = self.get_queryset().filter(**lookup).first()
        if row is None:
            raise NotFound
        return row


def moves_allowed(actor: Any, row: Model, names: Sequence[str]) -> list[str]:
    """Return those of the moves that the actor may do on the row."""
    return [name for name in names if access.allowed(actor, name, row)]


def wants_json(request: HttpRequest) -> bool:
    return "json" in request.headers.get("Accept", "")


def checked(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return what was sent as the shape reads it.

    Raises:
        ValidationError: a field is missing or of the wrong kind; answered as `invalid_input`.
    """
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class SentFileInput(serializers.Serializer[Any]):
    """A small file within a JSON body; what is read of it is `{"file": a File}`.

    Units: largest_bytes of the file itself, before Base64.
    """

    about: ClassVar[str | Promise] = _("一个文件")
    largest_bytes: ClassVar[int] = 20 * 1024 * 1024

    name = serializers.CharField(max_length=150, help_text=_("文件名，带扩展名"))
    content = serializers.CharField(help_text=_("内容，Base64；不超过 20 MB"))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Decode the content; of the name what follows the last slash."""
        if len(attrs["content"]) > self.largest_bytes * 4 // 3 + 4:
            raise serializers.ValidationError(_("材料不能超过 20 MB"))
        try:
            content = base64.b64decode(attrs["content"], validate=True)
        except (binascii.Error, ValueError):
            raise serializers.ValidationError(_("content 不是 Base64")) from None
        name = attrs["name"].replace("\\", "/").rpartition("/")[2]
        return {"file": ContentFile(content, name=name)}


def lookups(
    request: Request,
    known: Mapping[str, str],
    *,
    statuses: Collection[str],
    keys: Collection[str] = (),
) -> dict[str, str]:
    """Return the filters of the address as lookups; a misspelt one is not passed over.

    known: name → lookup; `dataset` takes a code written with `-` for `/`. keys: those of the names
    that take the number of a row.

    Raises:
        InvalidInput: an unknown filter or status, or a value that none can have.
    """
    given: dict[str, str] = request.query_params.dict()
    for name, value in given.items():
        if name not in {*known, "limit", "cursor", "format"}:
            raise InvalidInput(
                _("没有筛选条件“%(name)s”") % {"name": name[:80]},
                code="unknown_filter",
                field=name[:80],
            )
        if "\x00" in value or (value and name in keys and not _is_key(value)):
            raise InvalidInput(
                _("筛选条件“%(name)s”的值写法不对") % {"name": name},
                code="invalid_filter",
                field=name,
            )
    wanted = given.get("status")
    if wanted and wanted not in statuses:
        raise InvalidInput(
            _("没有状态“%(name)s”") % {"name": wanted[:80]}, code="unknown_status", field="status"
        )
    if "dataset" in given:
        given["dataset"] = given["dataset"].replace("-", "/")
    return {known[name]: value for name, value in given.items() if name in known and value}


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
