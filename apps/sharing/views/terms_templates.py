"""The terms that a provider keeps ready for its datasets: the list, one of them, out of use."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import DomainError
from apps.sharing import operations as sharing
from apps.sharing import queries
from apps.sharing.forms.conditions import ConditionLines
from apps.sharing.forms.limits import written_limits
from apps.sharing.forms.terms_templates import TemplateForm
from apps.sharing.models import LIMIT_FIELDS, SharingRequest, TermsTemplate
from apps.sharing.views.history import versions_of
from apps.sharing.views.moves import done, freshen
from apps.standards.masks import masks_for

MOST_SHOWN = 200
OWN_FIELDS = ("name", "note", "validity_months", "is_verify_only", "is_recommended", "revision")


@login_required
def templates(request: HttpRequest) -> HttpResponse:
    """List the templates of the department's datasets, those in use first."""
    user: Any = request.user
    keeping = access.rows(user, "keep_templates", catalog.published()).order_by("name")
    found = access.rows(user, "view", TermsTemplate).select_related("dataset__department")
    if keeping.exists():
        found = found.filter(dataset__in=keeping.values("pk"))
    chosen = keeping.filter(pk=_number(request.GET.get("dataset", ""))).first()
    if chosen is not None:
        found = found.filter(dataset=chosen)
    context = {
        "templates": found.order_by("status", "dataset__name", "name")[:MOST_SHOWN],
        "datasets": keeping.only("pk", "name")[:MOST_SHOWN],
        "chosen": chosen,
    }
    return render(request, "sharing/terms_templates.html", context)


@login_required
def new(request: HttpRequest, dataset: int) -> HttpResponse:
    """Write new terms for a dataset."""
    found = get_object_or_404(access.rows(request.user, "keep_templates", Dataset), pk=dataset)
    return _edit(request, found, None)


@login_required
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """Show terms kept ready; whoever keeps them may write them anew while they are in use."""
    found = get_object_or_404(
        access.rows(request.user, "view", TermsTemplate).select_related("dataset"), pk=pk
    )
    if not access.allowed(request.user, "keep_templates", found.dataset):
        return _show(request, found)
    if found.status != TermsTemplate.Status.IN_USE:
        return _show(request, found)
    return _edit(request, found.dataset, found)


@login_required
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a template out of use."""
    found = get_object_or_404(access.rows(request.user, "view", TermsTemplate), pk=pk)
    if not access.allowed(request.user, "retire_template", found):
        raise PermissionDenied
    try:
        sharing.retire_template(
            template=found,
            actor=request.user,  # type: ignore[arg-type]
            at=timezone.now(),
        )
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("sharing:template", pk=pk)
    messages.success(request, _("模板“%(name)s”已停用") % {"name": found.name})
    return redirect("sharing:templates")


def _edit(request: HttpRequest, dataset: Dataset, found: TermsTemplate | None) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    is_sent = data is not None and "add_line" not in data
    usual = found.row_condition if found else []
    lines = ConditionLines.of(dataset, initial=usual, data=data)
    initial = TemplateForm.typed(data) if data is not None else _initial(found)
    form = TemplateForm(data if is_sent else None, initial=initial)
    ready = is_sent and all([form.is_valid(), lines.is_valid()])
    if ready and _save(request, dataset, found, form, lines):
        messages.success(request, _("已保存模板“%(name)s”") % {"name": form.cleaned_data["name"]})
        return redirect("sharing:templates")
    if is_sent and found is not None:
        found.refresh_from_db()
        freshen(form, found.revision)
    context = {
        "dataset": dataset,
        "template": found,
        "form": form,
        "lines": lines,
        "item_rows": _item_rows(dataset, found, data),
        "versions": versions_of(found) if found else [],
    }
    return render(request, "sharing/terms_template_edit.html", context)


def _save(
    request: HttpRequest,
    dataset: Dataset,
    found: TermsTemplate | None,
    form: TemplateForm,
    lines: ConditionLines,
) -> bool:
    written = form.cleaned_data
    names = request.POST.getlist("items")
    return done(
        request,
        form,
        lambda at: sharing.save_template(
            dataset=dataset,
            template=found,
            actor=request.user,  # type: ignore[arg-type]
            at=at,
            items={name: request.POST.get(f"mask-{name}", "") for name in names},
            row_condition=lines.as_json(),
            **{name: written[name] for name in OWN_FIELDS},
            **written_limits(written),
        ),
    )


def _show(request: HttpRequest, found: TermsTemplate) -> HttpResponse:
    context = {"template": found, **_in_words(found)}
    return render(request, "sharing/terms_template.html", context)


def recommended_terms(subject: SharingRequest) -> dict[str, Any] | None:
    """Return what the provider recommends to whoever drafts the request, in words and as masks."""
    found = queries.recommended_for(subject.dataset)
    if found is None:
        return None
    masks = {entry["name"]: entry["mask"] for entry in found.items}
    return {"template": found, "masks": masks, **_in_words(found)}


def _in_words(found: TermsTemplate) -> dict[str, Any]:
    labels = dict(found.dataset.items.values_list("column_name", "name"))
    return {
        "items": [
            (labels.get(entry["name"], entry["name"]), queries.mask_label(entry["mask"]))
            for entry in found.items
        ],
        "conditions": queries.conditions_in_words(found.row_condition, found.dataset),
    }


def _initial(found: TermsTemplate | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {name: getattr(found, name) for name in (*OWN_FIELDS, *LIMIT_FIELDS)}


def _item_rows(dataset: Dataset, found: TermsTemplate | None, data: Any) -> list[dict[str, Any]]:
    """Return a row for every item that may be shared, as kept, as typed, or as usual."""
    kept = {entry["name"]: entry["mask"] for entry in found.items} if found else {}
    rows = []
    for item in dataset.items.select_related("dataset").order_by("position"):
        if item.effective_sharing_attribute == "not_shared":
            continue
        name, usual = item.column_name, queries.default_mask(item)
        mask = kept.get(name, usual)
        rows.append(
            {
                "name": name,
                "label": item.name,
                "item": item,
                "asked_mask": queries.mask_label(usual),
                "must_mask": False,
                "ticked": name in (kept if data is None else data.getlist("items")),
                "mask": mask if data is None else data.get(f"mask-{name}", mask),
                "masks": masks_for(item.data_type),
            }
        )
    return rows


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
