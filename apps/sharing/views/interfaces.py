"""接口文档 and 在线调试: what a grant can be called for, and trying it in the browser."""

import json
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing.describing import samples, schemas, subjects
from apps.sharing.describing.operations import (
    SUFFIX_WORDS,
    Operation,
    operations_of,
    suffixes_of,
)
from apps.sharing.describing.subjects import Item, Subject
from apps.sharing.gateway import addresses, console
from apps.sharing.gateway.codes import WHAT_TO_DO
from apps.sharing.models import Grant
from apps.sharing.models.console import LONGEST
from apps.standards.types import DataType

MOST_CODES: Final = 30  # of a list that the page shows at once


@dataclass(frozen=True)
class ItemLine:
    """An item in the page's table. codes: the first of its code list, more: how many follow."""

    item: Item
    type_label: str
    example: str
    codes: list[tuple[str, str]]
    more: int
    suffixes: list[str]


@dataclass(frozen=True)
class OperationPart:
    """An operation of the page: its examples and what it may answer."""

    operation: Operation
    samples: tuple[samples.Sample, ...]
    codes: list[tuple[int, str, Any]]


@login_required
def grant_interface(request: HttpRequest, pk: int) -> HttpResponse:
    """The interface of a grant, for whoever may see the grant."""
    grant = _grant_or_404(request, pk)
    context = described(request, subjects.of_grant(grant))
    context["may_try"] = _may_try(request.user, grant)
    return render(request, "sharing/interface.html", context)


@login_required
def dataset_interface(request: HttpRequest, code: str) -> HttpResponse:
    """What can be asked for of a dataset, for whoever may read about it."""
    rows = access.rows(request.user, "view", Dataset.objects.published())
    dataset: Dataset = get_object_or_404(rows, code=code.replace("-", "/"))
    context = described(request, subjects.of_dataset(dataset))
    own = access.rows(request.user, "view", Grant).filter(dataset=dataset, status="in_force")
    context["grants"] = own.select_related("system")[:10]
    return render(request, "sharing/interface.html", context)


@never_cache
@login_required
def console_page(request: HttpRequest, pk: int) -> HttpResponse:
    """The console of a grant; it asks for its token when the person begins."""
    grant = _grant_or_404(request, pk)
    if not access.allowed(request.user, "try_out", grant):
        raise PermissionDenied
    subject = subjects.of_grant(grant)
    context = {
        "subject": grant,
        "is_live": grant.status == Grant.Status.IN_FORCE,
        "tried": [(each, _body(each)) for each in operations_of(subject) if each.can_be_tried],
        "filters": _filters(subject),
        "minutes": LONGEST.seconds // 60,
        "most": console.MOST_ROWS,
        "has_personal": DataItem.ever.filter(
            dataset=grant.dataset_id,
            personal=True,
            column_name__in=[item.name for item in subject.items],
        ).exists(),
    }
    return render(request, "sharing/console.html", context)


@login_required
@require_POST
def open_console(request: HttpRequest, pk: int) -> JsonResponse:
    """Answer with a token for minutes, or say why there is none."""
    grant = _grant_or_404(request, pk)
    user: Any = request.user
    try:
        opened = sharing.open_console(
            grant=grant,
            actor=user,
            at=timezone.now(),
            address=addresses.address_of(request.META),
        )
    except DomainError as error:
        return JsonResponse({"code": error.code, "detail": str(error)}, status=error.status)
    answer = JsonResponse({"token": opened.token, "expires_at": opened.expires_at.isoformat()})
    answer["Cache-Control"] = "no-store"
    return answer


def _body(operation: Operation) -> str:
    return json.dumps(operation.body_example, ensure_ascii=False, indent=2)


def _grant_or_404(request: HttpRequest, pk: int) -> Grant:
    rows = access.rows(request.user, "view", Grant)
    found: Grant = get_object_or_404(
        rows.select_related("dataset", "system", "consumer", "provider"), pk=pk
    )
    return found


def _may_try(user: Any, grant: Grant) -> bool:
    return grant.status == Grant.Status.IN_FORCE and access.allowed(user, "try_out", grant)


def described(request: HttpRequest, subject: Subject) -> dict[str, Any]:
    """Return what a page needs to describe the interfaces of a subject."""
    origin = f"{request.scheme}://{request.get_host()}"
    return {
        "subject": subject,
        "grant": subject.grant,
        "origin": origin,
        "credential": samples.credential_lines(),
        "items": [_line(item) for item in subject.items],
        "suffixes": [(name, words) for name, words in SUFFIX_WORDS.items() if name],
        "has_filters": any(suffixes_of(item) for item in subject.items),
        "parts": [_part(operation, origin) for operation in operations_of(subject)],
    }


def _line(item: Item) -> ItemLine:
    codes = list(item.codes.items())
    example = schemas.example_of(item)
    return ItemLine(
        item=item,
        type_label=str(DataType(item.readable.type).label),
        example="" if example is None else schemas.written_example(item),
        codes=codes[:MOST_CODES],
        more=max(0, len(codes) - MOST_CODES),
        suffixes=[f"__{suffix}" for suffix in suffixes_of(item) if suffix],
    )


def _part(operation: Operation, origin: str) -> OperationPart:
    stated = {401: ("not_authenticated",), **operation.codes}
    return OperationPart(
        operation,
        samples.of_operation(operation, origin),
        [(status, code, WHAT_TO_DO[code]) for status in sorted(stated) for code in stated[status]],
    )


def _filters(subject: Subject) -> list[dict[str, Any]]:
    """Return what the console may filter by, for its script."""
    return [
        {
            "name": item.name,
            "label": item.label,
            "suffixes": [[suffix, str(SUFFIX_WORDS[suffix])] for suffix in suffixes_of(item)],
            "codes": [[code, name] for code, name in item.codes.items()][:300],
            "example": schemas.written_example(item),
        }
        for item in subject.items
        if suffixes_of(item)
    ]
