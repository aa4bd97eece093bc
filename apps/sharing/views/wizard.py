"""Writing a request in steps; every step saves the draft, so nothing typed is lost."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import InformationSystem
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms import legal_bases
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.drafting import (
    BeginForm,
    ItemsForm,
    PaperForm,
    PromiseForm,
    PurposeForm,
    usual_period,
)
from apps.sharing.models import LIMIT_FIELDS, SharingRequest
from apps.sharing.queries.returned import why_returned
from apps.sharing.views.against import against_grant
from apps.sharing.views.buttons import missing_parts
from apps.sharing.views.detail import condition_words, item_lines, subject_or_404
from apps.sharing.views.moves import done, freshen
from apps.sharing.views.terms_templates import recommended_terms
from apps.sharing.views.weighing import objections_to

STEPS: Final = {
    "items": gettext_lazy("数据项"),
    "purpose": gettext_lazy("用途"),
    "rows": gettext_lazy("数据范围"),
    "papers": gettext_lazy("附件"),
    "review": gettext_lazy("核对提交"),
}
OF_THE_WHOLE: Final = ("papers", "review")
FOUND_ROWS: Final = 20
PURPOSE_FIELDS: Final = (
    "basis",
    "scenario",
    "scope",
    "mode",
    "starts_on",
    "ends_on",
    *LIMIT_FIELDS,
)


@login_required
def begin(request: HttpRequest) -> HttpResponse:
    """Choose the entry and the system; from then on the draft exists."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", SharingRequest, at=at):
        raise PermissionDenied
    department = asking_department(user, at)
    available = catalog.to_be_had_by(department.pk).select_related("department")
    words = request.GET.get("q", "").strip()
    dataset = _chosen(request, available)
    form = BeginForm(
        request.POST or None,
        datasets=available,
        systems=InformationSystem.objects.in_service().filter(department=department),
        initial={"dataset": dataset},
    )
    if request.method == "POST" and form.is_valid():
        draft = _begun(form, user, at)
        if draft:
            return redirect("sharing:request-edit", pk=draft.pk, step="items")
    context = {
        "form": form,
        "dataset": dataset,
        "words": words,
        "found": _found(available, words) if words and dataset is None else None,
        "steps": [
            (gettext_lazy("选择目录"), "current"),
            *((label, "") for label in STEPS.values()),
        ],
    }
    return render(request, "sharing/request_new.html", context)


def _begun(form: BeginForm, user: Any, at: datetime) -> SharingRequest | None:
    """The draft, with nothing ticked; None where the form says why not."""
    try:
        return sharing.draft_request(
            dataset=form.cleaned_data["dataset"],
            system=form.cleaned_data["system"],
            actor=user,
            at=at,
            items=(),
            **usual_period(),
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return None


@login_required
def edit(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """One step of a draft: save it and go on, or stay and be told what is wrong."""
    subject = subject_or_404(request, pk)
    if step not in PAGES:
        raise Http404
    if not access.allowed(request.user, "revise", subject):
        if access.allowed(request.user, "view", subject) and step == "review":
            return redirect("sharing:request", pk=pk)
        raise PermissionDenied
    return PAGES[step](request, subject)


def edit_items(request: HttpRequest, subject: SharingRequest) -> HttpResponse:
    form = ItemsForm(request.POST if request.method == "POST" else None, request=subject)
    recommended = recommended_terms(subject)
    if recommended is not None and "recommended" in request.GET:
        form.chosen = recommended["masks"]
    if form.is_bound and form.is_valid():
        saved = _save(request, subject, form, items=form.cleaned_data["items"])
        if saved:
            return _onward(request, subject, "items")
    return _show(request, subject, "items", {"form": form, "recommended": recommended})


def edit_purpose(request: HttpRequest, subject: SharingRequest) -> HttpResponse:
    form = PurposeForm(request.POST or None, instance=SharingRequest.objects.get(pk=subject.pk))
    if form.is_bound and form.is_valid():
        written = {
            name: form.cleaned_data[name]
            for name in PURPOSE_FIELDS
            if form.cleaned_data[name] not in (None, "") or name != "mode"
        }
        if _save(request, subject, form, **written):
            return _onward(request, subject, "purpose")
    context = {
        "form": form,
        "provisions": legal_bases.USE,
        "dataset_condition": subject.dataset.sharing_condition,
    }
    return _show(request, subject, "purpose", context)


def edit_rows(request: HttpRequest, subject: SharingRequest) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    lines = ConditionLines.of(subject.dataset, initial=subject.row_condition, data=data)
    is_sent = data is not None and lines.is_valid() and "add_line" not in data
    if is_sent and _save(request, subject, lines, row_condition=lines.as_json()):
        return _onward(request, subject, "rows")
    return _show(request, subject, "rows", {"lines": lines, "form": lines})


def edit_papers(request: HttpRequest, subject: SharingRequest) -> HttpResponse:
    wants_to_add = request.method == "POST" and "add" in request.POST
    form = PaperForm(
        request.POST if wants_to_add else None, request.FILES if wants_to_add else None
    )
    if request.method == "POST" and not wants_to_add:
        return _onward(request, subject, "papers")
    if wants_to_add and form.is_valid() and _attach(request, subject, form):
        return redirect("sharing:request-edit", pk=subject.pk, step="papers")
    context = {"form": form, "attachments": subject.attachments.select_related("added_by")}
    return _show(request, subject, "papers", context)


@login_required
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a paper to a request that is under way, on either side."""
    subject = subject_or_404(request, pk)
    if not access.allowed(request.user, "attach", subject):
        raise PermissionDenied
    form = PaperForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _attach(request, subject, form):
        return redirect("sharing:request", pk=pk)
    return render(request, "sharing/request_paper.html", {"subject": subject, "form": form})


def _attach(request: HttpRequest, subject: SharingRequest, form: PaperForm) -> bool:
    attached = done(
        request,
        form,
        lambda at: sharing.attach(
            request=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            **form.cleaned_data,
        ),
    )
    if attached:
        messages.success(request, _("已添加附件“%(title)s”") % form.cleaned_data)
    return attached


def edit_review(request: HttpRequest, subject: SharingRequest) -> HttpResponse:
    """Show everything once more, take the promise, and send it to the own head."""
    form = PromiseForm(
        request.POST or None,
        initial={"revision": subject.revision, "vouched": subject.vouched},
    )
    is_supplement = subject.status == "supplement"
    if request.method == "POST" and form.is_valid():
        if done(request, form, lambda at: _promise(request, subject, form, at)):
            if is_supplement:
                return redirect("sharing:request-move", pk=subject.pk, name="supplement")
            messages.success(request, _("已提交本部门共享工作机构负责人审批"))
            return redirect("sharing:request", pk=subject.pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {
        "form": form,
        "items": item_lines(subject, None),
        "conditions": condition_words(subject, subject.row_condition),
        "attachments": subject.attachments.all(),
        "missing": missing_parts(subject),
        "objections": objections_to(subject),
        "is_supplement": is_supplement,
        "against": against_grant(subject),
    }
    return _show(request, subject, "review", context)


def _promise(request: HttpRequest, subject: SharingRequest, form: PromiseForm, at: Any) -> None:
    user: Any = request.user
    revised = sharing.revise(
        request=subject, actor=user, at=at, vouched=True, revision=form.cleaned_data["revision"]
    )
    if revised.status != "supplement":
        sharing.submit(request=revised, actor=user, at=at)


PAGES: Final[dict[str, Callable[[HttpRequest, SharingRequest], HttpResponse]]] = {
    "items": edit_items,
    "purpose": edit_purpose,
    "rows": edit_rows,
    "papers": edit_papers,
    "review": edit_review,
}


def _save(request: HttpRequest, subject: SharingRequest, form: Any, **written: Any) -> bool:
    """Keep a step; a refusal goes to the form, with everything that was typed."""
    revision = request.POST.get("revision", "")
    try:
        sharing.revise(
            request=subject,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
            revision=int(revision) if revision.isdecimal() else None,
            **written,
        )
    except DomainError as error:
        messages.error(request, str(error))
        subject.refresh_from_db()
        return False
    return True


def _onward(request: HttpRequest, subject: SharingRequest, step: str) -> HttpResponse:
    names = steps_of(subject)
    is_last = step == names[-1]
    if "leave" in request.POST or is_last:
        messages.success(request, _("草稿已保存"))
        if _is_unsent_part(subject):
            return redirect("sharing:package", pk=subject.package_id)
        return redirect("sharing:request", pk=subject.pk)
    return redirect("sharing:request-edit", pk=subject.pk, step=names[names.index(step) + 1])


def steps_of(subject: SharingRequest) -> list[str]:
    """Return the steps of a request.

    Papers and promise of a matter's parts are common to all; the rows of return flow are given.
    """
    given = set(OF_THE_WHOLE) if _is_unsent_part(subject) else set()
    if queries.return_flow_of(subject) is not None:
        given.add("rows")
    return [name for name in STEPS if name not in given]


def _is_unsent_part(subject: SharingRequest) -> bool:
    return subject.package_id is not None and subject.status in ("draft", "head_returned")


def _show(
    request: HttpRequest, subject: SharingRequest, step: str, context: dict[str, Any]
) -> HttpResponse:
    names = steps_of(subject) if step in steps_of(subject) else list(STEPS)
    here = names.index(step)
    common = {
        "subject": subject,
        "step": step,
        "step_label": STEPS[step],
        "sent_back": why_returned(subject),
        "flow": queries.return_flow_of(subject),
        "other": queries.request_in_the_way(subject),
        "steps": [
            (STEPS[name], name, "current" if name == step else "done" if index < here else "")
            for index, name in enumerate(names)
        ],
        "previous": names[here - 1] if here else "",
        "is_last": step == names[-1] and step != "review",
    }
    return render(request, f"sharing/edit_{step}.html", {**common, **context})


def asking_department(user: Any, at: Any) -> Any:
    """Return the department in whose name the person asks: his own, or his principal's."""
    if user.holds("department_editor") and user.department is not None:
        return user.department
    return access.require(user, "create", SharingRequest, at=at).principal.department  # type: ignore[union-attr]


def _chosen(request: HttpRequest, available: QuerySet[Dataset]) -> Dataset | None:
    key = request.POST.get("dataset") or request.GET.get("dataset", "")
    return available.filter(pk=int(key)).first() if key.isdecimal() else None


def _found(available: QuerySet[Dataset], words: str) -> list[Dataset]:
    matching = available.filter(
        Q(name__icontains=words)
        | Q(code__icontains=words)
        | Q(abstract__icontains=words)
        | Q(department__name__icontains=words)
        | Q(items__name__icontains=words)
    )
    return list(matching.distinct().order_by("name")[:FOUND_ROWS])
