"""A matter that needs data of several departments: one application, one page that shows it all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.ledger import queries as ledger
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms import legal_bases
from apps.sharing.forms.drafting import PaperForm, PromiseForm
from apps.sharing.forms.packages import CommonForm
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import Attachment, RequestPackage, SharingRequest
from apps.sharing.operations.asking.packages import WRITTEN
from apps.sharing.queries import CLOSED
from apps.sharing.queries.packages import UNSENT, Part
from apps.sharing.views.buttons import Button, missing_parts_each
from apps.sharing.views.lists import Page, page_of
from apps.sharing.views.moves import done, freshen

# What is done with several parts at once, in the order of the buttons.
TOGETHER: Final = {
    "approve_by_head": gettext_lazy("整件同意"),
    "return_by_head": gettext_lazy("整件退回修改"),
    "pass_on": gettext_lazy("整件转报"),
    "return_by_district": gettext_lazy("整件退回申请部门"),
    "accept_form": gettext_lazy("一并受理"),
    "propose": gettext_lazy("一并提出意见"),
    "agree": gettext_lazy("一并签发同意"),
    "refuse": gettext_lazy("一并签发不予共享"),
    "withdraw": gettext_lazy("撤回整件"),
}
FOUND_ROWS: Final = 20


@dataclass(frozen=True)
class Counts:
    """How many parts of a matter are how far."""

    total: int
    delivered: int
    refused: int
    open: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.total + other.total,
            self.delivered + other.delivered,
            self.refused + other.refused,
            self.open + other.open,
        )


@login_required
def packages(request: HttpRequest) -> HttpResponse:
    """The matters that I may see, the newest first."""
    user: Any = request.user
    at = timezone.now()
    rows = queries.visible_packages(user, at).annotate(
        total=Count("parts", filter=~Q(parts__status="withdrawn"), distinct=True),
        ended=Count("parts", filter=Q(parts__status__in=("delivered", "refused")), distinct=True),
    )
    if words := request.GET.get("q", "").strip():
        rows = rows.filter(
            Q(title__icontains=words)
            | Q(number__icontains=words)
            | Q(consumer__name__icontains=words)
        )
    page: Page = page_of(rows, request.GET)
    context = {
        "page": page,
        "is_filtered": bool(words),
        "can_create": access.able(user, "create", RequestPackage, at=at),
    }
    return render(request, "sharing/packages.html", context)


@login_required
def package(request: HttpRequest, pk: int) -> HttpResponse:
    """One matter: each part, with whom it lies, its clock, and who holds up the rest."""
    user: Any = request.user
    at = timezone.now()
    subject = package_or_404(request, pk)
    parts = queries.parts_of(subject, user, at)
    shown = [part for part in parts if part.request.status != "withdrawn"]
    missing = missing_parts_each([part.request for part in parts if part.request.status in UNSENT])
    elsewhere = _elsewhere(subject, parts)
    context = {
        "subject": subject,
        "parts": [(part, missing.get(part.request.pk, [])) for part in shown],
        "withdrawn": [part.request for part in parts if part.request.status == "withdrawn"],
        "counts": _counts([part.request.status for part in shown]) + elsewhere,
        "elsewhere": elsewhere,
        "holders": queries.holders_of(shown),
        "buttons": _buttons(user, subject, parts, missing, at),
        "can_add": access.allowed(user, "add_to_package", subject, at=at),
        "papers": _papers(subject, shown),
        # What was done to the whole names the parts of others.
        "trail": [] if elsewhere.total else ledger.trail(subject),
    }
    return render(request, "sharing/package.html", context)


def package_or_404(request: HttpRequest, pk: int) -> RequestPackage:
    """Return the package when the person may see it."""
    user: Any = request.user
    found: RequestPackage = get_object_or_404(queries.visible_packages(user, timezone.now()), pk=pk)
    return found


@login_required
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """What the parts have in common."""
    subject = _editable(request, pk, "revise_package")
    form = CommonForm(
        request.POST or None,
        instance=RequestPackage.objects.get(pk=subject.pk),
        initial={"revision": subject.revision},
    )
    if request.method == "POST" and form.is_valid():
        written = {name: form.cleaned_data[name] for name in WRITTEN}
        if done(
            request,
            form,
            lambda at: sharing.revise_package(
                package=subject,
                actor=request.user,  # type: ignore[arg-type]
                at=at,
                revision=form.cleaned_data["revision"],
                **written,
            ),
        ):
            messages.success(request, _("共同内容已保存，写入尚未提交的各部分"))
            return redirect("sharing:package", pk=pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    context = {"subject": subject, "form": form, "provisions": legal_bases.USE}
    return render(request, "sharing/package_edit.html", context)


@login_required
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for more entries in the matter: those in the basket, or found here."""
    user: Any = request.user
    subject = _editable(request, pk, "add_to_package")
    if request.method == "POST":
        keys = [key for key in request.POST.getlist("datasets") if key.isdecimal()][:100]
        chosen = list(_available(subject).filter(pk__in=keys))
        try:
            sharing.add_to_package(package=subject, datasets=chosen, actor=user, at=timezone.now())
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("已加入 %(count)s 项") % {"count": len(chosen)})
            return redirect("sharing:package", pk=pk)
    words = request.GET.get("q", "").strip()
    context = {
        "subject": subject,
        "words": words,
        "basket": [
            entry.dataset
            for entry in queries.basket_of(user).filter(dataset__in=_available(subject))
        ],
        "found": _found(subject, words) if words else None,
    }
    return render(request, "sharing/package_add.html", context)


def _found(subject: RequestPackage, words: str) -> list[Dataset]:
    """Return the entries that may be added and that the words name."""
    matching = _available(subject).filter(
        Q(name__icontains=words)
        | Q(code__icontains=words)
        | Q(abstract__icontains=words)
        | Q(department__name__icontains=words)
        | Q(items__name__icontains=words)
    )
    return list(matching.distinct().order_by("name")[:FOUND_ROWS])


@login_required
def papers(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a paper to all parts at once."""
    subject = _editable(request, pk, "attach_to_package")
    form = PaperForm(request.POST or None, request.FILES or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and done(
            request,
            form,
            lambda at: sharing.attach_to_package(
                package=subject,
                actor=request.user,  # type: ignore[arg-type]
                at=at,
                **form.cleaned_data,
            ),
        )
    ):
        messages.success(request, _("已添加附件“%(title)s”") % form.cleaned_data)
        return redirect("sharing:package", pk=pk)
    return render(request, "sharing/package_papers.html", {"subject": subject, "form": form})


@login_required
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Send every part to the own head, with one promise."""
    user: Any = request.user
    subject = _editable(request, pk, "submit_package")
    form = PromiseForm(request.POST or None, initial={"revision": subject.revision})
    if request.method == "POST" and form.is_valid():
        if done(
            request,
            form,
            lambda at: sharing.submit_package(
                package=subject, actor=user, at=at, **form.cleaned_data
            ),
        ):
            messages.success(request, _("各部分已提交本部门共享工作机构负责人审批"))
            return redirect("sharing:package", pk=pk)
        subject.refresh_from_db()
        freshen(form, subject.revision)
    unsent = [
        part.request
        for part in queries.parts_of(subject, user, timezone.now())
        if part.request.status in UNSENT
    ]
    missing = missing_parts_each(unsent)
    context = {
        "subject": subject,
        "form": form,
        "parts": [(part, missing[part.pk]) for part in unsent],
        "is_whole": bool(unsent) and not any(missing.values()),
    }
    return render(request, "sharing/package_submit.html", context)


def _editable(request: HttpRequest, pk: int, action: str) -> RequestPackage:
    subject = package_or_404(request, pk)
    if not access.allowed(request.user, action, subject):
        raise PermissionDenied
    return subject


def _available(subject: RequestPackage) -> Any:
    """The entries that the matter may still ask for."""
    alive = subject.parts.exclude(status__in=("withdrawn", "refused"))
    askable = catalog.to_be_had_by(subject.consumer_id).exclude(pk__in=alive.values("dataset"))
    return askable.select_related("department")


def _counts(statuses: Sequence[str]) -> Counts:
    return Counts(
        total=len(statuses),
        delivered=statuses.count("delivered"),
        refused=statuses.count("refused"),
        open=sum(status not in CLOSED for status in statuses),
    )


def _elsewhere(subject: RequestPackage, seen: Sequence[Part]) -> Counts:
    """How far the parts are that the viewer does not see: numbers only, no names."""
    others = subject.parts.exclude(pk__in=[part.request.pk for part in seen])
    return _counts(list(others.exclude(status="withdrawn").values_list("status", flat=True)))


def _buttons(
    user: Any,
    subject: RequestPackage,
    parts: list[Part],
    missing: dict[int, list[str]],
    at: datetime,
) -> list[Button]:
    """What this person may do with the matter as a whole now, the main thing first.

    missing: what each unsent part lacks, by request.
    """
    unsent = [part for part in parts if part.request.pk in missing]
    buttons = []
    if unsent and access.allowed(user, "submit_package", subject, at=at):
        short = sum(bool(lacking) for lacking in missing.values())
        why = _("还有 %(count)s 项未填完") % {"count": short} if short else ""
        url = reverse("sharing:package-submit", args=[subject.pk])
        buttons.append(Button("submit_package", _("提交本部门审批"), url, "primary", why))
    buttons += _together_buttons(user, parts, at)
    if unsent and access.allowed(user, "revise_package", subject, at=at):
        url = reverse("sharing:package-edit", args=[subject.pk])
        buttons.append(Button("revise_package", _("修改共同内容"), url))
    can_attach = any(part.request.status not in (*CLOSED, "agreed") for part in parts)
    if can_attach and access.allowed(user, "attach_to_package", subject, at=at):
        url = reverse("sharing:package-papers", args=[subject.pk])
        buttons.append(Button("attach_to_package", _("添加共用附件"), url))
    return sorted(buttons, key=lambda button: ("primary", "neutral", "danger").index(button.tone))


def _together_buttons(user: Any, parts: list[Part], at: datetime) -> list[Button]:
    """The acts that two parts or more are ready for; for one there is its own page."""
    buttons = []
    for act, label in TOGETHER.items():
        move = REQUEST.move(act)
        keys = [part.request.pk for part in parts if part.request.status in move.sources]
        ready = access.rows(user, act, SharingRequest.objects.filter(pk__in=keys), at=at)
        chosen = list(ready.order_by("pk").values_list("pk", flat=True)) if keys else []
        if len(chosen) > 1:
            query = urlencode({"act": act, "rows": chosen}, doseq=True)
            buttons.append(Button(act, label, f"{reverse('sharing:together')}?{query}", move.tone))
    return buttons


def _papers(subject: RequestPackage, parts: list[Part]) -> list[Attachment]:
    """The papers that the parts share, each once."""
    keys = [part.request.pk for part in parts]
    found: dict[tuple[str, str, str], Attachment] = {}
    rows = Attachment.objects.filter(request__in=keys, is_common=True).select_related("added_by")
    for paper in rows.order_by("pk"):
        found.setdefault((paper.title, paper.document_number, paper.sha256), paper)
    return list(found.values())
