"""Duties in law and service items: the lists, and bringing them in from a spreadsheet."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Department
from apps.catalog.models import LegalDuty, ServiceItem
from apps.catalog.operations import law
from apps.catalog.queries import law as queries
from apps.core import access, files
from apps.core.downloads import table_response
from apps.core.errors import DomainError
from apps.core.paging import page_of

PAGE_ROWS: Final = 50
SHOWN_VERDICTS: Final = 200
# address → the model, its words, what adopts a file of it
KINDS: Final[dict[str, tuple[Any, Any, Any]]] = {
    "legal-duties": (LegalDuty, gettext_lazy("权责清单事项"), law.import_legal_duties),
    "service-items": (ServiceItem, gettext_lazy("政务服务事项"), law.import_service_items),
}
OUTCOMES: Final = {
    "new": gettext_lazy("新增"),
    "changed": gettext_lazy("修改"),
    "same": gettext_lazy("无变化"),
    "fault": gettext_lazy("有问题"),
}
FILES: Final = ".xlsx,.xls,.csv"


class LawFileForm(forms.Form):
    """The spreadsheet to try."""

    file = forms.FileField(
        label=gettext_lazy("文件"),
        widget=forms.FileInput(attrs={"accept": FILES}),
        allow_empty_file=True,
        help_text=gettext_lazy(
            "xlsx、xls 或者 CSV，第一个工作表；表头在前 10 行内。先试导入，确认后才写入。"
        ),
    )


def _kind(name: str) -> tuple[Any, Any, Any]:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


@login_required
def law_list(request: HttpRequest, kind: str) -> HttpResponse:
    """The items in force, those without a dataset marked; filtered as the address says."""
    user: Any = request.user
    model, label, _adopt = _kind(kind)
    query = request.GET
    visible = access.rows(user, "view", model)
    today = timezone.localdate()
    asked = _asked(queries.with_dataset(visible), query)
    found, coming = queries.valid(asked, today), asked.filter(valid_from__gt=today)
    chips = _dataset_chips(found, coming, query.get("dataset", ""))
    if query.get("dataset") in ("yes", "no"):
        found = found.filter(has_dataset=query["dataset"] == "yes")
    elif query.get("dataset") == "coming":
        found = coming
    if query.get("format"):
        return _download(model, str(label), found, query["format"])
    related = ("department",) if model is LegalDuty else ("department", "legal_duty")
    departments = Department.objects.filter(pk__in=visible.order_by().values("department"))
    context = {
        "kind": kind,
        "label": label,
        "kinds": [(name, each[1]) for name, each in KINDS.items()],
        "chips": chips,
        "page": page_of(found.select_related(*related), query, size=PAGE_ROWS, key="pk"),
        "departments": list(departments.order_by("code")),
        "query": query,
        "words": query.get("q", "").strip(),
        "today": today,
        "is_filtered": any(query.get(name) for name in ("q", "department", "dataset")),
        "may_import": access.able(user, "import", model),
    }
    return render(request, "catalog/law_list.html", context)


def _asked(rows: Any, query: Mapping[str, str]) -> Any:
    if words := query.get("q", "").strip():
        rows = rows.filter(Q(name__icontains=words) | Q(code__startswith=words))
    if query.get("department"):
        rows = rows.filter(department__code=query["department"])
    return rows


def _dataset_chips(found: Any, coming: Any, chosen: str) -> list[tuple[str, Any, int, bool]]:
    """Whether a published entry names the item, and what comes into force later, with counts."""
    named = found.aggregate(all=Count("pk"), yes=Count("pk", filter=Q(has_dataset=True)))
    chips = [
        ("", _("全部"), named["all"], chosen not in ("yes", "no", "coming")),
        ("no", _("没有目录"), named["all"] - named["yes"], chosen == "no"),
        ("yes", _("已有目录"), named["yes"], chosen == "yes"),
    ]
    if (later := coming.count()) or chosen == "coming":
        chips.append(("coming", _("尚未生效"), later, chosen == "coming"))
    return chips


@login_required
def law_import(request: HttpRequest, kind: str) -> HttpResponse:
    """Try a file, show the verdict on every row; adopt it when that is confirmed."""
    user: Any = request.user
    model, label, adopt = _kind(kind)
    if not access.able(user, "import", model):
        raise PermissionDenied
    if request.method == "POST" and "kept" in request.POST:
        return _adopted(request, kind, adopt)
    form = LawFileForm(request.POST or None, request.FILES or None)
    trial, kept = None, ""
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            stored = files.keep(file.chunks(), limit=law.LIMIT_BYTES)
            trial = law.try_law(
                model=model,
                content=files.path_of(stored.sha256).read_bytes(),
                file_name=file.name,
                actor=user,
                at=timezone.now(),
            )
            kept = signing.dumps([kind, user.pk, stored.sha256, file.name])
        except DomainError as error:
            form.add_error("file", str(error))
    context = {
        "kind": kind,
        "label": label,
        "form": form,
        "trial": trial,
        "kept": kept,
        "counts": [(words, trial.counts[name], name) for name, words in OUTCOMES.items()]
        if trial
        else [],
        "faulty": [each for each in trial.verdicts if each.outcome == "fault"][:SHOWN_VERDICTS]
        if trial
        else [],
        "good": [each for each in trial.verdicts if each.outcome in ("new", "changed")][:50]
        if trial
        else [],
        "headings": [words[0] for words in law.headings_of(model).values()],
    }
    return render(request, "catalog/law_import.html", context)


def _adopted(request: HttpRequest, kind: str, adopt: Any) -> HttpResponse:
    user: Any = request.user
    try:
        named, person, sha256, name = signing.loads(request.POST["kept"], max_age=24 * 3600)
    except signing.BadSignature as error:
        raise PermissionDenied from error
    path = files.path_of(sha256)
    if (named, person) != (kind, user.pk) or not path.exists():
        raise PermissionDenied
    try:
        done = adopt(
            content=path.read_bytes(),
            file_name=name,
            actor=user,
            at=timezone.now(),
            all_or_nothing="all_or_nothing" in request.POST,
        )
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("catalog:law-import", kind)
    words = _("已导入 %(taken)s 行，%(same)s 行没有变化，%(fault)s 行有问题没有导入")
    counts = {"taken": done.adopted, "same": done.counts["same"], "fault": done.counts["fault"]}
    messages.success(request, words % counts)
    return redirect(reverse("catalog:law-list", args=[kind]))


def _download(model: Any, name: str, found: Any, form: str) -> HttpResponse:
    heading = [
        _("事项编码"),
        _("事项名称"),
        _("实施部门"),
        _("生效日期"),
        _("失效日期"),
        _("有无目录"),
    ]
    rows = (
        [
            row.code,
            row.name,
            row.department.name,
            row.valid_from,
            row.valid_to,
            _("有") if row.has_dataset else _("无"),
            *([row.get_kind_display(), row.basis] if model is LegalDuty else []),
        ]
        for row in found.select_related("department").order_by("code").iterator(2000)
    )
    if model is LegalDuty:
        heading += [_("事项类别"), _("设定依据")]
    return table_response(name, heading, rows, form=form)
