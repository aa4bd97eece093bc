"""代理接口: the registered services of providers, how each has been, and their registration."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing.forms.interfaces import OPERATOR_WORDS, InterfaceForm
from apps.sharing.models import Interface
from apps.sharing.operations.serving.interfaces import TERMS
from apps.sharing.queries import interfaces as queries
from apps.sharing.queries.planned_stops import stops_since
from apps.sharing.views.moves import done, freshen

SHOWN: Final = 20
FOUND: Final = 20
PAGE_ROWS: Final = 50
ACTIONS: Final = ("change_interface", "try_interface", "resume", "pause", "retire")
MOVES: Final[dict[str, tuple[Callable[..., Any], Any]]] = {
    "resume": (sharing.resume_interface, _("已启用，调用即转发到提供部门的接口")),
    "pause": (sharing.pause_interface, _("已暂停转发")),
}


@login_required
def registered(request: HttpRequest) -> HttpResponse:
    """The interfaces that the person may see, and the datasets for which he may register one."""
    user: Any = request.user
    at = timezone.now()
    rows = access.rows(user, "view", Interface).select_related("dataset__department")
    page = Paginator(rows.order_by("status", "-pk"), PAGE_ROWS).get_page(request.GET.get("page"))
    health = queries.health_of(page.object_list, at)
    words = request.GET.get("q", "").strip()
    own = access.rows(user, "register_interface", Dataset)
    named = queries.registrable(own.filter(name__icontains=words)).order_by("code")
    candidates = list(named[: FOUND + 1]) if words else []
    context = {
        "page": page,
        "lines": [(each, health[each.pk]) for each in page.object_list],
        "words": words,
        "candidates": candidates[:FOUND],
        "most": FOUND if len(candidates) > FOUND else None,
        "may_register": own.exists(),
    }
    return render(request, "sharing/registered.html", context)


@login_required
def interface(request: HttpRequest, pk: int) -> HttpResponse:
    """One interface: state, availability, reasons, latest calls, and what it is."""
    subject = _interface_or_404(request, pk)
    at = timezone.now()
    labels = dict(subject.dataset.items.values_list("column_name", "name"))
    context = {
        "subject": subject,
        "health": queries.health_of([subject], at)[subject.pk],
        "reasons": queries.reasons_of(subject, at),
        "calls": queries.latest_calls(subject)[:SHOWN],
        "stops": stops_since(subject.dataset, at - queries.WINDOW, at),
        "is_resting": subject.rests_until is not None and subject.rests_until > at,
        "may": {name for name in ACTIONS if access.allowed(request.user, name, subject)},
        "labels": _places(subject, labels),
        "parameters": [
            (each, labels.get(each["item"], ""), OPERATOR_WORDS.get(each["operator"], ""))
            for each in subject.parameters
        ],
        "trail": ledger.trail(subject),
    }
    return render(request, "sharing/registered_interface.html", context)


@login_required
def register(request: HttpRequest, code: str) -> HttpResponse:
    user: Any = request.user
    rows = access.rows(user, "register_interface", Dataset).filter(code=code.replace("-", "/"))
    dataset: Dataset = get_object_or_404(rows)
    form = InterfaceForm(request.POST or None, contract=catalog.contract_of(dataset))
    if request.method == "POST" and form.is_valid():
        made: list[Interface] = []
        if done(
            request,
            form,
            lambda at: made.append(
                sharing.register_interface(
                    dataset=dataset,
                    terms=form.terms(),
                    secret=form.cleaned_data["secret"],
                    actor=user,
                    at=at,
                )
            ),
        ):
            messages.success(request, _("已登记，试调用通过后启用"))
            return redirect("sharing:registered-interface", made[0].pk)
    return render(request, "sharing/registered_edit.html", {"dataset": dataset, "form": form})


@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    subject = _interface_or_404(request, pk)
    if not access.allowed(user, "change_interface", subject):
        raise PermissionDenied
    form = InterfaceForm(
        request.POST or None,
        contract=catalog.contract_of(subject.dataset),
        chosen=subject,
        initial={"revision": subject.revision} | {name: getattr(subject, name) for name in TERMS},
    )
    if request.method == "POST" and form.is_valid():
        if done(
            request,
            form,
            lambda at: sharing.change_interface(
                interface=subject,
                terms=form.terms(),
                secret=form.cleaned_data["secret"],
                actor=user,
                at=at,
                revision=form.cleaned_data["revision"],
            ),
        ):
            messages.success(request, _("已修改，试调用通过后重新启用"))
            return redirect("sharing:registered-interface", pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {"dataset": subject.dataset, "form": form, "subject": subject}
    return render(request, "sharing/registered_edit.html", context)


@login_required
@require_POST
def act(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    """Do what a button of the page says."""
    user: Any = request.user
    subject = _interface_or_404(request, pk)
    at = timezone.now()
    try:
        if move == "try":
            words: Any = sharing.try_interface(interface=subject, actor=user, at=at)
        elif move == "retire":
            reason = request.POST.get("reason", "")
            sharing.retire_interface(interface=subject, actor=user, at=at, reason=reason)
            words = _("已停用")
        elif move in MOVES:
            operation, words = MOVES[move]
            operation(interface=subject, actor=user, at=at)
        else:
            raise Http404
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return redirect("sharing:registered-interface", pk)


def _places(subject: Interface, labels: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return where in a record each item stands, in the order of the entry."""
    order = {name: place for place, name in enumerate(labels)}
    items = sorted(subject.items.items(), key=lambda each: order.get(each[0], len(order)))
    return [(labels.get(name, name), name, path) for name, path in items]


def _interface_or_404(request: HttpRequest, pk: int) -> Interface:
    rows = access.rows(request.user, "view", Interface)
    found: Interface = get_object_or_404(rows.select_related("dataset__department"), pk=pk)
    return found
