"""停机公告: the list, the announcement with whom it will reach, and one stop."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Department
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.chips import Chip, carried
from apps.core.templatetags.dates import minute
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing.forms.planned_stops import StopEndForm, StopForm
from apps.sharing.models import PlannedStop
from apps.sharing.queries import planned_stops as queries
from apps.sharing.views.lists import choice_chips, page_of
from apps.sharing.views.moves import done

FOUND: Final = 20
STATES: Final[dict[str, Any]] = {
    "": gettext_lazy("全部"),
    "ahead": gettext_lazy("未开始"),
    "running": gettext_lazy("停机中"),
    "over": gettext_lazy("已结束"),
    "withdrawn": gettext_lazy("已撤回"),
}
SIDES: Final = {"ours": gettext_lazy("本部门公告"), "others": gettext_lazy("其他公告")}


@login_required
def stops(request: HttpRequest) -> HttpResponse:
    """List the stops that reach me, filtered as the address says; and where one is announced."""
    user: Any = request.user
    query = request.GET
    visible = _of_side(user, access.rows(user, "view", PlannedStop), query.get("side", ""))
    if words := query.get("q", "").strip():
        visible = visible.filter(
            Q(dataset__name__icontains=words)
            | Q(dataset__code__icontains=words)
            | Q(provider__name__icontains=words)
            | Q(reason__icontains=words)
        )
    state = query.get("state", "")
    rows = _of_state(visible, state)
    sought = query.get("find", "").strip()
    own = access.rows(user, "announce_stop", Dataset)
    context = {
        "page": page_of(rows.select_related("dataset", "provider"), query),
        "state_chips": [
            Chip(name, label, _of_state(visible, name).count(), name == state)
            for name, label in STATES.items()
        ],
        "side_chips": choice_chips(query, "side", SIDES),
        "hidden_filters": carried(query, "q"),
        "hidden_finds": carried(query, "find"),
        "is_filtered": any(query.get(name) for name in ("q", "state", "side")),
        "sought": sought,
        "candidates": own.filter(_named(sought)).order_by("code")[:FOUND] if sought else [],
        "may_stop_department": access.rows(user, "announce_stop", Department).exists(),
        "may_stop_platform": access.able(user, "announce_platform", PlannedStop),
    }
    return render(request, "sharing/planned_stops.html", context)


@login_required
def announce_of_dataset(request: HttpRequest, code: str) -> HttpResponse:
    rows = access.rows(request.user, "announce_stop", Dataset).select_related("department")
    return _announce(request, get_object_or_404(rows, code=code.replace("-", "/")))


@login_required
def announce_of_department(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    rows = access.rows(user, "announce_stop", Department)
    return _announce(request, get_object_or_404(rows, pk=user.department_id))


@login_required
def announce_of_platform(request: HttpRequest) -> HttpResponse:
    if not access.able(request.user, "announce_platform", PlannedStop):
        raise PermissionDenied
    return _announce(request, None)


@login_required
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a stop and whom it reaches; take it back, or end it."""
    user: Any = request.user
    at = timezone.now()
    rows = access.rows(user, "view", PlannedStop)
    subject: PlannedStop = get_object_or_404(
        rows.select_related("dataset", "provider", "announced_by", "ended_by"), pk=pk
    )
    is_open = subject.status in PlannedStop.OPEN and at < subject.ends_at
    is_running = is_open and at >= subject.starts_at
    move = "end_stop_early" if is_running else "withdraw_stop"
    form = None
    if is_open and access.allowed(user, move, subject):
        form = StopEndForm(request.POST or None, is_running=is_running)
    if form is not None and request.method == "POST" and form.is_valid():
        operate = getattr(sharing, move)
        reason = form.cleaned_data["reason"]
        if done(request, form, lambda at: operate(stop=subject, actor=user, at=at, reason=reason)):
            messages.success(request, _ended_words(subject) if is_running else _("公告已撤回"))
            return redirect("sharing:planned-stop", pk=pk)
    context = {
        "subject": subject,
        "form": form,
        "is_open": is_open,
        "is_running": is_running,
        "reached": queries.reached_by(subject) if is_open else None,
        "grants": _own_grants(user, subject) if is_open else [],
        "trail": ledger.trail(subject),
    }
    return render(request, "sharing/planned_stop.html", context)


def _ended_words(subject: PlannedStop) -> str:
    other = queries.outlasting(subject, timezone.now())
    if other is None:
        return _("服务已恢复")
    return _("已提前结束；公告 %(other)s 的停机还在进行，预计%(until)s恢复") % {
        "other": other,
        "until": minute(other.ends_at),
    }


def _announce(request: HttpRequest, of: Dataset | Department | None) -> HttpResponse:
    user: Any = request.user
    at = timezone.now()
    form = StopForm(request.POST or None, usual_from=queries.usual_from(at))
    made: list[PlannedStop] = []
    if request.method == "POST" and form.is_valid():
        written = form.cleaned_data

        def operate(moment: Any) -> None:
            made.append(sharing.announce_stop(of=of, actor=user, at=moment, **written))

        if done(request, form, operate):
            messages.success(request, _("已公告，使用部门和凭证保管人已收到通知"))
            return redirect("sharing:planned-stop", pk=made[0].pk)
    thought = _thought_of(of)
    context = {
        "form": form,
        "stop": thought,
        "reached": queries.reached_by(thought),
        "notice": queries.usual_notice(),
    }
    return render(request, "sharing/planned_stop_new.html", context)


def _thought_of(of: Dataset | Department | None) -> PlannedStop:
    """Return a stop that is only thought of, to see whom it would reach."""
    if isinstance(of, Dataset):
        return PlannedStop(reach="dataset", dataset=of, provider=of.department)
    if of is not None:
        return PlannedStop(reach="department", provider=of)
    return PlannedStop(reach="platform")


def _own_grants(user: Any, subject: PlannedStop) -> list[Any]:
    """Return those of the grants in reach that the person may see, the first of them."""
    return list(access.rows(user, "view", queries.grants_in_reach(subject))[:FOUND])


def _named(words: str) -> Q:
    return Q(name__icontains=words) | Q(code__icontains=words)


def _of_side(user: Any, rows: QuerySet[PlannedStop], side: str) -> QuerySet[PlannedStop]:
    if side == "ours":
        return rows.filter(provider=user.department_id)
    if side == "others":
        return rows.exclude(provider=user.department_id)
    return rows


def _of_state(rows: QuerySet[PlannedStop], state: str) -> QuerySet[PlannedStop]:
    at = timezone.now()
    is_open = Q(status__in=PlannedStop.OPEN)
    chosen = {
        "ahead": is_open & Q(starts_at__gt=at),
        "running": is_open & Q(starts_at__lte=at, ends_at__gt=at),
        "over": Q(status="over") | is_open & Q(ends_at__lte=at),
        "withdrawn": Q(status="withdrawn"),
    }
    return rows.filter(chosen[state]) if state in chosen else rows
