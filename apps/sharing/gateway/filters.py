"""What a caller may ask for: fields, filters, limit, cursor, shape, format. All else is refused.

`<item>=`, `<item>__gte=`, `__lte`, `__gt`, `__lt`, `__in` (values by comma), `__prefix`,
`__isnull` (true or false); several are joined by AND.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.sharing.gateway.refusals import NotAcceptable
from apps.sharing.gateway.shapes import KEY, Readable, Shape

DEFAULT_LIMIT: Final = 100
MAXIMUM_LIMIT: Final = 10_000
MAXIMUM_FILTERS: Final = 20
OPERATORS: Final = {
    "": "eq",
    "gte": "gte",
    "lte": "lte",
    "gt": "gt",
    "lt": "lt",
    "in": "in",
    "prefix": "prefix",
    "isnull": "is_null",
}
SHAPES: Final = ("objects", "arrays")
FORMATS: Final = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
OWN_WORDS: Final = frozenset({"fields", "limit", "cursor", "shape", "format"})


@dataclass(frozen=True, slots=True)
class Query:
    """A checked question. `fields` are the chosen columns in the order of the grant.

    known: the columns that conditions may speak of, chosen or not.
    """

    fields: tuple[Readable, ...]
    known: tuple[Column, ...]
    conditions: tuple[Condition, ...]
    limit: int
    cursor: str
    shape: str
    format: str

    def to_json(self) -> dict[str, Any]:
        """Return what the access record keeps of the question."""
        return {
            "fields": [readable.name for readable in self.fields],
            "where": [condition.to_json() for condition in self.conditions],
            "limit": self.limit,
            "format": self.format,
        }


def read_query(
    parameters: Mapping[str, list[str]],
    shape: Shape,
    *,
    accept: str = "",
    allowed: frozenset[str] = OWN_WORDS,
) -> Query:
    """Check the parameters of an address against what the grant shows.

    Raises:
        InvalidInput: names the parameter that is unknown, doubled or of the wrong shape.
    """
    own = {name: single(name, parameters[name]) for name in parameters if name in allowed}
    filters = [(name, single(name, parameters[name])) for name in parameters if name not in own]
    if len(filters) > MAXIMUM_FILTERS:
        raise InvalidInput(
            _("筛选条件最多 %(limit)s 个") % {"limit": MAXIMUM_FILTERS}, code="too_many_filters"
        )
    return Query(
        fields=_fields(own.get("fields"), shape),
        known=tuple(readable.column for readable in shape.columns),
        conditions=tuple(_condition(name, value, shape) for name, value in filters),
        limit=_limit(own.get("limit")),
        cursor=own.get("cursor", ""),
        shape=one_of("shape", own.get("shape", SHAPES[0]), SHAPES),
        format=_format(own.get("format"), accept),
    )


def only(parameters: Mapping[str, list[str]], known: frozenset[str]) -> dict[str, str]:
    """Return the parameters, all of them known and each given once.

    Raises:
        InvalidInput: names the first that is unknown or doubled.
    """
    for name in parameters:
        if name not in known:
            raise InvalidInput(
                _("没有参数“%(name)s”；可用：%(known)s")
                % {"name": name[:80], "known": "、".join(sorted(known)) or "—"},
                code="unknown_parameter",
                field=name[:80],
            )
    return {name: single(name, values) for name, values in parameters.items()}


def single(name: str, values: list[str]) -> str:
    if len(values) != 1:
        raise InvalidInput(
            _("参数“%(name)s”出现了多次") % {"name": name[:80]},
            code="doubled_parameter",
            field=name[:80],
        )
    return values[0]


def _fields(text: str | None, shape: Shape) -> tuple[Readable, ...]:
    if text is None:
        return shape.columns
    wanted = [name.strip() for name in text.split(",")]
    for name in wanted:
        if name != KEY and shape.find(name) is None:
            raise _unknown("unknown_field", name, shape)
    return tuple(readable for readable in shape.columns if readable.name in wanted)


def _condition(parameter: str, value: str, shape: Shape) -> Condition:
    readable = shape.find(parameter)
    name, operator = parameter, ""
    if readable is None and "__" in parameter:
        name, _separator, operator = parameter.rpartition("__")
        readable = shape.find(name)
    if readable is None:
        raise _unknown("unknown_filter", parameter, shape)
    if operator not in OPERATORS or (name != parameter and not operator):
        raise InvalidInput(
            _("数据项“%(name)s”没有筛选方式“%(operator)s”；可用：%(known)s")
            % {
                "name": name,
                "operator": operator[:80],
                "known": "、".join(f"__{known}" for known in OPERATORS if known),
            },
            code="unknown_operator",
            field=parameter[:80],
        )
    if not readable.is_filterable:
        raise _not_filterable(readable)
    return conditions.parse_one(readable.column, OPERATORS[operator], value)


def _not_filterable(readable: Readable) -> InvalidInput:
    if readable.is_masked:
        message = _("数据项“%(name)s”已脱敏，不能用于筛选")
    else:
        message = _("数据项“%(name)s”的类型不支持筛选")
    return InvalidInput(
        message % {"name": readable.name}, code="filter_not_supported", field=readable.name
    )


def _unknown(code: str, name: str, shape: Shape) -> InvalidInput:
    return InvalidInput(
        _("授权中没有数据项“%(name)s”；可用：%(known)s")
        % {"name": name[:80], "known": "、".join(shape.names)},
        code=code,
        field=name[:80],
    )


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    is_number = text.isascii() and text.isdigit() and len(text) <= 12
    if not is_number or not 0 < int(text) <= MAXIMUM_LIMIT:
        raise InvalidInput(
            _("limit 须为 1 至 %(maximum)s 的整数；更多数据请翻页，或用整表导出 export.csv")
            % {"maximum": MAXIMUM_LIMIT},
            code="invalid_limit",
            field="limit",
        )
    return int(text)


def one_of(name: str, value: str, known: Iterable[str]) -> str:
    if value not in known:
        raise InvalidInput(
            _("参数 %(name)s 只能是 %(known)s") % {"name": name, "known": "、".join(known)},
            code=f"unknown_{name}",
            field=name,
        )
    return value


def _format(text: str | None, accept: str) -> str:
    """Return the format that is asked for by name, else the first of those that are accepted.

    Raises:
        NotAcceptable: none of ours is accepted.
    """
    if text is not None:
        return one_of("format", text, FORMATS)
    for media in (accept.strip() or "*/*").lower().split(","):
        kind = media.partition(";")[0].strip()
        if kind == "text/csv":
            return "csv"
        if kind in {"application/x-ndjson", "application/ndjson"}:
            return "ndjson"
        if kind in {"application/json", "*/*", "application/*"}:
            return "json"
    raise NotAcceptable
