"""The radar of data that several departments collect, and the sources that were named."""

from dataclasses import dataclass
from math import exp
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts.models import Department
from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.forms import CommentForm, DesignationForm, DuplicateMoveForm, EndForm
from apps.catalog.lifecycle import DUPLICATE
from apps.catalog.models import Duplicate, DuplicateStatus, SourceDesignation
from apps.core import access
from apps.core.errors import DomainError
from apps.core.paging import Page, page_of
from apps.ledger import queries as ledger

PAGE_ROWS: Final = 50
SHOWN: Final = 200
"""Pairs that the radar lists, the most alike first; status and department narrow it."""
DECISIONS: Final = ("name_source", "tell_apart", "reconsider")
HOW: Final[dict[str, str | Promise]] = {
    "data_element": gettext_lazy("同一数据元"),
    "name_and_code_list": gettext_lazy("名称、代码集相同"),
    "name_and_definition": gettext_lazy("名称、说明相同"),
    "name": gettext_lazy("名称相同"),
    "code_list": gettext_lazy("代码集相同，名称相近"),
    "definition": gettext_lazy("说明相同"),
}
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "name_source": gettext_lazy("两个部门都会收到通知；非数源部门应停止重复采集，改由共享取得。"),
    "tell_apart": gettext_lazy("两个部门都会收到通知；目录或数据项变化后会重新列出。"),
    "reconsider": gettext_lazy("已作的决定撤销，重新列为待确定；数源认定本身继续有效。"),
}


@dataclass(frozen=True)
class Alike:
    """One matching item of both entries, and by what it matches; `weight` as the radar gives it."""

    first: str
    second: str
    how: str | Promise
    weight: float

    @property
    def share(self) -> str:
        """Which share of all entries has such an item: what its weight was made of."""
        ratio = exp(-self.weight)
        return "< 1%" if ratio < 0.01 else f"{min(ratio, 1):.0%}"


@login_required
def duplicates(request: HttpRequest) -> HttpResponse:
    """The seeming duplicates that concern me, the most alike first."""
    user: Any = request.user
    visible = queries.duplicates_visible_to(user)
    status = request.GET.get("status", "open")
    department = request.GET.get("department", "")
    if status not in DuplicateStatus.values:
        status = ""
    found = visible.filter(status=status) if status else visible
    if department:
        found = found.filter(first__department__code=department) | found.filter(
            second__department__code=department
        )
    counts = dict(visible.order_by().values_list("status").annotate(Count("pk")))
    context = {
        "page": Page(list(found.order_by("-score", "-pk")[:SHOWN]), found.count(), "", ""),
        "statuses": [
            (value, label, counts.get(value, 0), value == status)
            for value, label in DuplicateStatus.choices
        ],
        "is_any": bool(counts),
        "status": status,
        "department": department,
        "departments": Department.objects.filter(
            pk__in=visible.values("first__department").union(visible.values("second__department"))
        ).order_by("code"),
        "can_scan": access.able(user, "scan", Duplicate),
    }
    return render(request, "catalog/duplicates.html", context)


@login_required
@require_POST
def scan(request: HttpRequest) -> HttpResponse:
    """Look for duplicates now: the worker does, and the list shows what it found."""
    user: Any = request.user
    try:
        catalog.request_scan(actor=user, at=timezone.now())
    except DomainError as error:
        raise PermissionDenied from error
    messages.success(request, _("已开始查找，约一分钟后刷新本页查看结果"))
    return redirect("catalog:duplicates")


@login_required
def duplicate(request: HttpRequest, number: int) -> HttpResponse:
    """One pair: its evidence item by item, what was decided, what was said."""
    user: Any = request.user
    subject = get_object_or_404(queries.duplicates_visible_to(user), pk=number)
    can_comment = access.allowed(user, "comment", subject)
    form = CommentForm(request.POST or None) if can_comment else None
    if request.method == "POST" and form is not None and form.is_valid():
        catalog.comment_duplicate(
            duplicate=subject, actor=user, at=timezone.now(), text=form.cleaned_data["text"]
        )
        messages.success(request, _("已提出意见"))
        return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "alike": [
            Alike(each["first"], each["second"], HOW[each["how"]], each["weight"])
            for each in subject.evidence["items"]
        ],
        "moves": [
            move
            for move in DUPLICATE.moves_from(subject.status)
            if move.name in DECISIONS and access.allowed(user, move.name, subject)
        ],
        "form": form,
        "trail": ledger.trail(subject),
    }
    return render(request, "catalog/duplicate.html", context)


@login_required
def decide(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Confirm a decision with its reason, and on POST make it."""
    user: Any = request.user
    subject = get_object_or_404(queries.duplicates_visible_to(user), pk=number)
    if name not in DECISIONS:
        raise Http404
    move = DUPLICATE.move(name)
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    words = "".join(sorted(subject.evidence["words"][:2], key=subject.first.name.find))
    form = DuplicateMoveForm(
        request.POST or None,
        move=move,
        duplicate=subject,
        initial={"revision": subject.revision, "subject": words},
    )
    if request.method == "POST" and form.is_valid():
        try:
            getattr(catalog, name)(
                duplicate=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
            subject.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": move.label})
            return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "move": move,
        "form": form,
        "consequence": CONSEQUENCES[name],
    }
    return render(request, "catalog/duplicate_decide.html", context)


@login_required
def designations(request: HttpRequest) -> HttpResponse:
    """The sources that were named, those in force first."""
    user: Any = request.user
    found = access.rows(user, "view", SourceDesignation).select_related("department")
    department = request.GET.get("department", "")
    if department:
        found = found.filter(department__code=department)
    context = {
        "page": page_of(found, request.GET, size=PAGE_ROWS),
        "today": timezone.localdate(),
        "department": department,
        "departments": Department.objects.filter(
            pk__in=SourceDesignation.objects.values("department")
        ),
        "can_designate": access.able(user, "designate", SourceDesignation),
    }
    return render(request, "catalog/source_designations.html", context)


@login_required
def designation_new(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    if not access.able(user, "designate", SourceDesignation):
        raise PermissionDenied
    form = DesignationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = catalog.designate_source(actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            field = error.details.get("field")
            form.add_error(field if field in form.fields else None, str(error))
        else:
            messages.success(request, _("已确定数源部门"))
            return redirect(made.get_absolute_url())
    return render(request, "catalog/source_designation_new.html", {"form": form})


@login_required
def designation(request: HttpRequest, number: int) -> HttpResponse:
    """One designation: its basis, the entries decided by it, its history; ending it."""
    user: Any = request.user
    subject = get_object_or_404(
        access.rows(user, "view", SourceDesignation).select_related(
            "department", "data_element", "decided_by"
        ),
        pk=number,
    )
    can_end = subject.valid_to is None and access.allowed(user, "end", subject)
    form = EndForm(request.POST or None) if can_end else None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            catalog.end_designation(
                designation=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已终止数源认定"))
            return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "form": form,
        "duplicates": queries.duplicates_visible_to(user).filter(designation=subject),
        "trail": ledger.trail(subject),
    }
    return render(request, "catalog/source_designation.html", context)
