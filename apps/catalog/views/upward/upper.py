"""The catalogues above, searchable, and the requests for their data."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.forms.upward import UpperImportForm, UpperMoveForm, UpperRequestForm
from apps.catalog.lifecycle import UPPER_REQUEST
from apps.catalog.models import (
    Dataset,
    UpperDataset,
    UpperLevel,
    UpperRequest,
    UpperRequestStatus,
)
from apps.catalog.operations import upper_requests, upward
from apps.catalog.queries import upward as queries
from apps.core import access
from apps.core.chips import Chip
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.ledger import queries as ledger

CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "submit": gettext_lazy("将送本部门共享工作机构负责人审批，审批期间不能修改。"),
    "approve": gettext_lazy("将以本部门名义报送主管部门，由其转报上级。"),
    "send_back": gettext_lazy("申请退回申请部门经办人修改，修改后重新审批。"),
    "forward": gettext_lazy("记下已转报上级，申请部门会收到通知；此后不能再撤回。"),
    "agree": gettext_lazy("申请部门会收到上级同意的通知。"),
    "refuse": gettext_lazy("申请部门会收到上级的理由，申请就此结束。"),
    "deliver": gettext_lazy("记下数据已经取得，由申请部门办结。"),
    "close": gettext_lazy("申请办结，此后不能再办理。"),
    "withdraw": gettext_lazy("申请不再办理。"),
}


@login_required
def catalogue(request: HttpRequest) -> HttpResponse:
    """Search the entries of the levels above."""
    words, level = request.GET.get("q", "").strip()[:100], request.GET.get("level", "")
    found = access.rows(request.user, "view", queries.search_upper(level, words))
    source = request.GET.get("source", "")
    chips = _source_chips(found, source)
    if source == "above":
        found = found.filter(our_code="")
    elif source == "ours":
        found = found.exclude(our_code="")
    context = {
        "page": page_of(found, request.GET, size=50),
        "chips": chips,
        "source": source,
        "levels": UpperLevel.choices,
        "level": level,
        "words": words,
        "can_import": access.able(request.user, "import", UpperDataset),
    }
    return render(request, "catalog/upper.html", context)


@login_required
def take_in(request: HttpRequest) -> HttpResponse:
    """Take a whole catalogue of a level above in, by file."""
    user: Any = request.user
    if not access.able(user, "import", UpperDataset):
        raise PermissionDenied
    form = UpperImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            count = upward.import_upper(
                level=form.cleaned_data["level"],
                content=upload.read(),
                name=upload.name,
                actor=user,
                at=timezone.now(),
            )
        except DomainError as error:
            form.add_error("file", str(error))
        else:
            messages.success(request, _("已导入 %(count)s 条上级目录") % {"count": count})
            return redirect("catalog:upper")
    return render(request, "catalog/upper_import.html", {"form": form})


@login_required
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    subject = get_object_or_404(access.rows(user, "view", UpperDataset), pk=pk)
    requests_so_far = access.rows(user, "view", UpperRequest.objects.filter(upper_dataset=subject))
    ours = access.rows(user, "view", Dataset).filter(code=subject.our_code or None).first()
    context = {
        "subject": subject,
        "ours": ours,
        "requests": requests_so_far.select_related("department"),
        "can_ask": subject.is_standing and access.able(user, "create", UpperRequest),
    }
    return render(request, "catalog/upper_entry.html", context)


@login_required
def ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a request for an entry of a level above."""
    user: Any = request.user
    subject = get_object_or_404(access.rows(user, "view", UpperDataset), pk=pk)
    if not access.able(user, "create", UpperRequest):
        raise PermissionDenied
    form = UpperRequestForm(request.POST or None, initial={"contact_name": user.get_full_name()})
    if request.method == "POST" and form.is_valid():
        try:
            made = upper_requests.draft(
                upper_dataset=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已起草 %(number)s") % {"number": made.number})
            return redirect(made.get_absolute_url())
    context = {
        "subject": subject,
        "form": form,
        "keep": f"upper-{subject.pk}:0:ask",
        "back_url": reverse("catalog:upper-entry", args=[subject.pk]),
    }
    return render(request, "catalog/upper_ask.html", context)


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft or a returned request."""
    row = _request_or_404(request, pk)
    if not access.allowed(request.user, "revise", row):
        raise PermissionDenied
    form = UpperRequestForm(request.POST or None, instance=UpperRequest.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        posted = request.POST.get("revision", "")
        try:
            upper_requests.revise(
                request=row,
                actor=request.user,  # type: ignore[arg-type]
                at=timezone.now(),
                revision=int(posted) if posted.isascii() and posted.isdigit() else None,
                **form.cleaned_data,
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已保存 %(number)s") % {"number": row.number})
            return redirect(row.get_absolute_url())
    context = {
        "subject": row.upper_dataset,
        "row": row,
        "form": form,
        "keep": f"upper-request-{pk}:{row.revision}:edit",
        "back_url": row.get_absolute_url(),
    }
    return render(request, "catalog/upper_ask.html", context)


@login_required
def requests(request: HttpRequest) -> HttpResponse:
    """The requests for upper data that I may see."""
    rows = access.rows(request.user, "view", UpperRequest).select_related(
        "department", "upper_dataset"
    )
    chosen = request.GET.get("status", "")
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    chips = [
        Chip("", _("全部"), sum(counts.values()), not chosen),
        *(
            Chip(value, label, counts.get(value, 0), value == chosen)
            for value, label in UpperRequestStatus.choices
            if value in counts or value == chosen
        ),
    ]
    if chosen in UpperRequestStatus.values:
        rows = rows.filter(status=chosen)
    context = {
        "page": page_of(rows, request.GET, size=50),
        "chips": chips,
        "chosen": chosen,
        "can_ask": access.able(request.user, "create", UpperRequest),
    }
    return render(request, "catalog/upper_requests.html", context)


@login_required
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    subject = _request_or_404(request, pk)
    moves = [
        move
        for move in UPPER_REQUEST.moves_from(subject.status)
        if access.allowed(request.user, move.name, subject)
    ]
    context = {
        "subject": subject,
        "can_revise": access.allowed(request.user, "revise", subject),
        "moves": sorted(moves, key=lambda move: ("primary", "neutral", "danger").index(move.tone)),
        "owed": list(ledger.open_todos_of(subject)),
        "trail": ledger.trail(subject),
    }
    return render(request, "catalog/upper_request.html", context)


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of a request for upper data, and on POST make it."""
    subject = _request_or_404(request, pk)
    found = next((each for each in UPPER_REQUEST.moves if each.name == name), None)
    if found is None:
        raise Http404
    if not access.allowed(request.user, name, subject):
        raise PermissionDenied
    form = UpperMoveForm(request.POST or None, move=found, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        try:
            getattr(upper_requests, name)(
                request=subject, actor=request.user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": found.label})
            return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "move": found,
        "form": form,
        "consequence": CONSEQUENCES[name],
        "back_url": subject.get_absolute_url(),
        "keep": f"upper-request-{pk}",
        "why_not": ""
        if subject.status in found.sources
        else _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()},
    }
    return render(request, "catalog/upper_request_move.html", context)


def _source_chips(found: QuerySet[UpperDataset], chosen: str) -> list[Chip]:
    """Entries of the level above itself, and those that this city reported there."""
    total, above = found.count(), found.filter(our_code="").count()
    return [
        Chip("", _("全部"), total, chosen not in ("above", "ours")),
        Chip("above", _("上级部门提供"), above, chosen == "above"),
        Chip("ours", _("本市上报"), total - above, chosen == "ours"),
    ]


def _request_or_404(request: HttpRequest, pk: int) -> UpperRequest:
    rows = access.rows(request.user, "view", UpperRequest)
    found: UpperRequest = get_object_or_404(
        rows.select_related("department", "upper_dataset", "drafted_by"), pk=pk
    )
    return found
