"""Responsibility lists: find them, compile them, ask and issue many at once."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

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

PAGE_ROWS: Final = 70  # all departments of a city at once
MOST_PARTS: Final = 200
NUMERALS: Final = "一二三四五六七八九十"
MOVABLE: Final = ("compiling", "consulting")


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
            ("", _("全部"), sum(counts.values()), not status),
            *(
                (value, label, counts.get(value, 0), value == status)
                for value, label in ResponsibilityListStatus.choices
                if counts.get(value) or value == status
            ),
        ],
        "years": list(visible.order_by("-year").values_list("year", flat=True).distinct()),
        "departments": _departments(visible),
        "query": query,
        "is_filtered": any(query.get(name) for name in ("status", "year", "department")),
        "may_compile": access.able(user, "create", ResponsibilityList),
        "movable": MOVABLE,
        "parts": _parts(user),
        "today": timezone.localdate(),
    }
    return render(request, "catalog/responsibility_lists.html", context)


@login_required
def move_lists(request: HttpRequest) -> HttpResponse:
    """Name the ticked lists and what asking or issuing brings about; once confirmed, do it."""
    user: Any = request.user
    back = redirect("catalog:responsibility-lists")
    if request.method != "POST" or not access.able(user, "create", ResponsibilityList):
        raise PermissionDenied
    keys = [key for key in request.POST.getlist("lists") if key.isdecimal()]
    lists = list(access.rows(user, "view", ResponsibilityList).filter(pk__in=keys).order_by("pk"))
    if not lists:
        messages.error(request, _("先勾选清单"))
        return back
    act = "issue" if request.POST.get("act") == "issue" else "consult"
    try:
        day = parse_date(request.POST.get("consult_due_on", ""))
    except ValueError:
        day = None
    if act == "consult" and day is None:
        messages.error(request, _("填写征求意见的截止日期"))
        return back
    if "confirmed" not in request.POST:
        context = {"lists": lists, "act": act, "day": day, "duty_count": _duty_count(lists)}
        return render(request, "catalog/responsibility_move_many.html", context)
    _tell(request, _moved(user, act, lists, day))
    return back


def _moved(
    user: Any, act: str, lists: Sequence[ResponsibilityList], day: date | None
) -> responsibility.Outcome:
    at = timezone.now()
    if day is None or act == "issue":
        return responsibility.issue_all(lists=lists, actor=user, at=at)
    return responsibility.consult_all(lists=lists, consult_due_on=day, actor=user, at=at)


def _duty_count(lists: Sequence[ResponsibilityList]) -> int:
    listed = Duty.objects.filter(responsibility_list__in=lists, parent=None)
    return listed.exclude(status="dropped").count()


def _tell(request: HttpRequest, outcome: responsibility.Outcome) -> None:
    if outcome.moved:
        messages.success(request, _("已办理 %(count)s 份清单") % {"count": len(outcome.moved)})
    for row, why in outcome.refused[:10]:
        messages.warning(request, f"{row}：{why}")
    if len(outcome.refused) > 10:
        messages.warning(
            request, _("另有 %(count)s 份没有办理") % {"count": len(outcome.refused) - 10}
        )


@login_required
def compile_page(request: HttpRequest) -> HttpResponse:
    """Decompose the catalogue into lists."""
    user: Any = request.user
    if not access.able(user, "create", ResponsibilityList):
        raise PermissionDenied
    waiting = queries.waiting_to_be_promised()
    year = timezone.localdate().year
    first = {"year": year, "batch": _batch_to_come(year)}
    form = CompileForm(request.POST or None, waiting=waiting, initial=first)
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
    context = {
        "form": form,
        "dataset_count": queries.datasets_to_promise().count(),
        "demand_count": queries.demands_to_promise().count(),
        "department_count": len(waiting),
    }
    return render(request, "catalog/responsibility_compile.html", context)


def _batch_to_come(year: int) -> str:
    """The batch that is being compiled, or else the one after the last."""
    lists = ResponsibilityList.objects.filter(year=year)
    begun = lists.filter(status="compiling").order_by("-pk").values_list("batch", flat=True).first()
    count = lists.order_by().values("batch").distinct().count()
    if begun or count >= len(NUMERALS):
        return begun or ""
    return f"第{NUMERALS[count]}批"  # a name that is kept, in no language but its own


def _parts(user: Any) -> list[Duty]:
    """What other departments' duties the person's own department has a part of."""
    if user.department_id is None:
        return []
    found = queries.parts_given_to(user.department_id, access.rows(user, "view", Duty))
    found = found.select_related("responsibility_list__department", "department")
    return list(found.order_by("due_on", "pk")[:MOST_PARTS])


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
