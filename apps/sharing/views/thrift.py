"""What was granted and not used: the report, as CSV, and the narrowing of several at once."""

import csv
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.chips import Chip, carried
from apps.core.csv_lines import Echo, harmless
from apps.sharing import operations as sharing
from apps.sharing.forms.continuing import NarrowAllForm
from apps.sharing.models import Grant
from apps.sharing.queries.figures import Figures, since_when
from apps.sharing.queries.thrift import KINDS, Waste, wasted
from apps.sharing.views.lists import GRANT_SIDES
from apps.sharing.views.proposals import proposal_lines, quota_words
from apps.sharing.views.recertifying import say_outcome

MOST_ROWS: Final = 100
COLUMNS: Final = (
    gettext_lazy("授权"),
    gettext_lazy("目录代码"),
    gettext_lazy("数据目录"),
    gettext_lazy("使用系统"),
    gettext_lazy("使用部门"),
    gettext_lazy("提供部门"),
    gettext_lazy("统计自"),
    gettext_lazy("调用次数"),
    gettext_lazy("记录条数"),
    gettext_lazy("最近使用"),
    gettext_lazy("数据项"),
    gettext_lazy("未读的数据项"),
    gettext_lazy("最高日占限额"),
    gettext_lazy("发现"),
    gettext_lazy("建议"),
)


@login_required
def report(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """List grants in force of which something is not used, filtered as the address says."""
    user: Any = request.user
    query = request.GET
    at = timezone.now()
    found = wasted(access.rows(user, "view", Grant, at=at), at)
    departments = _departments(found)
    base = _narrowed(found, query, user)
    kind = query.get("kind", "")
    shown = [waste for waste in base if not kind or kind in waste.findings]
    if query.get("format") == "csv":
        return _as_csv(shown)
    mine = set(access.rows(user, "narrow", Grant, at=at).values_list("pk", flat=True))
    context = {
        "lines": [
            (
                waste,
                proposal_lines(waste),
                quota_words(waste.figures.to_json()),
                waste.grant.pk in mine,
            )
            for waste in shown[:MOST_ROWS]
        ],
        "total": len(shown),
        "most": MOST_ROWS,
        "kind_chips": [
            Chip(name, label, sum(name in waste.findings for waste in base), name == kind)
            for name, label in KINDS.items()
        ],
        "side_chips": [
            Chip(name, label, None, name == query.get("side", ""))
            for name, label in GRANT_SIDES.items()
        ],
        "departments": departments,
        "department": query.get("department", ""),
        "hidden_filters": carried(query, "q", "department"),
        "is_filtered": any(query.get(name) for name in ("q", "kind", "side", "department")),
        "can_narrow": bool(mine),
    }
    return render(request, "sharing/thrift.html", context)


@login_required
def narrow(request: HttpRequest) -> HttpResponse:
    """Show what narrowing the chosen grants would change; once confirmed, narrow each of them."""
    user: Any = request.user
    at = timezone.now()
    keys = [key for key in request.POST.getlist("grants") if key.isdecimal() and len(key) < 19]
    grants = access.rows(user, "narrow", Grant, at=at).filter(pk__in=keys)
    chosen = [waste for waste in wasted(grants, at) if waste.proposal]
    if not chosen:
        messages.error(request, _("先选择有收窄建议的授权"))
        return redirect("sharing:thrift")
    form = NarrowAllForm(request.POST if "confirm" in request.POST else None)
    if form.is_valid():
        answers = sharing.narrow_as_proposed(
            grants=[waste.grant for waste in chosen],
            actor=user,
            at=at,
            reason=form.cleaned_data["reason"],
        )
        named = [(str(answer.row), answer.error) for answer in answers]
        say_outcome(request, named, _("已收窄 %(count)s 项授权"))
        return redirect("sharing:thrift")
    context = {"lines": [(waste, proposal_lines(waste)) for waste in chosen], "form": form}
    return render(request, "sharing/thrift_narrow.html", context)


def _narrowed(found: Sequence[Waste], query: Any, user: Any) -> list[Waste]:
    words = query.get("q", "").strip().lower()
    department = query.get("department", "")
    side = query.get("side", "")
    return [
        waste
        for waste in found
        if (not words or _mentions(waste.grant, words))
        and department in ("", str(waste.grant.consumer_id), str(waste.grant.provider_id))
        and (side != "asked" or waste.grant.consumer_id == user.department_id)
        and (side != "received" or waste.grant.provider_id == user.department_id)
    ]


def _mentions(grant: Grant, words: str) -> bool:
    texts = (grant.dataset.name, grant.dataset.code, grant.system.name, str(grant))
    return any(words in text.lower() for text in texts)


def _departments(found: Sequence[Waste]) -> list[tuple[str, str]]:
    named = {
        str(side.pk): side.name
        for waste in found
        for side in (waste.grant.consumer, waste.grant.provider)
    }
    return sorted(named.items(), key=lambda pair: pair[1])


def _as_csv(shown: Sequence[Waste]) -> StreamingHttpResponse:
    writer = csv.writer(Echo())

    def rows() -> Iterator[str]:
        yield "\ufeff" + writer.writerow([str(label) for label in COLUMNS])
        for waste in shown:
            yield writer.writerow([harmless(cell) for cell in _cells(waste)])

    response = StreamingHttpResponse(rows(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="grant-thrift.csv"'
    return response


def _cells(waste: Waste) -> list[Any]:
    grant, figures = waste.grant, waste.figures
    return [
        grant,
        grant.dataset.code,
        grant.dataset.name,
        grant.system.name,
        grant.consumer.name,
        grant.provider.name,
        figures.since.isoformat(),
        figures.calls,
        figures.rows,
        figures.last_on.isoformat() if figures.last_on else "",
        figures.columns,
        "、".join(_unread(figures)) if figures.calls else "",
        quota_words(figures.to_json()),
        "；".join(f"{KINDS[kind]}：{words}" for kind, words in waste.findings.items()),
        "；".join(proposal_lines(waste)),
    ]


def _unread(figures: Figures) -> list[str]:
    days = figures.to_json()["newer"]
    return [since_when(name, days.get(name)) for name in figures.never_read]
