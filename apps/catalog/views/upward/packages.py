"""Packages of changes to the levels above: made, sent, receipted; where the two sides differ."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog.exchange import FILES
from apps.catalog.forms.upward import (
    DiscardForm,
    LevelForm,
    MappingForm,
    ReceiptForm,
    SendForm,
)
from apps.catalog.lifecycle import PACKAGE
from apps.catalog.models import UpperLevel, UpwardEntry, UpwardMapping, UpwardPackage
from apps.catalog.operations import upward
from apps.catalog.queries import upward as queries
from apps.catalog.views.detail import dataset_or_404
from apps.core import access
from apps.core.downloads import Cell, table_response
from apps.core.errors import DomainError
from apps.core.paging import page_of, page_of_list
from apps.ledger import queries as ledger

KINDS: Final = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
FORMS: Final[dict[str, Any]] = {"send": SendForm, "discard": DiscardForm}
PAGE_ROWS: Final = 50
WRITTEN_ABOVE: Final = {
    "upper_code": gettext_lazy("上级目录代码"),
    "classification": gettext_lazy("资源分类"),
    "attribute": gettext_lazy("共享属性"),
    "cycle": gettext_lazy("更新周期"),
    "format": gettext_lazy("格式"),
}
WAITING: Final = "waiting"  # how the address writes an entry without a receipt
GAP_HEADING: Final = (
    gettext_lazy("目录代码"),
    gettext_lazy("目录"),
    gettext_lazy("提供部门"),
    gettext_lazy("差别"),
    gettext_lazy("说明"),
)


@login_required
def packages(request: HttpRequest) -> HttpResponse:
    """The packages so far, and a new one of what changed since the last."""
    user: Any = request.user
    _require_overseer(user)
    form = LevelForm(request.POST or None, initial={"level": UpperLevel.PROVINCIAL})
    if request.method == "POST" and form.is_valid():
        try:
            made = upward.make_package(actor=user, at=timezone.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("已生成数据包 %(number)s") % {"number": made.number})
            return redirect(made.get_absolute_url())
    rows = queries.visible_packages(user).annotate(
        entry_count=Count("entries"),
        open_count=Count("entries", filter=Q(entries__receipt="")),
    )
    context = {
        "page": page_of(rows, request.GET, size=50),
        "form": form,
        "can_make": access.able(user, "create", UpwardPackage),
    }
    return render(request, "catalog/upward.html", context)


@login_required
def package(request: HttpRequest, pk: int) -> HttpResponse:
    """One package: its entries with their receipts, its files, what can be done."""
    user: Any = request.user
    subject = _package_or_404(user, pk)
    verdicts: list[upward.Verdict] = []
    forms = {name: form(initial={"revision": subject.revision}) for name, form in FORMS.items()}
    receipts = ReceiptForm()
    if request.method == "POST":
        done = request.POST.get("do", "")
        if done in FORMS:
            forms[done] = form = FORMS[done](request.POST)
            if form.is_valid() and _done(user, done, subject, form):
                label = PACKAGE.move(done).label
                messages.success(request, _("已办理：%(move)s") % {"move": label})
                return redirect(subject.get_absolute_url())
        else:
            receipts = ReceiptForm(request.POST, request.FILES)
            if receipts.is_valid():
                verdicts = _taken(user, subject, receipts)
        subject = _package_or_404(user, pk)
    context = {
        "subject": subject,
        **_entries(request, subject),
        "verdicts": verdicts,
        "left_out": [verdict for verdict in verdicts if verdict.problem],
        "forms": forms,
        "receipts": receipts,
        "may": access.allowed(user, "send", subject),
        "trail": ledger.trail(subject),
    }
    return render(request, "catalog/upward_package.html", context)


@login_required
def file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The package as a file, the same as long as it is the same package."""
    subject = _package_or_404(request.user, pk)
    if kind not in KINDS:
        raise Http404
    header = {
        "number": subject.number,
        "level": subject.level,
        "made_at": subject.created_at.isoformat(),
    }
    entries = (queries.content_of(entry) for entry in subject.entries.all())
    answer = HttpResponse(FILES.outgoing(header, entries, kind), content_type=KINDS[kind])
    answer["Content-Disposition"] = f'attachment; filename="{subject.number}.{kind}"'
    return answer


@login_required
def reconciliation(request: HttpRequest) -> HttpResponse:
    """Where our catalogue and the one above differ."""
    _require_overseer(request.user)
    level = request.GET.get("level", "")
    level = level if level in UpperLevel.values else UpperLevel.PROVINCIAL.value
    kind = request.GET.get("kind", "")
    gaps = queries.reconciliation(level)
    shown = [gap for gap in gaps if gap.kind == kind] if kind in queries.KINDS else gaps
    if request.GET.get("format"):
        name = f"{_('上报核对清单')} {UpperLevel(level).label}"
        return table_response(name, GAP_HEADING, _gap_rows(shown), form=request.GET["format"])
    counts = [
        ("", _("全部"), len(gaps)),
        *(
            (name, label, sum(gap.kind == name for gap in gaps))
            for name, label in queries.KINDS.items()
        ),
    ]
    page = page_of_list(shown, request.GET, size=PAGE_ROWS)
    context = {
        "levels": UpperLevel.choices,
        "level": level,
        "kind": kind if kind in queries.KINDS else "",
        "counts": counts,
        "page": page,
        "gaps": [(gap, queries.KINDS[gap.kind]) for gap in page.rows],
        "can_map": access.able(request.user, "create", UpwardPackage),
    }
    return render(request, "catalog/upward_reconciliation.html", context)


@login_required
def mapping(request: HttpRequest, code: str) -> HttpResponse:
    """An entry's codes above and what of it is reported otherwise."""
    user: Any = request.user
    subject = dataset_or_404(request, code)
    if not access.allowed(user, "map_upward", subject):
        raise PermissionDenied
    found = UpwardMapping.objects.filter(dataset=subject).first()
    form = MappingForm(request.POST or None, instance=found or UpwardMapping(dataset=subject))
    if request.method == "POST" and form.is_valid():
        upward.map_upward(dataset=subject, actor=user, at=timezone.now(), **form.cleaned_data)
        messages.success(request, _("已保存上报对照"))
        return redirect("catalog:upward-reconciliation")
    above = queries.written_above(subject)
    context = {
        "subject": subject,
        "form": form,
        "levels": [label for value, label in UpperLevel.choices if value in above],
        "written": [
            (label, [above[level][name] for level in UpperLevel.values])
            for name, label in WRITTEN_ABOVE.items()
            if above
        ],
    }
    return render(request, "catalog/upward_mapping.html", context)


def _entries(request: HttpRequest, subject: UpwardPackage) -> dict[str, Any]:
    """The entries of a package, a page at a time, by their receipts."""
    entries = subject.entries.select_related("dataset__department")
    counts = dict(entries.order_by().values_list("receipt").annotate(Count("pk")))
    chosen = request.GET.get("receipt", "")
    chips = [
        ("", _("全部"), sum(counts.values()), not chosen),
        *(
            (value or WAITING, label, counts[value], (value or WAITING) == chosen)
            for value, label in UpwardEntry.Receipt.choices
            if value in counts
        ),
    ]
    if chosen == WAITING:
        entries = entries.filter(receipt="")
    elif chosen and chosen in counts:
        entries = entries.filter(receipt=chosen)
    page = page_of(entries, request.GET, size=PAGE_ROWS, key="pk")
    return {"page": page, "entries": page.rows, "chips": chips, "is_filtered": bool(chosen)}


def _gap_rows(gaps: Iterable[queries.Gap]) -> Iterator[list[Cell]]:
    for gap in gaps:
        dataset = gap.dataset
        label = str(queries.KINDS[gap.kind])
        yield [dataset.code, dataset.name, dataset.department.name, label, str(gap.note)]


def _package_or_404(user: Any, pk: int) -> UpwardPackage:
    found: UpwardPackage = get_object_or_404(queries.visible_packages(user), pk=pk)
    return found


def _require_overseer(user: Any) -> None:
    if not user.holds("authority_officer", "authority_leader", "audit_admin"):
        raise PermissionDenied


def _done(user: Any, name: str, subject: UpwardPackage, form: Any) -> bool:
    try:
        getattr(upward, name)(package=subject, actor=user, at=timezone.now(), **form.cleaned_data)
    except DomainError as error:
        form.add_error(None, str(error))
        return False
    return True


def _taken(user: Any, subject: UpwardPackage, form: ReceiptForm) -> list[upward.Verdict]:
    upload = form.cleaned_data["file"]
    try:
        return upward.take_receipts(
            package=subject, content=upload.read(), name=upload.name, actor=user, at=timezone.now()
        )
    except DomainError as error:
        form.add_error("file", str(error))
        return []
