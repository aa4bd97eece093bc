"""能不能读: choose a system, an entry, an item, a record; the rules that answer, one by one.

The address says what is asked, to be kept and passed on; but a record's key, often an identity
number, is posted and stands in no address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.catalog.models import DataItem, Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.models import SharingRequest
from apps.sharing.queries import explained
from apps.sharing.queries.explained import Explanation

FOUND: Final = 20
MOST_CHOSEN: Final = 30
KEY: Final = "key."
OWN: Final = ("system", "dataset", "of", "item", "row_id")


@dataclass
class Asked:
    """What the address names: the rows found, or the candidates and what was wrong with it."""

    system: InformationSystem | None = None
    dataset: Dataset | None = None
    systems: list[InformationSystem] = field(default_factory=list)
    datasets: list[Dataset] = field(default_factory=list)
    errors: list[str | Promise] = field(default_factory=list)
    status: int = 200


@dataclass(frozen=True)
class Detail:
    """What is asked beyond system and entry; a record by its number or by the key."""

    item: str = ""
    row_id: str = ""
    key: Mapping[str, str] = field(default_factory=dict)

    @property
    def names_record(self) -> bool:
        return bool(self.row_id or self.key)


@login_required
def explanations(request: HttpRequest) -> HttpResponse:
    """Answer whether a system can read; what the address does not name yet is asked for."""
    user: Any = request.user
    at = timezone.now()
    if user.is_confined or user.department_id is None:
        raise PermissionDenied
    is_posted = request.method == "POST"
    query = request.POST if is_posted else request.GET
    if is_posted and not _names_key(query):
        return redirect(_address(request))
    systems = explained.systems_to_ask_about(user, at)
    asked = _asked(user, systems, query, at)
    detail = _detail(query, asked.dataset, has_key=is_posted)
    answer, may_ask = None, False
    if asked.system is not None and asked.dataset is not None and not asked.errors:
        may_ask = explained.may_ask_of_records(user, asked.system, asked.dataset, at)
        answer = _answered(asked, user, at, detail)
    context = {
        "asked": asked,
        "answer": answer,
        "steps": next_steps(user, answer) if answer else [],
        "choices": list(systems[: MOST_CHOSEN + 1]),
        "most": MOST_CHOSEN,
        "system": query.get("system", "").strip(),
        "dataset": query.get("dataset", "").strip(),
        "detail": detail,
        "items": DataItem.objects.filter(dataset=asked.dataset) if asked.dataset else [],
        "may_ask_of_records": may_ask,
        "key": _key_fields(asked.dataset, detail) if may_ask else [],
        "is_asked": bool(query.get("system") or query.get("dataset")),
        "at": at,
    }
    return render(request, "sharing/explanations.html", context, status=asked.status)


def next_steps(user: Any, answer: Explanation) -> list[tuple[str | Promise, str]]:
    """Return what can be done about an answer, in words with an address or none."""
    system, dataset = answer.system, answer.dataset
    if answer.grant is not None:
        return [(_("查看授权"), reverse("sharing:grant", args=[answer.grant.pk]))]
    if not system.is_in_service():
        return [(_("系统恢复使用之后，才能申请和读取。"), "")]
    visible = queries.visible_requests(user).filter(system=system, dataset=dataset)
    if (found := visible.order_by("-pk").first()) is not None:
        return [(_("查看申请"), reverse("sharing:request", args=[found.pk]))]
    if dataset.department_id == system.department_id:
        return [(_("目录由系统所在部门提供，不必申请共享。"), "")]
    if not catalog.to_be_had_by(system.department_id).filter(pk=dataset.pk).exists():
        return [(_("目录不在共享之列（不予共享、未发布或者已撤回），不能申请。"), "")]
    if system.department_id == user.department_id and access.able(user, "create", SharingRequest):
        address = f"{reverse('sharing:request-new')}?dataset={dataset.pk}&system={system.pk}"
        return [(_("发起申请"), address)]
    return [(_("由使用部门为该系统提出共享申请，提供部门同意后即可读取。"), "")]


def _answered(asked: Asked, user: Any, at: datetime, detail: Detail) -> Explanation | None:
    """Ask; a record is asked about by its own operation, which writes that down."""
    system, dataset = asked.system, asked.dataset
    assert system is not None  # the caller has both
    assert dataset is not None
    try:
        if not detail.names_record:
            return explained.explained_to(user, system, dataset, at, detail.item)
        return sharing.explain_record(
            system=system,
            dataset=dataset,
            actor=user,
            at=at,
            item=detail.item,
            row_id=detail.row_id,
            key=detail.key,
        )
    except DomainError as error:
        asked.errors.append(str(error))
        asked.status = error.status
        return None


def _asked(
    user: Any, systems: QuerySet[InformationSystem], query: Mapping[str, Any], at: datetime
) -> Asked:
    asked = Asked()
    if words := query.get("system", "").strip():
        asked.systems = _matching(systems, words, Q(code=words))
        asked.system = _single(asked.systems, words)
        if not asked.systems:
            asked.errors.append(_("没有找到这个信息系统，或者无权查问"))
            asked.status = 404
    if words := query.get("dataset", "").strip():
        entries = explained.entries_to_ask_about(user, at)
        asked.datasets = _matching(entries, words, Q(code=words.replace("-", "/")))
        asked.dataset = _single(asked.datasets, words)
        if not asked.datasets:
            asked.errors.append(_("没有找到这个数据目录，或者无权查问"))
            asked.status = 404
    return asked


def _matching(rows: QuerySet[Any], words: str, exactly: Q) -> list[Any]:
    """Return the row of that code; else those whose name holds the words, not too many."""
    found = list(rows.filter(exactly)[:1])
    return found or list(rows.filter(name__icontains=words).order_by("code")[:FOUND])


def _single(found: list[Any], words: str) -> Any:
    named: list[Model] = found if len(found) == 1 else [row for row in found if row.name == words]
    return named[0] if len(named) == 1 else None


def _names_key(query: Mapping[str, Any]) -> bool:
    return any(name.startswith(KEY) and query[name].strip() for name in query)


def _address(request: HttpRequest) -> str:
    """Return the address of what was asked without a key."""
    told = {name: text for name in OWN if (text := request.POST.get(name, "").strip())}
    return f"{request.path}?{urlencode(told)}"


def _detail(query: Mapping[str, Any], dataset: Dataset | None, *, has_key: bool) -> Detail:
    """Read the rest of the question; chosen for another entry (`of`), it is dropped with that."""
    if dataset is None or query.get("of", dataset.code) != dataset.code:
        return Detail()
    key = {
        name.removeprefix(KEY): query[name].strip()
        for name in query
        if has_key and name.startswith(KEY) and query[name].strip()
    }
    return Detail(query.get("item", "").strip(), query.get("row_id", "").strip(), key)


def _key_fields(dataset: Dataset | None, detail: Detail) -> list[tuple[str, str, str]]:
    """Return (name of the field, label, value given) for each column of the key."""
    if dataset is None:
        return []
    return [
        (f"{KEY}{name}", label, detail.key.get(name, ""))
        for name, label in explained.key_columns(dataset)
    ]
