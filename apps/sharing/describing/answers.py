"""The bodies that are sent and answered, with the subject's own items in them, and examples."""

from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.sharing.describing.schemas import Schema, example_of, of_item, of_value, written_example
from apps.sharing.describing.subjects import Item, Subject, written_moment
from apps.sharing.gateway.marks import DISPUTED
from apps.sharing.gateway.shapes import KEY
from apps.sharing.gateway.verifying import MAXIMUM_CHARACTERS, MAXIMUM_RECORDS
from apps.sharing.models import Export

_TEXT: Final[Schema] = {"type": "string"}
_WHOLE: Final[Schema] = {"type": "integer", "minimum": 0}
_NOBODY: Final = {"id": 1, "version": 1, "expires_at": "2027-01-01T00:00:00+08:00"}
RECORD: Final = {"$ref": "#/components/schemas/Record"}
GRANT: Final[Schema] = {
    "type": "object",
    "required": ["id", "version", "expires_at"],
    "properties": {
        "id": {"type": "integer"},
        "version": {"type": "integer"},
        "expires_at": {"type": "string", "format": "date-time"},
    },
}
EXPORT: Final[Schema] = {
    "type": "object",
    "required": ["id", "status", "format", "file", "manifest"],
    "properties": {
        "id": {"type": "integer"},
        "status": {"type": "string", "enum": list(Export.Status.values)},
        "format": {"type": "string", "enum": list(Export.Format.values)},
        "progress_ratio": {"type": "number", "minimum": 0, "maximum": 1},
        "rows": _WHOLE,
        "file": {"type": ["string", "null"]},
        "manifest": {"type": ["object", "null"]},
    },
}
EXPORTS: Final[Schema] = {
    "type": "object",
    "required": ["results"],
    "properties": {"results": {"type": "array", "items": EXPORT}},
}
PROBLEM: Final[Schema] = {
    "title": gettext_lazy("错误（RFC 9457）"),
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "description": gettext_lazy("稳定的错误代码，程序按它判断")},
        "detail": {"type": "string", "description": gettext_lazy("错误说明，可直接显示")},
        "field": _TEXT,
        "item": _TEXT,
    },
}


def record(subject: Subject) -> Schema:
    """Return the schema of a record as it is read: every item that the grant shows."""
    if subject.interface is not None:
        values = {item.name: of_item(item) for item in subject.items}
        return {"title": subject.dataset.name, "type": "object", "properties": values}
    return {
        "title": subject.dataset.name,
        "type": "object",
        "required": [KEY],
        "properties": {
            KEY: {
                "title": _("记录编号"),
                "type": "integer",
                "format": "int64",
                "description": _("一经给出不再改变；变更和删除按它指明记录"),
            },
            **{item.name: of_item(item) for item in subject.items},
            DISPUTED: {
                "title": _("校核中的数据项"),
                "type": "array",
                "items": _TEXT,
                "description": _("只有正在校核的记录才有"),
            },
        },
    }


def record_example(subject: Subject) -> dict[str, Any]:
    named = {} if subject.interface is not None else {KEY: 1}
    return {**named, **{item.name: example_of(item) for item in subject.items}}


def page(subject: Subject) -> Schema:
    rows = {"type": "array", "items": {"anyOf": [RECORD, {"type": "array"}]}}
    return _answered(
        {
            "count": _WHOLE,
            "next": {"type": ["string", "null"], "description": _("下一页的 cursor")},
            "data": rows,
        },
        columns={"type": "array", "items": _TEXT},
    )


def page_example(subject: Subject) -> dict[str, Any]:
    return {
        **_head_example(subject), "count": 1, "next": None, "data": [record_example(subject)],
    }  # fmt: skip


def forwarded(subject: Subject) -> Schema:
    """Return what a provider's service is answered with: often a page with nothing after it."""
    whole = page(subject)
    is_paged = subject.interface is not None and subject.interface.is_paged
    following = whole["properties"]["next"] if is_paged else {"type": "null"}
    own: dict[str, Schema] = {"forwarded": {"const": True}, "is_complete": {"type": "boolean"}}
    return {
        **whole,
        "required": [*whole["required"], *own],
        "properties": {**whole["properties"], **own, "next": following},
    }


def forwarded_example(subject: Subject) -> dict[str, Any]:
    return {**page_example(subject), "forwarded": True, "is_complete": True}


def changes(subject: Subject) -> Schema:
    operation = {"type": "string", "enum": ["upsert", "delete", "mark"]}
    change = {"type": "object", "properties": {"_op": operation}, "required": ["_op", KEY]}
    return _answered(
        {
            "horizon": _WHOLE,
            "is_complete": {"type": "boolean"},
            "count": _WHOLE,
            "next": _TEXT,
            "data": {"type": "array", "items": {"allOf": [change, RECORD]}},
        }
    )


def changes_example(subject: Subject) -> dict[str, Any]:
    return {
        **_head_example(subject),
        "horizon": 42,
        "is_complete": True,
        "count": 2,
        "next": "AAAA…",
        "data": [{"_op": "upsert", **record_example(subject)}, {"_op": "delete", KEY: 2}],
    }


def verification(subject: Subject) -> Schema:
    """Return the body of a verification: the key in full, and what is to be compared."""
    values: Schema = {item.name: _sent(item) for item in subject.items}
    row = {
        "type": "object",
        "properties": values,
        "required": list(subject.key),
        "minProperties": len(subject.key) + 1,
        "additionalProperties": False,
    }
    records = {"type": "array", "minItems": 1, "maxItems": MAXIMUM_RECORDS, "items": row}
    return {
        "type": "object",
        "required": ["records"],
        "properties": {"records": records},
        "additionalProperties": False,
    }


def verification_example(subject: Subject) -> dict[str, Any]:
    plain = [item for item in subject.items if not item.mask]
    compared = [item for item in plain if item.name not in subject.key][:2]
    named = [item for item in plain if item.name in subject.key]
    return {"records": [{item.name: written_example(item) for item in [*named, *compared]}]}


def verified(subject: Subject) -> Schema:
    compared = {
        item.name: {"title": item.label, "type": ["boolean", "null"]}
        for item in subject.items
        if item.name not in subject.key
    }
    row = {
        "type": "object",
        "required": ["found", "items"],
        "properties": {
            "found": {"type": "boolean"},
            "items": {"type": "object", "properties": compared},
        },
    }
    return _answered({"count": _WHOLE, "found": _WHOLE, "data": {"type": "array", "items": row}})


def verified_example(subject: Subject) -> dict[str, Any]:
    (given,) = verification_example(subject)["records"]
    items = {name: True for name in given if name not in subject.key}
    answer = [{"found": True, "items": items}]
    return {**_head_example(subject), "count": 1, "found": 1, "data": answer}


def _answered(parts: dict[str, Schema], **more: Schema) -> Schema:
    head: dict[str, Schema] = {"dataset": _TEXT, "grant": GRANT}
    return {
        "type": "object",
        "required": [*head, *parts],
        "properties": {**head, **parts, **more},
    }


def _head_example(subject: Subject) -> dict[str, Any]:
    return {"dataset": subject.dataset.code, "grant": _grant_example(subject)}


def _grant_example(subject: Subject) -> dict[str, Any]:
    grant = subject.grant
    if grant is None:
        return dict(_NOBODY)
    expires_at: datetime = grant.expires_at
    return {"id": grant.pk, "version": grant.version, "expires_at": written_moment(expires_at)}


def _sent(item: Item) -> Schema:
    """A value to be compared is normalised as at landing, so that it may be written otherwise."""
    kinds = ["string", "number", "boolean", "null"]
    schema: Schema = {"title": item.label, "type": kinds, "maxLength": MAXIMUM_CHARACTERS}
    if item.mask:
        schema["description"] = _("已脱敏，不比对")
    elif item.codes:
        schema["description"] = "、".join(list(of_value(item).get("enum", []))[:20])
    return schema
