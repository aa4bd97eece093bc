"""One source: its state and readings; register, change, try, start and stop it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError, NotAllowed
from apps.core.paging import page_of
from apps.ledger import queries as ledger
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.forms import RetireForm, SourceForm
from apps.warehouse.models import PullSource
from apps.warehouse.operations.registering import TERMS

RUN_ROWS = 20
ACTIONS = ("change_source", "try_source", "run_now", "resume", "pause", "retire")
# What each button of the page does, and what is said when it did.
MOVES: dict[str, tuple[Callable[..., Any], Any]] = {
    "run_now": (warehouse.run_source_now, _("已排队，马上开始读取")),
    "resume": (warehouse.resume_source, _("已启用")),
    "pause": (warehouse.pause_source, _("已暂停；正在进行的读取会做完")),
}


@login_required
def source(request: HttpRequest, pk: int) -> HttpResponse:
    subject = _source_or_404(request, pk)
    run = queries.open_run(subject)
    context = {
        "subject": subject,
        "line": queries.source_lines([subject], timezone.now())[0],
        "run": run,
        "page": page_of(queries.runs_of(subject), request.GET, size=RUN_ROWS),
        "may": {name for name in ACTIONS if access.allowed(request.user, name, subject)},
        "trail": ledger.trail(subject),
        "retire_form": RetireForm(),
    }
    return render(request, "warehouse/source.html", context)


@login_required
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the source is read; empty once it is over."""
    subject = _source_or_404(request, pk)
    run = queries.open_run(subject)
    if run is None:
        return HttpResponse(status=204)
    return render(request, "warehouse/_run_state.html", {"run": run, "subject": subject})


@login_required
def register(request: HttpRequest, code: str) -> HttpResponse:
    user: Any = request.user
    found = access.rows(user, "register_source", Dataset).filter(code=code.replace("-", "/"))
    dataset = found.select_related("department", "system").first()
    if dataset is None:
        raise Http404
    form = _form(request, dataset, None)
    if form is not None and request.method == "POST" and form.is_valid():
        made: list[PullSource] = []
        if _done(
            form,
            lambda: made.append(
                warehouse.register_source(
                    dataset=dataset,
                    system=form.cleaned_data["system"],
                    terms=form.terms(),
                    secret=form.cleaned_data["secret"],
                    actor=user,
                    at=timezone.now(),
                )
            ),
        ):
            messages.success(request, _("已登记，测试连接之后启用"))
            return redirect("warehouse:source", made[0].pk)
    return render(request, "warehouse/source_edit.html", {"dataset": dataset, "form": form})


@login_required
def change(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    subject = _source_or_404(request, pk)
    if not access.allowed(user, "change_source", subject):
        raise PermissionDenied
    form = _form(request, subject.dataset, subject)
    if (
        form is not None
        and request.method == "POST"
        and form.is_valid()
        and _done(
            form,
            lambda: warehouse.change_source(
                source=subject,
                system=form.cleaned_data["system"],
                terms=form.terms(),
                secret=form.cleaned_data["secret"],
                actor=user,
                at=timezone.now(),
            ),
        )
    ):
        messages.success(request, _("已修改"))
        return redirect("warehouse:source", pk)
    context = {"dataset": subject.dataset, "form": form, "subject": subject}
    return render(request, "warehouse/source_edit.html", context)


@login_required
@require_POST
def act(request: HttpRequest, pk: int, move: str) -> HttpResponse:
    """Do what a button of the page says."""
    user: Any = request.user
    subject = _source_or_404(request, pk)
    at = timezone.now()
    try:
        if move == "try":
            words: Any = warehouse.try_source(source=subject, actor=user, at=at)
        elif move == "retire":
            reason = request.POST.get("reason", "")
            warehouse.retire_source(source=subject, actor=user, at=at, reason=reason)
            words = _("已停用")
        elif move in MOVES:
            operation, words = MOVES[move]
            operation(source=subject, actor=user, at=at)
        else:
            raise Http404
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, words)
    return redirect("warehouse:source", pk)


def _form(request: HttpRequest, dataset: Dataset, subject: PullSource | None) -> SourceForm | None:
    """The form of a source; None while the dataset has no contract in force."""
    contract = queries.contract_of(dataset)
    if contract is None:
        return None
    systems = InformationSystem.objects.in_service().filter(department=dataset.department_id)
    initial = {"system": dataset.system_id, "overlap": 600, "every_minutes": 60}
    if subject is not None:
        initial = {name: getattr(subject, name) for name in TERMS} | {"system": subject.system_id}
    return SourceForm(
        request.POST or None,
        contract=contract,
        systems=systems,
        chosen=subject.columns if subject is not None else {},
        initial=initial,
    )


def _done(form: SourceForm, operation: Callable[[], Any]) -> bool:
    try:
        operation()
    except NotAllowed as error:
        raise PermissionDenied from error
    except DomainError as error:
        field = error.details.get("field")
        form.add_error(field if field in form.fields else None, str(error))
        return False
    return True


def _source_or_404(request: HttpRequest, pk: int) -> PullSource:
    rows = access.rows(request.user, "view", PullSource)
    found = rows.select_related("dataset__department", "dataset__system", "system").filter(pk=pk)
    subject = found.first()
    if subject is None:
        raise Http404
    return subject
