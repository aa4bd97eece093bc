"""The yearly look at grants: the use beside each right, decided a row at a time or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.clocks import queries as clocks
from apps.core import access
from apps.core.chips import Chip
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, Recertification
from apps.sharing.queries.continuing import idle_since
from apps.sharing.queries.figures import figures_of, since_when
from apps.sharing.queries.thrift import analysed
from apps.sharing.views.lists import GRANT_SIDES
from apps.sharing.views.proposals import labels_of_columns, proposal_lines, quota_words

MOST_ROWS: Final = 100
SCOPES: Final = {
    "": gettext_lazy("待我复核"),
    "open": gettext_lazy("办理中"),
    "decided": gettext_lazy("已复核"),
}


@dataclass(frozen=True)
class Line:
    """One grant on the page: its use, what is proposed, and whether the viewer decides it now.

    used: the figures as they are now; of what is decided, those of the decision.
    """

    row: Recertification
    used: dict[str, Any]
    remaining: Any
    never_read: Sequence[str]
    quota: str
    proposal: Sequence[str]
    may_narrow: bool
    is_mine: bool


@login_required
def recertify(request: HttpRequest) -> HttpResponse:
    """List what is to be looked at again; on POST decide the chosen rows, each by itself."""
    user: Any = request.user
    at = timezone.now()
    if request.method == "POST":
        _decide(request, at)
        kept = request.GET.copy()
        kept.pop("narrow", None)
        return redirect(f"{request.path}?{kept.urlencode()}")
    visible = access.rows(user, "view", Recertification, at=at)
    mine = access.rows(user, "decide", Recertification, at=at).filter(status="awaiting_decision")
    chosen = request.GET.get("scope", "")
    rows = _of_scope(visible, mine, chosen)
    side = request.GET.get("side", "")
    field = {"asked": "grant__consumer", "received": "grant__provider"}.get(side)
    if field:
        rows = rows.filter(**{field: user.department_id})
    total = rows.count()
    lines = _lines(rows, set(mine.values_list("pk", flat=True)), at)
    offered = [each for each in lines if each.is_mine and each.proposal]
    wanted = request.GET.get("narrow", "")
    context = {
        "lines": lines,
        "narrowing": next((each for each in offered if str(each.row.pk) == wanted), None),
        "total": total,
        "most": MOST_ROWS,
        "scope_chips": [
            Chip(name, label, _of_scope(visible, mine, name).count(), name == chosen)
            for name, label in SCOPES.items()
        ],
        "side_chips": [
            Chip(name, label, None, name == side) for name, label in GRANT_SIDES.items()
        ],
        "outcomes": Recertification.Outcome.choices,
        "scope": chosen,
        "is_filtered": bool(chosen or side),
    }
    return render(request, "sharing/recertify.html", context)


def _of_scope(
    visible: QuerySet[Recertification], mine: QuerySet[Recertification], chosen: str
) -> QuerySet[Recertification]:
    if chosen == "open":
        return visible.filter(status__in=Recertification.OPEN)
    if chosen == "decided":
        return visible.filter(status="decided").order_by("-decided_at")
    return mine


def _lines(rows: QuerySet[Recertification], mine: set[int], at: datetime) -> list[Line]:
    related = (
        "grant__dataset",
        "grant__consumer",
        "grant__provider",
        "grant__system",
        "decided_by",
    )
    shown = list(rows.select_related(*related)[:MOST_ROWS])
    keys = {row.grant_id for row in shown}
    grants = list(Grant.objects.filter(pk__in=keys).annotate(idle_since=idle_since()))
    figures = figures_of(grants, at)
    narrowable = _narrowable(grants)
    wastes = {waste.grant.pk: waste for waste in analysed(narrowable, at)}
    labels = labels_of_columns(grants)
    used = {
        row.pk: row.figures if row.status == "decided" else figures[row.grant_id].to_json()
        for row in shown
    }
    return [
        Line(
            row=row,
            used=used[row.pk],
            remaining=remaining,
            never_read=[
                since_when(
                    labels.get(row.grant.dataset_id, {}).get(name, name),
                    used[row.pk].get("newer", {}).get(name),
                )
                for name in used[row.pk]["never_read"]
            ],
            quota=quota_words(used[row.pk]),
            proposal=proposal_lines(wastes.get(row.grant_id)),
            may_narrow=any(grant.pk == row.grant_id for grant in narrowable),
            is_mine=row.pk in mine,
        )
        for row, remaining in clocks.with_clocks(shown, at)
    ]


def _narrowable(grants: Sequence[Grant]) -> list[Grant]:
    """Return those in force but for what is sent back to a district, which is never narrowed."""
    returned = Grant.objects.filter(pk__in=[grant.pk for grant in grants]).exclude(
        request__return_flow=None
    )
    kept_whole = set(returned.values_list("pk", flat=True))
    return [
        grant
        for grant in grants
        if grant.status == Grant.Status.IN_FORCE and grant.pk not in kept_whole
    ]


def _decide(request: HttpRequest, at: datetime) -> None:
    """Decide what was ticked, or the one whose own button was pressed; say what became of each."""
    user: Any = request.user
    given = request.POST
    key, _colon, outcome = given.get("one", "").partition(":")
    keys = [key] if key else given.getlist("rows")
    outcome = outcome or given.get("outcome", "")
    if not keys:
        messages.error(request, _("先选择要复核的授权"))
        return
    rows = access.rows(user, "view", Recertification, at=at).filter(
        pk__in=[each for each in keys if each.isdecimal() and len(each) < 19]
    )
    seen = {row.pk: given.get(f"revision-{row.pk}", "") for row in rows}
    answers = sharing.decide_each(
        recertifications=rows.select_related("grant__dataset", "grant__request"),
        outcome=outcome,
        actor=user,
        at=at,
        reason=given.get("reason", ""),
        revisions={pk: int(text) for pk, text in seen.items() if text.isdecimal()},
    )
    say_outcome(request, [(str(a.row.grant), a.error) for a in answers], _("已复核 %(count)s 项"))


def say_outcome(
    request: HttpRequest, answers: Sequence[tuple[str, Exception | None]], words: str
) -> None:
    """Say how many were done, and of every other one why not."""
    done = sum(error is None for _name, error in answers)
    if done:
        messages.success(request, words % {"count": done})
    for name, error in answers:
        if error is not None:
            messages.error(request, f"{name}：{error}")
