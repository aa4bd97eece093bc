"""The OpenAPI 3.1 document of one grant or dataset, for tools that make clients and tests of it.

Source: OpenAPI Specification 3.1.0
"""

from http import HTTPStatus
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.sharing.describing import answers, samples
from apps.sharing.describing.operations import Operation, Parameter, operations_of
from apps.sharing.describing.schemas import Schema
from apps.sharing.describing.subjects import Subject, limits_in_force, written_moment
from apps.sharing.gateway.codes import WHAT_TO_DO

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}


def openapi(subject: Subject, *, origin: str) -> dict[str, Any]:
    """Return the document. origin: where the portal is reached, as `https://portal.example`."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations_of(subject):
        written = _operation(operation)
        if code := samples.of_operation(operation, origin):
            written["x-codeSamples"] = [
                {"lang": sample.language, "label": sample.label, "source": sample.text}
                for sample in code
            ]
        paths.setdefault(operation.path, {})[operation.method.lower()] = written
    return {
        "openapi": "3.1.0",
        "info": {
            "title": subject.title,
            "version": subject.version,
            "description": _about(subject),
        },
        "servers": [{"url": origin}],
        "security": [{"oauth2": ["data"]}],
        "paths": paths,
        "components": {
            "schemas": {"Record": answers.record(subject), "Problem": _plain(answers.PROBLEM)},
            "securitySchemes": {"oauth2": _credentials(origin)},
        },
        **_terms(subject),
    }


def _operation(operation: Operation) -> dict[str, Any]:
    written: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.title,
        "description": operation.about,
        "responses": {str(operation.status): _answer(operation), **_problems(operation)},
    }
    if operation.parameters:
        written["parameters"] = [_parameter(each) for each in operation.parameters]
    if operation.body is not None:
        content: dict[str, Any] = {"schema": operation.body, "example": operation.body_example}
        written["requestBody"] = {"required": True, "content": {"application/json": content}}
    return written


def _parameter(parameter: Parameter) -> dict[str, Any]:
    written: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.about,
        "required": parameter.is_required,
        "schema": parameter.schema,
    }
    if parameter.schema.get("type") == "array":
        written |= {"style": "form", "explode": False}
    return written


def _answer(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {"schema": schema} for kind, schema in operation.answers}
    if operation.answer_example is not None:
        content["application/json"]["example"] = operation.answer_example
    written: dict[str, Any] = {"description": _("成功")}
    return {**written, "content": content} if content else written


def _problems(operation: Operation) -> dict[str, Any]:
    stated = {401: ("not_authenticated",), **operation.codes}
    return {
        str(status): {
            "description": _described(status, stated[status]),
            "content": {"application/problem+json": {"schema": _PROBLEM}},
        }
        for status in sorted(stated)
    }


def _described(status: int, codes: Any) -> str:
    lines = [f"`{code}`：{WHAT_TO_DO[code]}" for code in codes]
    return "\n".join([HTTPStatus(status).phrase, *lines])


def _about(subject: Subject) -> str:
    if subject.grant is None:
        return _("可以申请的数据项和接口；脱敏方式为默认，以授权为准。数据须凭授权读取。")
    return _("%(consumer)s的%(system)s按授权 %(grant)s（版本 %(version)s）可以调用的接口。") % {
        "consumer": subject.grant.consumer,
        "system": subject.grant.system,
        "grant": subject.grant,
        "version": subject.grant.version,
    }


def _terms(subject: Subject) -> dict[str, Any]:
    """What binds the calls beside their form, for tools that know it and people who look."""
    grant = subject.grant
    if grant is None:
        return {}
    return {
        "x-huiliu": {
            "grant": grant.pk,
            "version": grant.version,
            "dataset": subject.dataset.code,
            "mode": grant.mode,
            "starts_at": written_moment(grant.starts_at),
            "expires_at": written_moment(grant.expires_at),
            "row_condition": grant.row_condition,
            "limits": limits_in_force(grant),
        }
    }


def _credentials(origin: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{origin}/oauth/token", "scopes": {"data": _("按授权读取数据")}}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}}


def _plain(schema: Schema) -> Schema:
    """Return the schema with its words in the language of the moment."""
    return {
        name: _plain(value) if isinstance(value, dict) else _word(value)
        for name, value in schema.items()
    }


def _word(value: Any) -> Any:
    return value if isinstance(value, str | int | float | list | bool | None) else str(value)
