"""Bring entries in by spreadsheet: upload, verdicts, decisions, adoption, results."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog import operations as catalog
from apps.catalog import queries
from apps.catalog.forms import ImportForm
from apps.catalog.lifecycle import OPEN_IMPORT
from apps.catalog.models import CatalogImport, ImportEntry
from apps.catalog.spreadsheets.answering import written
from apps.catalog.spreadsheets.marking import write_marked
from apps.catalog.spreadsheets.showing import clash_lines, difference_lines, item_lines
from apps.core import access
from apps.core.chips import Chip
from apps.core.errors import DomainError
from apps.core.paging import page_of
from apps.core.workbooks.guarding import LIMIT_BYTES
from apps.ledger import queries as ledger

PAGE_ROWS = 50
ENTRY_ROWS = 30


@login_required
def imports(request: HttpRequest) -> HttpResponse:
    """The spreadsheets that my department, or the authority, handed in."""
    user: Any = request.user
    rows = access.rows(user, "view", CatalogImport).select_related("uploaded_by", "department")
    context = {
        "page": page_of(rows, request.GET, size=PAGE_ROWS),
        "can_create": access.able(user, "create", CatalogImport),
    }
    return render(request, "catalog/imports.html", context)


@login_required
def import_new(request: HttpRequest) -> HttpResponse:
    """Choose a file; the worker checks it."""
    user: Any = request.user
    if not access.able(user, "create", CatalogImport):
        raise PermissionDenied
    form = ImportForm(request.POST or None, request.FILES or None)
    earlier = _earlier(request)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            subject = catalog.receive_import(
                file=file, file_name=file.name, actor=user, at=timezone.now(), instead_of=earlier
            )
        except DomainError as error:
            form.add_error("file", str(error))
        else:
            return redirect(subject.get_absolute_url())
    context = {
        "form": form,
        "limit": LIMIT_BYTES >> 20,
        "is_authority": _is_authority(user),
        "earlier": earlier,
    }
    return render(request, "catalog/import_new.html", context)


def _earlier(request: HttpRequest) -> CatalogImport | None:
    """The checked spreadsheet that the next one replaces, if the address names one."""
    key = request.GET.get("instead", "")
    if not key.isdecimal() or len(key) > 18:
        return None
    rows = access.rows(request.user, "discard", CatalogImport)
    return rows.filter(pk=int(key), status=CatalogImport.Status.CHECKED).first()


def _is_authority(user: Any) -> bool:
    return bool(user.holds("authority_officer"))


@login_required
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; then the verdicts, what can be done now, and what became of it."""
    user: Any = request.user
    subject = import_or_404(request, pk)
    counts = queries.verdict_counts(subject)
    chosen = request.GET.get("action", "")
    entries, unlisted = _listed(subject, counts, chosen)
    page = page_of(entries, request.GET, size=ENTRY_ROWS, key="position")
    common = subject.summary.get("common", [])
    for entry in page.rows:
        entry.shown = difference_lines(entry)
        entry.own_faults = _without(entry.faults, common)
    context = {
        "common": common,
        "unlisted": unlisted,
        "subject": subject,
        "is_running": subject.status in OPEN_IMPORT,
        "counts": counts,
        "chips": _chips(subject, counts, chosen),
        "chosen": chosen,
        "page": page,
        "may_decide": access.allowed(user, "adopt", subject),
        "undecided": len(queries.undecided(subject)) if counts["conflict"] else 0,
        "revised": counts["revise"] + counts["conflict"],
        "adoptable": counts["create"] + counts["revise"] + counts["conflict"],
        "outcomes": _outcomes(subject),
        "to_submit": _to_submit(subject),
        "drafts": _drafts(subject),
        "standing": _standing(subject),
        "skipped": subject.entries.filter(outcome=ImportEntry.Outcome.SKIPPED).count(),
        "trail": ledger.trail(subject),
    }
    return render(request, "catalog/import.html", context)


def _listed(
    subject: CatalogImport, counts: dict[str, int], chosen: str
) -> tuple[QuerySet[ImportEntry], int]:
    """Return the entries to be listed, and how many are not for having no change."""
    entries = subject.entries.select_related("department", "dataset", "change")
    if chosen in ImportEntry.Action.values:
        return entries.filter(action=chosen), 0
    if chosen == "due":
        return entries.filter(faults__contains=[{"level": "due"}]), 0
    unchanged = counts[ImportEntry.Action.UNCHANGED]
    if unchanged and unchanged < sum(counts.values()):
        return entries.exclude(action=ImportEntry.Action.UNCHANGED), unchanged
    return entries, 0


def _without(faults: list[dict[str, Any]], common: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what is said once above all the entries."""
    said = {(each["level"], each["message"]) for each in common}
    return [
        each
        for each in faults
        if each["cell"] or (each["level"], each.get("gist") or each["message"]) not in said
    ]


def _drafts(subject: CatalogImport) -> int:
    """How many drafts of the own department can be completed together."""
    if subject.status != CatalogImport.Status.ADOPTED or subject.department_id is None:
        return 0
    return queries.drafts_of(subject).count()


def _standing(subject: CatalogImport) -> list[tuple[str, int]]:
    """How far the drafts and changes of an adopted import have come since."""
    if subject.status != CatalogImport.Status.ADOPTED:
        return []
    entries = subject.entries.filter(outcome__in=["created", "revised", "changed"])
    matters = (
        entry.change or entry.dataset for entry in entries.select_related("dataset", "change")
    )
    found = Counter(str(each.get_status_display()) for each in matters if each is not None)
    return found.most_common()


def _chips(subject: CatalogImport, counts: dict[str, int], chosen: str) -> list[Chip]:
    chips = [
        Chip(value, label, counts[value], value == chosen)
        for value, label in ImportEntry.Action.choices
        if counts[value] or value == chosen
    ]
    due = subject.entries.filter(faults__contains=[{"level": "due"}]).count()
    if due or chosen == "due":
        chips.append(Chip("due", _("提交前须补"), due, chosen == "due"))
    return chips


def _outcomes(subject: CatalogImport) -> list[tuple[str | Promise, int]]:
    if subject.status != CatalogImport.Status.ADOPTED:
        return []
    counts = queries.outcome_counts(subject)
    return [(label, counts[value]) for value, label in ImportEntry.Outcome.choices if counts[value]]


def _to_submit(subject: CatalogImport) -> int:
    if subject.status != CatalogImport.Status.ADOPTED:
        return 0
    editable = ["draft", "returned"]
    waiting = Q(change__status__in=editable) | Q(change=None, dataset__status__in=editable)
    return subject.entries.filter(waiting, outcome__in=["created", "revised", "changed"]).count()


@login_required
def import_state(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes while the worker is at it; empty once it is over."""
    subject = import_or_404(request, pk)
    if subject.status not in OPEN_IMPORT:
        return HttpResponse(status=204)
    return render(request, "catalog/_import_state.html", {"subject": subject})


@login_required
def import_entry(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """One entry of a sheet: its faults, what differs, and its conflicts to be decided."""
    user: Any = request.user
    subject = import_or_404(request, pk)
    entry = (
        subject.entries.select_related("department", "dataset", "catalog_import", "change")
        .filter(position=position)
        .first()
    )
    if entry is None:
        raise Http404
    may_decide = subject.status == "checked" and access.allowed(user, "decide", subject)
    if request.method == "POST":
        return _decide(request, entry)
    following = (
        subject.entries.filter(action="conflict", position__gt=position).order_by("position")
    ).first()
    context = {
        "subject": subject,
        "entry": entry,
        "differences": difference_lines(entry),
        "clashes": clash_lines(entry),
        "in_force": entry.dataset and queries.current_version(entry.dataset),
        "new_items": [] if entry.dataset else item_lines(entry),
        "may_decide": may_decide,
        "following": following,
    }
    return render(request, "catalog/import_entry.html", context)


def _decide(request: HttpRequest, entry: ImportEntry) -> HttpResponse:
    user: Any = request.user
    known = [clash["key"] for clash in entry.proposal.get("clashes", ())]
    every = request.POST.get("every", "")
    decisions = {
        key: every or request.POST.get(f"clash-{place}", "") for place, key in enumerate(known)
    }
    chosen = {key: choice for key, choice in decisions.items() if choice}
    here = redirect("catalog:import-entry", entry.catalog_import_id, entry.position)
    if not chosen:
        messages.error(request, _("先选择每一项取哪一个值"))
        return here
    try:
        catalog.decide_import(entry=entry, actor=user, at=timezone.now(), decisions=chosen)
    except DomainError as error:
        messages.error(request, str(error))
        return here
    following = (
        entry.catalog_import.entries.filter(action="conflict", position__gt=entry.position)
        .order_by("position")
        .first()
    )
    if entry.open_clashes:
        messages.info(
            request, _("已记下决定，还有 %(count)s 处没有决定") % {"count": entry.open_clashes}
        )
        return here
    messages.success(request, _("已记下决定"))
    if following is not None and following.open_clashes:
        return redirect("catalog:import-entry", entry.catalog_import_id, following.position)
    return redirect(entry.catalog_import.get_absolute_url())


@login_required
@require_POST
def import_move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """Adopt, discard or recheck."""
    user: Any = request.user
    subject = import_or_404(request, pk)
    moves: dict[str, Any] = {
        "adopt": catalog.adopt,
        "discard": catalog.discard,
        "recheck": catalog.recheck,
    }
    if name not in moves:
        raise Http404
    revision = request.POST.get("revision", "")
    more = {"scope": request.POST.get("scope", "")} if name == "adopt" else {}
    try:
        moves[name](
            subject=subject,
            actor=user,
            at=timezone.now(),
            revision=int(revision) if revision.isdecimal() else None,
            **more,
        )
    except DomainError as error:
        messages.error(request, str(error))
    return redirect(subject.get_absolute_url())


@login_required
@require_POST
def import_submit_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Submit everything that the import brought; what is incomplete is told of, one by one."""
    user: Any = request.user
    subject = import_or_404(request, pk)
    try:
        results = catalog.submit_all(subject=subject, actor=user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
        return redirect(subject.get_absolute_url())
    context = {
        "subject": subject,
        "results": results,
        "done": sum(1 for result in results if not result.problem),
        "failed": [result for result in results if result.problem],
        "drafts": _drafts(subject),
    }
    return render(request, "catalog/import_submitted.html", context)


@login_required
def import_marked(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The uploaded sheet again, with the verdicts beside its rows."""
    subject = import_or_404(request, pk)
    if subject.status in {"received", "checking", "refused", "discarded"}:
        raise Http404

    def write(path: Path) -> None:
        write_marked(subject, path)

    return written(write, f"{subject}-检查结果.xlsx")


def import_or_404(request: HttpRequest, pk: int) -> CatalogImport:
    found = (
        access.rows(request.user, "view", CatalogImport)
        .select_related("department", "uploaded_by", "decided_by")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found
