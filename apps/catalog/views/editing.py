"""Writing an entry, or a change of one, in steps: each saves what it has and says what lacks."""

import copy
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import operations as catalog
from apps.catalog import queries, validation
from apps.catalog.forms import (
    AssessmentForm,
    BasicsForm,
    ItemForm,
    ItemsForm,
    NewForm,
    RulesForm,
)
from apps.catalog.forms.items import LINES_BLANK
from apps.catalog.models import DataItem, Dataset
from apps.catalog.views.changes import change_or_404
from apps.catalog.views.detail import dataset_or_404, item_lines
from apps.catalog.views.reviewing import lines_of
from apps.catalog.views.steps import STEPS, step_of
from apps.catalog.views.subjects import DraftEntry, OpenChange, Subject
from apps.core import access
from apps.core.errors import DomainError

MORE_LINES: Final = 8
FIELD_OF_CONSTRAINT: Final = {"catalog_dataset_name_unique_in_department": "name"}


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """The first step of an entry that does not exist yet."""
    user: Any = request.user
    at = timezone.now()
    if not access.able(user, "create", Dataset, at=at):
        raise PermissionDenied
    department = (access.require(user, "create", Dataset, at=at).principal or user).department
    form = NewForm(request.POST or None, department=department, entries=queries.visible_to(user))
    if request.method == "POST" and form.is_valid():
        saved = _attempt(
            form,
            lambda: catalog.create_dataset(
                actor=user, at=at, department=department, **form.cleaned_data
            ),
        )
        if saved:
            return _onward(request, DraftEntry(saved), "basics")
    context = {
        "form": form,
        "groups": _groups(form, {}),
        "steps": [(label, "", "", 0) for label in STEPS.values()],
    }
    return render(request, "catalog/edit_new.html", context)


@login_required
def edit(request: HttpRequest, code: str, step: str = "basics") -> HttpResponse:
    """One step of a draft: save it and go on, or stay and be told what is wrong."""
    subject = _editable_or_refused(request, code)
    return _page(request, subject, step)


@login_required
def edit_change(request: HttpRequest, pk: int, step: str = "basics") -> HttpResponse:
    """The same step of a change of an entry in force."""
    return _page(request, _change_or_refused(request, pk), step)


def _page(request: HttpRequest, subject: Subject, step: str) -> HttpResponse:
    if step not in PAGES:
        raise Http404
    return PAGES[step](request, subject)


def edit_basics(request: HttpRequest, subject: Subject) -> HttpResponse:
    entries = queries.visible_to(request.user)  # type: ignore[arg-type]
    form = BasicsForm(
        request.POST or None,
        instance=copy.copy(subject.entry),
        initial={"related": subject.related()},
        department=subject.dataset.department,
        entries=entries.exclude(pk=subject.dataset.pk),
    )
    if form.is_bound and form.is_valid() and _save(request, subject, form, **form.cleaned_data):
        return _onward(request, subject, "basics")
    return _show(request, subject, "basics", {"form": form})


def edit_rules(request: HttpRequest, subject: Subject) -> HttpResponse:
    form = RulesForm(request.POST or None, instance=copy.copy(subject.entry))
    if form.is_bound and form.is_valid() and _save(request, subject, form, **form.cleaned_data):
        return _onward(request, subject, "rules")
    return _show(request, subject, "rules", {"form": form})


def edit_items(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The table of items; adding lines and moving one save what was typed, too."""
    blank = MORE_LINES if "more" in request.GET else LINES_BLANK
    form = ItemsForm(
        request.POST if request.method == "POST" else None,
        items=subject.items(),
        keys=subject.entry.key_items,
        blank=blank,
    )
    if form.is_bound and form.is_valid():
        rows = form.rows()
        written: dict[str, Any] = {"items": rows, "key_items": form.key_items(rows)}
        for flag, mark in (("contains_personal", "personal"), ("contains_sensitive", "sensitive")):
            if any(row.get(mark) for row in rows):
                written[flag] = True
        if _save(request, subject, form, **written):
            if "more" in request.POST:
                return redirect(f"{request.path}?more=1#more")
            if "step" in request.POST or form.pasted:
                return redirect(request.path)
            return _onward(request, subject, "items")
    return _show(request, subject, "items", {"form": form})


@login_required
def edit_item(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """All fields of one item, also those that the table has no room for."""
    return _item_page(request, _editable_or_refused(request, code), number)


@login_required
def edit_change_item(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The same page of an item in a change; items not yet in force go by negative numbers."""
    return _item_page(request, _change_or_refused(request, pk), number)


def _item_page(request: HttpRequest, subject: Subject, number: int) -> HttpResponse:
    items = subject.items()
    item = next((each for each in items if each.pk == number), None)
    if item is None:
        raise Http404
    old_column = item.column_name
    form = ItemForm(request.POST or None, instance=copy.copy(item))
    if form.is_bound and form.is_valid():
        rows = [
            {"pk": each.pk, **(form.cleaned_data if each.pk == number else {})} for each in items
        ]
        new_column = form.cleaned_data["column_name"]
        keys = [new_column if key == old_column else key for key in subject.entry.key_items]
        if _save(request, subject, form, items=rows, key_items=keys):
            messages.success(request, _("已保存数据项“%(name)s”") % form.cleaned_data)
            following = _following(items, item) if "next" in request.POST else None
            if following is not None:
                return redirect(subject.item_url(following.pk))
            return redirect(subject.step_url("items"))
    said = [each for each in subject.remarks() if each.item == item.name]
    context = {
        "form": form,
        "item": item,
        "said": _by_field(said),
        "following": _following(items, item),
    }
    return _show(request, subject, "item", context)


def edit_assessments(request: HttpRequest, subject: Subject) -> HttpResponse:
    """The assessments recorded so far, and a form for one more."""
    wants_to_add = request.method == "POST" and "add" in request.POST
    form = AssessmentForm(
        request.POST if wants_to_add else None, request.FILES if wants_to_add else None
    )
    if request.method == "POST" and not wants_to_add:
        return _onward(request, subject, "assessments")
    if wants_to_add and form.is_valid():
        user: Any = request.user
        recorded = _attempt(
            form,
            lambda: catalog.record_assessment(
                dataset=subject.dataset, actor=user, at=timezone.now(), **form.cleaned_data
            ),
        )
        if recorded:
            messages.success(request, _("已登记%(what)s") % {"what": recorded.get_kind_display()})
            return redirect(request.path)
    context = {"form": form, "assessments": subject.dataset.assessments.all()}
    return _show(request, subject, "assessments", context)


def edit_review(request: HttpRequest, subject: Subject) -> HttpResponse:
    """Everything once more; complete, it goes to the own head."""
    user: Any = request.user
    form = forms.Form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        revision = request.POST.get("revision", "")
        submitted = _attempt(
            form,
            lambda: subject.submit(
                actor=user,
                at=timezone.now(),
                revision=int(revision) if revision.isdecimal() else None,
            ),
        )
        if submitted:
            messages.success(request, _("已提交本部门共享工作机构负责人审批"))
            return redirect(subject.url)
        subject.reload()
    context = {
        "form": form,
        "items": item_lines(subject.entry, subject.items()),
        "related": subject.related(),
        "assessments": subject.dataset.assessments.all(),
        "found": lines_of(subject.found, ()),
    }
    return _show(request, subject, "review", context)


PAGES: Final[dict[str, Callable[[HttpRequest, Subject], HttpResponse]]] = {
    "basics": edit_basics,
    "items": edit_items,
    "rules": edit_rules,
    "assessments": edit_assessments,
    "review": edit_review,
}


def _editable_or_refused(request: HttpRequest, code: str) -> Subject:
    subject = dataset_or_404(request, code)
    if not access.allowed(request.user, "change", subject):
        raise PermissionDenied
    return DraftEntry(subject)


def _change_or_refused(request: HttpRequest, pk: int) -> Subject:
    subject = change_or_404(request, pk)
    if not access.allowed(request.user, "change", subject):
        raise PermissionDenied
    return OpenChange(subject)


def _attempt(form: Any, act: Callable[[], Any]) -> Any:
    """Return what the operation returns; a refusal goes to the form, at its field if it has one."""
    try:
        return act()
    except DomainError as error:
        _tell(form, error)
        return None


def _save(request: HttpRequest, subject: Subject, form: Any, **written: Any) -> bool:
    """Keep a step; a refusal goes to the form, with everything that was typed."""
    user: Any = request.user
    revision = request.POST.get("revision", "")
    saved = _attempt(
        form,
        lambda: subject.save(
            actor=user,
            at=timezone.now(),
            revision=int(revision) if revision.isdecimal() else None,
            **written,
        ),
    )
    if saved is None:
        subject.reload()
    return saved is not None


def _tell(form: Any, error: DomainError) -> None:
    if isinstance(form, ItemsForm):
        form.non_form_errors().append(str(error))
        return
    listed = error.details.get("errors")
    field = error.details.get("field")
    field = FIELD_OF_CONSTRAINT.get(str(error.details.get("constraint")), field)
    if isinstance(listed, list):
        for message in listed:
            form.add_error(None, message)
    else:
        form.add_error(field if field in form.fields else None, str(error))


def _onward(request: HttpRequest, subject: Subject, step: str) -> HttpResponse:
    if "leave" in request.POST:
        messages.success(request, _("草稿已保存"))
        return redirect(subject.url)
    names = list(STEPS)
    return redirect(subject.step_url(names[names.index(step) + 1]))


def _show(
    request: HttpRequest, subject: Subject, step: str, context: dict[str, Any]
) -> HttpResponse:
    remarks = subject.remarks()
    names = list(STEPS)
    here = names.index("items" if step == "item" else step)
    lacking = dict.fromkeys(names, 0)
    for remark in remarks:
        if remark.level != "warning":
            lacking[step_of(remark)] += 1
    said = context.pop("said", None) or _by_field([each for each in remarks if not each.item])
    common = {
        "subject": subject.entry,
        "editing": subject,
        "step": step,
        "step_label": STEPS.get(step, STEPS["items"]),
        "steps": [
            (label, subject.step_url(name), "current" if index == here else "", lacking[name])
            for index, (name, label) in enumerate(STEPS.items())
        ],
        "step_urls": {name: subject.step_url(name) for name in names},
        "items_url": subject.step_url("items"),
        "previous": subject.step_url(names[here - 1]) if here else "",
        "said": said,
        "general": said.get("", ()),
        "groups": _groups(context["form"], said),
        "remarks_by_step": [
            (label, subject.step_url(name), [each for each in remarks if step_of(each) == name])
            for name, label in STEPS.items()
        ],
        "error_count": sum(remark.is_error for remark in remarks),
    }
    if step == "items":
        _dress_lines(context["form"], subject, remarks)
        context["remarks"] = [*said.get("items", ()), *said.get("key_items", ())]
    return render(request, f"catalog/edit_{step}.html", {**common, **context})


def _by_field(remarks: list[validation.Remark]) -> dict[str, list[validation.Remark]]:
    found: dict[str, list[validation.Remark]] = {}
    for remark in remarks:
        found.setdefault(remark.field, []).append(remark)
    return found


def _groups(form: Any, said: dict[str, list[validation.Remark]]) -> list[tuple[Any, list[Any]]]:
    """The fields as the page sets them, each with what validation says about it."""
    return [
        (heading, [[(field, said.get(field.name, ())) for field in row] for row in rows])
        for heading, rows in getattr(form, "groups", ())
    ]


def _dress_lines(form: ItemsForm, subject: Subject, remarks: list[validation.Remark]) -> None:
    """Give each line what is said about its item, and the page of all its fields."""
    for line in form.forms:
        name, number = line["name"].value(), line["pk"].value()
        line.said = [remark for remark in remarks if remark.item and remark.item == name]
        line.url = subject.item_url(int(number)) if number else ""


def _following(items: list[DataItem], item: DataItem) -> DataItem | None:
    here = items.index(item)
    return items[here + 1] if here + 1 < len(items) else None
