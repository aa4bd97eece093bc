"""How lists of quality are narrowed, and what their operations refuse."""

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from apps.core.errors import InvalidInput
from apps.core.openapi import refusals

PAGING: Final = ("limit", "cursor")
NUMBER: Final = OpenApiParameter(
    "id", int, OpenApiParameter.PATH, description=gettext_lazy("列表中给出的 id")
)
DATASET: Final = OpenApiParameter("dataset", str, description=gettext_lazy("目录代码，以 - 代 /"))
DEPARTMENT: Final = OpenApiParameter("department", str, description=gettext_lazy("提供部门的编码"))
BAD_LIST: Final = refusals(
    {400: ("unknown_filter", "unknown_status", "invalid_limit", "cursor_invalid")}
)
NO_ROW: Final = refusals({404: ("not_found",)})


def narrowed(
    request: Request, rows: QuerySet[Any], filters: dict[str, str], choices: dict[str, list[str]]
) -> QuerySet[Any]:
    """Narrow a list by the filters of the address; a misspelt one is not passed over.

    filters: name → lookup. choices: the values that a filter may have.

    Raises:
        InvalidInput: a filter or a value that there is not.
    """
    for name, given in request.query_params.dict().items():
        if name in PAGING:
            continue
        if name not in filters:
            words = {"name": name[:80], "known": "、".join(filters)}
            raise InvalidInput(
                _("没有筛选条件“%(name)s”；可用的有 %(known)s") % words,
                code="unknown_filter",
                field=name[:80],
            )
        rows = rows.filter(**{filters[name]: _value(name, given, choices)})
    return rows


def _value(name: str, given: str, choices: dict[str, list[str]]) -> Any:
    if name in choices and given not in choices[name]:
        raise InvalidInput(
            _("没有状态“%(name)s”") % {"name": given[:80]}, code="unknown_status", field=name
        )
    if name in ("rule", "work_order"):
        if not (given.isascii() and given.isdigit() and len(given) < 19):
            words = {"name": name}
            raise InvalidInput(_("%(name)s 应为整数") % words, code="unknown_filter", field=name)
        return int(given)
    if name == "is_active":
        return given == "true"
    return given.replace("-", "/") if name == "dataset" else given
