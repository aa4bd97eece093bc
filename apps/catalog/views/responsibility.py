"""Responsibility lists: find them, compile them, ask and issue many at once."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.forms.responsibility import CompileForm
from apps.catalog.models import Duty, ResponsibilityList, ResponsibilityListStatus
from apps.catalog.operations import compiling, responsibility
from apps.catalog.queries import responsibility as queries
from apps.catalog.views.duty_table import download
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.core.paging import page_of

PAGE_ROWS = 70  # all departments of a city at once


@login_required
def responsibility_lists(request: HttpRequest) -> HttpResponse:
    """The lists that I may see, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    visible = access.rows(user, "view", ResponsibilityList)
    found = _narrowed(visible, query)
    if query.get("format"):
        duties = access.rows(user, "view", Duty).filter(responsibility_list__in=found)
        return download(_("责任清单"), duties, query["format"])
    counts = dict(
        _narrowed(visible, query, without="status")
        .order_by()
        .values_list("status")
        .annotate(Count("pk"))
    )
    status = query.get("status", "")
    listed = queries.counted(found).select_related("department")
    context = {
        "page": page_of(listed, query, size=PAGE_ROWS, total=found.count()),
        "chips": [
            (value, label, counts.get(value, 0), value == status)
            for value, label in ResponsibilityListStatus.choices
            if counts.get(value) or value == status
        ],
        "years": list(visible.order_by("-year").values_list("year", flat=True).distinct()),
        "departments": _departments(visible),
        "query": query,
        "is_filtered": any(query.get(name) for name in ("status", "year", "department")),
        "may_compile": access.able(user, "create", ResponsibilityList),
        "today": timezone.localdate(),
    }
    return render(request, "catalog/responsibility_lists.html", context)


@login_required
def move_lists(request: HttpRequest) -> HttpResponse:
    """Ask or issue the ticked lists at once, and say what became of each."""
    user: Any = request.user
    back = redirect("catalog:responsibility-lists")
    if request.method != "POST" or not access.able(user, "create", ResponsibilityList):
        raise PermissionDenied
    keys = [key for key in request.POST.getlist("lists") if key.isdecimal()]
    lists = list(access.rows(user, "view", ResponsibilityList).filter(pk__in=keys).order_by("pk"))
    if not lists:
        messages.error(request, _("先勾选清单"))
        return back
    at = timezone.now()
    if request.POST.get("act") == "issue":
        outcome = responsibility.issue_all(lists=lists, actor=user, at=at)
    else:
        day = parse_date(request.POST.get("consult_due_on", ""))
        if day is None:
            messages.error(request, _("填写征求意见的截止日期"))
            return back
        outcome = responsibility.consult_all(lists=lists, consult_due_on=day, actor=user, at=at)
    if outcome.moved:
        messages.success(request, _("已办理 %(count)s 份清单") % {"count": len(outcome.moved)})
    for row, why in outcome.refused[:10]:
        messages.warning(request, f"{row}：{why}")
    if len(outcome.refused) > 10:
        messages.warning(
            request, _("另有 %(count)s 份没有办理") % {"count": len(outcome.refused) - 10}
        )
    return back


@login_required
def compile_page(request: HttpRequest) -> HttpResponse:
    """Decompose the catalogue into lists."""
    user: Any = request.user
    if not access.able(user, "create", ResponsibilityList):
        raise PermissionDenied
    form = CompileForm(request.POST or None, initial={"year": timezone.localdate().year})
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        given["departments"] = list(given["departments"]) or None
        try:
            made = compiling.compile_lists(actor=user, at=timezone.now(), **given)
        except NotAllowed as error:
            raise PermissionDenied from error
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            words = _("已编制 %(lists)s 份清单，新列入 %(duties)s 项") % {
                "lists": len(made.lists),
                "duties": made.duty_count,
            }
            messages.success(request, words)
            if made.passed_by:
                words = _("%(count)s 份清单已在征求意见或者已印发，没有改动")
                messages.warning(request, words % {"count": len(made.passed_by)})
            return redirect("catalog:responsibility-lists")
    waiting = queries.datasets_to_promise()
    context = {
        "form": form,
        "dataset_count": waiting.count(),
        "department_count": waiting.order_by().values("department").distinct().count(),
    }
    return render(request, "catalog/responsibility_compile.html", context)


def _narrowed(
    lists: QuerySet[ResponsibilityList], query: Any, without: str = ""
) -> QuerySet[ResponsibilityList]:
    if query.get("status") in ResponsibilityListStatus.values and without != "status":
        lists = lists.filter(status=query["status"])
    if query.get("year", "").isdecimal() and len(query["year"]) == 4:
        lists = lists.filter(year=query["year"])
    if query.get("department"):
        lists = lists.filter(department__code=query["department"])
    return lists


def _departments(lists: QuerySet[ResponsibilityList]) -> list[Department]:
    """The departments to choose from; none for somebody who sees but one."""
    found = Department.objects.filter(pk__in=lists.order_by().values("department"))
    departments = list(found.order_by("code"))
    return departments if len(departments) > 1 else []
