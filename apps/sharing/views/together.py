"""Several requests at once: choose, act once, be told what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms import legal_bases
from apps.sharing.forms.packages import TogetherForm
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Decision, SharingRequest
from apps.sharing.operations.deciding.together import ACTS, LOOK_ALONE, MOST_TOGETHER, refuse_unlike
from apps.sharing.queries.terms import asked_terms_of_each
from apps.sharing.queries.weighing import Warned, warnings_of_each
from apps.sharing.views.buttons import why_not_each

KEPT: Final = "sharing.together"  # the outcome, in the session until it was shown
MOST_ROWS: Final = MOST_TOGETHER
WEIGHED: Final = ("propose", "agree")
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "approve_by_head": gettext_lazy(
        "各件分别送达提供部门，法定时限从收到之日起算。无条件共享的数据由平台自动授权。"
    ),
    "return_by_head": gettext_lazy("各件退回经办人修改，不送达提供部门。"),
    "pass_on": gettext_lazy("各件分别送达提供部门，法定时限从收到之日起算。"),
    "return_by_district": gettext_lazy("各件退回申请部门经办人修改，不送达提供部门。"),
    "accept_form": gettext_lazy("各件材料齐全，进入审核；时限继续计算。"),
    "propose": gettext_lazy("各件的处理意见送负责人签发；须经复核的先送复核。"),
    "agree": gettext_lazy("平台随即开通：各使用系统可以按拟签发的条件使用数据。"),
    "refuse": gettext_lazy("各件办结为不予共享，理由和依据送达使用部门。"),
    "withdraw": gettext_lazy("各件办结为已撤回，不能恢复；已收到的部门会得到通知。"),
}


@dataclass(frozen=True)
class Row:
    """One chosen request; why_not says why this act cannot be done with it, empty when it can."""

    request: SharingRequest
    decision: Decision | None
    needs_second: bool
    is_urgent: bool
    previous: SharingRequest | None
    warned: Warned | None
    why_not: str


@login_required
def together(request: HttpRequest) -> HttpResponse:
    """Show what was chosen and what can be done with it at once; on POST do it."""
    chosen = _chosen(request)
    try:
        refuse_unlike(list(chosen))
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(f"{_list_url()}?owed=me")
    act = _act(request, chosen)
    if act is None:
        messages.error(request, _("所选的申请没有可以一并办理的事项；逐件打开办理"))
        return redirect(f"{_list_url()}?owed=me")
    rows = _rows(request.user, act, list(chosen))
    move = REQUEST.move(act)
    form = TogetherForm(
        request.POST if request.method == "POST" else None,
        act=act,
        templates=_templates(request.user, chosen) if act == "propose" else None,
        needs_reason=move.reason,
    )
    if request.method == "POST" and form.is_valid():
        return _acted(request, chosen, act, form)
    context = {
        "act": act,
        "move": move,
        "rows": rows,
        "ready": sum(not row.why_not for row in rows),
        "form": form,
        "consequence": CONSEQUENCES[act],
        "provisions": legal_bases.REFUSAL if act == "propose" else [],
        "others": _others(request, chosen, act),
    }
    return render(request, "sharing/together.html", context)


@login_required
def acted(request: HttpRequest) -> HttpResponse:
    """Say which were done, and of every other one why not."""
    kept = request.session.get(KEPT)
    if not kept:
        return redirect(f"{_list_url()}?owed=me")
    found = queries.visible_requests(request.user, timezone.now()).in_bulk(  # type: ignore[arg-type]
        [int(key) for key, _error in kept["rows"]]
    )
    lines = [(found[key], error) for key, error in kept["rows"] if key in found]
    context = {
        "move": REQUEST.move(kept["act"]),
        "done": [row for row, error in lines if not error],
        "failed": [(row, error) for row, error in lines if error],
        "package": next((row.package for row, _e in lines if row.package_id), None),
    }
    return render(request, "sharing/together_done.html", context)


def _acted(
    request: HttpRequest, chosen: QuerySet[SharingRequest], act: str, form: TogetherForm
) -> HttpResponse:
    """Act, and keep what became of each for the page that shows it: reloading acts no more."""
    words = {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
    if words.get("outcome") != "narrow":
        words.pop("template", None)
    answers = sharing.act_together(
        requests=chosen,
        act=act,
        actor=request.user,  # type: ignore[arg-type]
        at=timezone.now(),
        revisions=_revisions(request.POST, chosen),
        **words,
    )
    request.session[KEPT] = {
        "act": act,
        "rows": [(each.row.pk, str(each.error or "")) for each in answers],
    }
    return redirect("sharing:together-done")


def _chosen(request: HttpRequest) -> QuerySet[SharingRequest]:
    given = request.POST if request.method == "POST" else request.GET
    keys = [key for key in given.getlist("rows") if key.isdecimal() and len(key) < 19]
    found = queries.visible_requests(request.user, timezone.now())  # type: ignore[arg-type]
    return found.filter(pk__in=keys[: MOST_ROWS + 1]).select_related("previous").order_by("pk")


def _revisions(given: QueryDict, chosen: QuerySet[SharingRequest]) -> dict[int, int]:
    seen = {row.pk: given.get(f"revision-{row.pk}", "") for row in chosen}
    return {pk: int(text) for pk, text in seen.items() if text.isdecimal() and len(text) < 10}


def _act(request: HttpRequest, chosen: QuerySet[SharingRequest]) -> str | None:
    """The act that is asked for, or the first that one of the chosen is ready for."""
    given = request.POST if request.method == "POST" else request.GET
    wanted = given.get("act", "")
    if wanted:
        if wanted not in ACTS:
            raise Http404
        return wanted
    ready = _ready(request.user, chosen)
    return ready[0] if ready else None


def _ready(user: Any, chosen: QuerySet[SharingRequest]) -> list[str]:
    return [
        act
        for act in ACTS
        if access.rows(user, act, SharingRequest.objects.filter(pk__in=[row.pk for row in chosen]))
        .filter(status__in=REQUEST.move(act).sources)
        .exists()
    ]


def _others(
    request: HttpRequest, chosen: QuerySet[SharingRequest], act: str
) -> list[tuple[str, Any]]:
    """What else the chosen are ready for."""
    return [
        (name, REQUEST.move(name).label) for name in _ready(request.user, chosen) if name != act
    ]


def _decisions_told(user: Any, chosen: Sequence[SharingRequest]) -> dict[int, Decision]:
    """Return the opinions that stand, by request; unsigned ones only to whom they concern."""
    keys = [subject.pk for subject in chosen]
    asked = access.rows(user, "read_opinions", SharingRequest.objects.filter(pk__in=keys))
    readable = set(asked.values_list("pk", flat=True))
    latest = queries.latest_decisions(chosen)
    return {
        subject.pk: latest[subject.pk]
        for subject in chosen
        if subject.pk in latest
        and not queries.is_returned(subject, latest[subject.pk])
        and (subject.pk in readable or queries.is_told(latest[subject.pk]))
    }


def _rows(user: Any, act: str, chosen: Sequence[SharingRequest]) -> list[Row]:
    decisions = _decisions_told(user, chosen)
    with_second = queries.needing_second_review(chosen) if act == "propose" else set()
    reasons = _why_not(user, act, chosen)
    warned = _warned(user, act, chosen, decisions)
    for key, each in warned.items():
        if act == "agree" and each.is_grave and not reasons[key]:
            reasons[key] = str(LOOK_ALONE)
    return [
        Row(
            request=subject,
            decision=decisions.get(subject.pk),
            needs_second=subject.pk in with_second,
            is_urgent=getattr(subject, "urgency", None) is not None,
            previous=subject.previous if subject.pk in warned else None,
            warned=warned.get(subject.pk),
            why_not=reasons[subject.pk],
        )
        for subject in chosen
    ]


def _warned(
    user: Any, act: str, chosen: Sequence[SharingRequest], decisions: dict[int, Decision]
) -> dict[int, Warned]:
    """Weigh the terms that would be agreed to, for whoever may know: those proposed, or asked."""
    if act not in WEIGHED:
        return {}
    rows = SharingRequest.objects.filter(pk__in=[subject.pk for subject in chosen])
    may = set(access.rows(user, "weigh", rows).values_list("pk", flat=True))
    terms = asked_terms_of_each(chosen) | (decisions if act == "agree" else {})
    return warnings_of_each(
        [
            (subject, terms[subject.pk])
            for subject in chosen
            if subject.pk in may and subject.pk in terms
        ],
        timezone.now(),
    )


def _why_not(user: Any, act: str, chosen: Sequence[SharingRequest]) -> dict[int, str]:
    """Say of each request why the act cannot be done with it, empty when it can."""
    move = REQUEST.move(act)
    own = access.rows(user, act, SharingRequest.objects.filter(pk__in=[row.pk for row in chosen]))
    keys = set(own.values_list("pk", flat=True))
    not_own = _("不由本人办理") if act not in ("agree", "refuse") else _("与处理意见不符")
    due = [row for row in chosen if row.status in move.sources]
    return {
        **{
            row.pk: _("当前状态为“%(status)s”") % {"status": row.get_status_display()}
            for row in chosen
        },
        **{row.pk: not_own for row in due},
        **why_not_each(user, [row for row in due if row.pk in keys], move),
    }


def _templates(user: Any, chosen: QuerySet[SharingRequest]) -> Any:
    """The templates of the one entry that all of the chosen ask for."""
    datasets = {row.dataset_id: row.dataset for row in chosen}
    if len(datasets) != 1:
        return None
    return queries.templates_for(next(iter(datasets.values())), user)


def _list_url() -> str:
    return reverse("sharing:requests")
