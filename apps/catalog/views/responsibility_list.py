"""One responsibility list: its duties, corrected in a table, agreed to by many, moved on."""

from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.catalog.forms.fields import SEPARATORS
from apps.catalog.forms.responsibility import AddDutyForm, BulkForm, DutyRowForm, ListMoveForm
from apps.catalog.lifecycle import RESPONSIBILITY_LIST
from apps.catalog.lifecycle.responsibility import OPEN_TO_CHANGE
from apps.catalog.models import Duty, DutyStatus, ResponsibilityList
from apps.catalog.operations import compiling, duties, responsibility
from apps.catalog.queries import responsibility as queries
from apps.catalog.views.buttons import Button, main_first
from apps.catalog.views.duty_table import download
from apps.core import access
from apps.core.errors import DomainError, InvalidInput
from apps.core.lifecycle import Move
from apps.core.paging import page_of
from apps.ledger import queries as ledger

PAGE_ROWS: Final = 50
CONSEQUENCES: Final[dict[str, str | Promise]] = {
    "consult": gettext_lazy("清单将送责任部门逐项确认；截止日期后没有回复的，视为没有意见。"),
    "recall": gettext_lazy("责任部门将看不到这份清单，重新编制后再征求意见。"),
    "issue": gettext_lazy("清单立即生效：各项按完成期限计算，责任落实看板从今天起比对。"),
    "adjust": gettext_lazy("将按现有事项编制下一年度的清单；本清单在新清单印发前继续有效。"),
    "close": gettext_lazy("清单里的事项不再比对，责任部门不再承担。"),
    "reply": gettext_lazy("将以本部门名义回复主管部门；没有提出异议的事项视为确认。"),
}


def list_or_404(request: HttpRequest, pk: int) -> ResponsibilityList:
    user: Any = request.user
    visible = access.rows(user, "view", ResponsibilityList)
    return get_object_or_404(visible.select_related("department", "previous"), pk=pk)


@login_required
def responsibility_list(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    subject = list_or_404(request, pk)
    top = subject.duties.filter(parent=None)
    status = request.GET.get("status", "")
    shown = top.filter(status=status) if status in DutyStatus.values else top
    if words := request.GET.get("q", "").strip():
        shown = shown.filter(title__icontains=words)
    if request.GET.get("format"):
        return download(str(subject), shown, request.GET["format"])
    may_revise = subject.status in OPEN_TO_CHANGE and access.allowed(user, "revise", subject)
    page = page_of(
        shown.select_related("dataset", "department").annotate(part_count=Count("parts")),
        request.GET,
        size=PAGE_ROWS,
        key="pk",
        total=shown.count(),
    )
    context = {
        "subject": subject,
        "page": page,
        "lines": [(duty, _row_form(duty) if may_revise else None) for duty in page.rows],
        "today": timezone.localdate(),
        "chips": _status_chips(top, status),
        "answerable": ("proposed", "objected"),
        "stamp": _stamp(subject),
        "is_filtered": bool(status or words),
        "buttons": _buttons(user, subject),
        "may_revise": may_revise,
        "bulk": BulkForm(prefix="bulk"),
        "add_form": AddDutyForm() if may_revise else None,
        "may_accept": _may_accept(user, subject),
        "difference": queries.difference_of(subject),
        "trail": ledger.trail(subject),
        "owed": list(ledger.open_todos_of(subject)),
    }
    return render(request, "catalog/responsibility_list.html", context)


def _status_chips(duties: QuerySet[Duty], status: str) -> list[tuple[str, Any, int, bool]]:
    counts = dict(duties.order_by().values_list("status").annotate(Count("pk")))
    return [
        ("", _("全部"), sum(counts.values()), not status),
        *(
            (value, label, counts[value], value == status)
            for value, label in DutyStatus.choices
            if value in counts
        ),
    ]


@login_required
@require_POST
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Save the table, or give all ticked lines one day or population."""
    user: Any = request.user
    subject = list_or_404(request, pk)
    if not access.allowed(user, "revise", subject):
        raise PermissionDenied
    back = redirect(subject.get_absolute_url())
    try:
        changes = _bulk(request) if "bulk" in request.POST else _lines(request, subject)
        changed = duties.revise_duties(
            responsibility_list=subject, changes=changes, actor=user, at=timezone.now()
        )
    except DomainError as error:
        messages.error(request, str(error))
        return back
    messages.success(request, _("已修改 %(count)s 项") % {"count": len(changed)})
    return back


@login_required
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a duty on the list by hand."""
    user: Any = request.user
    subject = list_or_404(request, pk)
    if not access.allowed(user, "revise", subject):
        raise PermissionDenied
    form = AddDutyForm(request.POST)
    if not form.is_valid():
        messages.error(
            request, " ".join(str(words) for each in form.errors.values() for words in each)
        )
        return redirect(subject.get_absolute_url())
    given = dict(form.cleaned_data)
    names = [name.strip() for name in SEPARATORS.split(given["item_names"]) if name.strip()]
    given |= {"item_names": names, "item_columns": [""] * len(names)}
    try:
        made = duties.add_duty(responsibility_list=subject, actor=user, at=timezone.now(), **given)
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已列入：%(title)s") % {"title": made.title})
    return redirect(subject.get_absolute_url())


@login_required
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree to the ticked duties."""
    user: Any = request.user
    subject = list_or_404(request, pk)
    keys = [key for key in request.POST.getlist("duties") if key.isdecimal()]
    chosen = list(subject.duties.filter(pk__in=keys).select_related("responsibility_list"))
    if any(not access.allowed(user, "accept", duty) for duty in chosen[:1]):
        raise PermissionDenied
    try:
        moved = duties.accept_duties(duties=chosen, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("已确认 %(count)s 项") % {"count": len(moved)})
    return redirect(subject.get_absolute_url())


@login_required
def move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Confirm a move of the list, and on POST make it."""
    user: Any = request.user
    subject = list_or_404(request, pk)
    found = {each.name: each for each in RESPONSIBILITY_LIST.moves}.get(name)
    if found is None and name != "reply":
        raise Http404
    if not access.allowed(user, name, subject):
        raise PermissionDenied
    form = ListMoveForm(
        request.POST or None, name=name, move=found, initial={"revision": subject.revision}
    )
    label = found.label if found else _("回复意见")
    if request.method == "POST" and form.is_valid():
        room: Any = compiling if name == "adjust" else responsibility
        try:
            done = getattr(room, name)(
                responsibility_list=subject, actor=user, at=timezone.now(), **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, str(error))
            subject.refresh_from_db()
        else:
            messages.success(request, _("已办理：%(move)s") % {"move": label})
            return redirect(done.get_absolute_url())
    context = {
        "subject": subject,
        "label": label,
        "tone": found.tone if found else "primary",
        "form": form,
        "consequence": CONSEQUENCES[name],
        "why_not": _why_not(subject, found),
        "listing": (reverse("catalog:responsibility-lists"), _("责任清单")),
        "subject_label": _("责任清单"),
    }
    return render(request, "catalog/duty_move.html", context)


def _why_not(subject: ResponsibilityList, found: Move | None) -> str:
    sources = found.sources if found else ("consulting",)
    if subject.status in sources:
        return ""
    return _("当前状态为“%(status)s”，不能办理") % {"status": subject.get_status_display()}


def _buttons(user: Any, subject: ResponsibilityList) -> list[Button]:
    found = [
        Button(
            each.name,
            each.label,
            _move_url(subject, each.name),
            each.tone,
            _not_ready(subject) if each.name == "issue" else "",
        )
        for each in RESPONSIBILITY_LIST.moves_from(subject.status)
        if access.allowed(user, each.name, subject)
    ]
    if subject.status == "consulting" and access.allowed(user, "reply", subject):
        found.append(Button("reply", _("回复意见"), _move_url(subject, "reply"), "primary"))
    return main_first(found)


def _not_ready(subject: ResponsibilityList) -> str:
    """What still keeps the list from being issued."""
    try:
        responsibility.require_ready(subject, timezone.localdate())
    except InvalidInput as error:
        return str(error)
    return ""


def _stamp(subject: ResponsibilityList) -> int:
    """Return what changes whenever a duty of the list is saved: what was typed before is old."""
    last = subject.duties.aggregate(last=Max("updated_at"))["last"]
    return int(last.timestamp() * 1_000_000) if last else 0


def _move_url(subject: ResponsibilityList, name: str) -> str:
    return reverse("catalog:responsibility-list-move", args=[subject.pk, name])


def _may_accept(user: Any, subject: ResponsibilityList) -> bool:
    waiting = subject.duties.filter(status="proposed")
    return subject.status == "consulting" and access.rows(user, "accept", waiting).exists()


def _row_form(duty: Duty) -> DutyRowForm:
    initial = {name: getattr(duty, name) for name in DutyRowForm.base_fields}
    form = DutyRowForm(prefix=f"duty{duty.pk}", initial=initial, auto_id="%s")
    for name, bound in form.fields.items():
        bound.widget.attrs["aria-label"] = f"{duty.title} · {DutyRowForm.base_fields[name].label}"
    return form


def _lines(request: HttpRequest, subject: ResponsibilityList) -> dict[int, dict[str, Any]]:
    """Read the table.

    Raises:
        InvalidInput: by way of the operation; a cell that is no number or day raises it here.
    """
    changes = {}
    shown = {key for key in request.POST.getlist("shown") if key.isdecimal()}
    for duty in subject.duties.filter(pk__in=shown):
        form = DutyRowForm(request.POST, prefix=f"duty{duty.pk}")
        if not form.is_valid():
            field, words = next(iter(form.errors.items()))
            label = DutyRowForm.base_fields[field].label
            raise InvalidInput(f"{duty.title} · {label}：{words[0]}")
        changes[duty.pk] = form.cleaned_data
    return changes


def _bulk(request: HttpRequest) -> dict[int, dict[str, Any]]:
    form = BulkForm(request.POST, prefix="bulk")
    if not form.is_valid():
        raise InvalidInput(_("填写完成期限或者应归集条数"))
    given = {name: value for name, value in form.cleaned_data.items() if value is not None}
    keys = [int(key) for key in request.POST.getlist("duties") if key.isdecimal()]
    if not given or not keys:
        raise InvalidInput(_("先勾选事项，并填写完成期限或者应归集条数"))
    return dict.fromkeys(keys, given)
