"""Compile and review entries: items and assessments beside the fields, moves as buttons."""

from types import ModuleType
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.contrib.forms.widgets import ArrayWidget
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.catalog import operations, validation
from apps.catalog.lifecycle import DATASET
from apps.catalog.models import (
    Classification,
    DataItem,
    Dataset,
    DatasetAssessment,
    Synonym,
    UpwardValue,
)
from apps.catalog.snapshots import DATASET_FIELDS, ITEM_FIELDS
from apps.core import access
from apps.core.admin import ScopedAdmin, ScopedInline
from apps.core.lifecycle import Lifecycle, Move
from apps.standards.checks import CHECK_CHOICES
from apps.standards.masks import MASK_CHOICES

STATUS_COLOURS = {
    "draft": "default",
    "published": "success",
    "returned": "warning",
    "withdrawal_requested": "warning",
    "withdrawn": "danger",
    "awaiting_head": "info",
    "submitted": "info",
}
NOTHING = ("", _("（无）"))


class DataItemForm(forms.ModelForm[DataItem]):
    """Offers the checks and masks there are."""

    value_check = forms.ChoiceField(
        label=_("校验规则"),
        choices=[NOTHING, *CHECK_CHOICES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    mask = forms.ChoiceField(
        label=_("默认脱敏方式"),
        choices=[NOTHING, *MASK_CHOICES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = DataItem
        fields = (
            "name",
            "column_name",
            "data_type",
            "length",
            "scale",
            "required",
            "personal",
            "sensitive",
            "value_check",
            "mask",
            "code_list",
            "data_element",
            "sharing_attribute",
            "description",
        )


class DataItemInline(ScopedInline):
    model = DataItem
    form = DataItemForm
    extra = 0
    tab = True
    ordering = ("position", "pk")
    ordering_field = "position"
    hide_ordering_field = True
    autocomplete_fields = ("code_list", "data_element")


class DatasetAssessmentInline(ScopedInline):
    """Assessments are added, never rewritten: a later one supersedes."""

    model = DatasetAssessment
    tab = True
    extra = 0
    fields = ("kind", "conclusion", "assessed_on", "assessor", "file", "recorded_by")
    readonly_fields = ("recorded_by",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("recorded_by")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and super().has_change_permission(request, obj)


@admin.register(Dataset)
class DatasetAdmin(SimpleHistoryAdmin, ScopedAdmin):
    lifecycle: ClassVar[Lifecycle | None] = DATASET
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("name", "code", "provider", "sharing_attribute", "update_cycle", "state")
    list_filter = (
        "status",
        "sharing_attribute",
        "opening_attribute",
        "update_cycle",
        "grade",
        ("release_on", RangeDateFilter),
    )
    list_select_related = ("department",)
    search_fields = ("name", "code", "abstract", "department__name")
    search_help_text = _("目录名称、代码、摘要、提供部门")
    autocomplete_fields = ("classification", "system", "source_department", "related")
    inlines = (DataItemInline, DatasetAssessmentInline)
    warn_unsaved_form = True
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("code", "status", "screen"),
                    "name",
                    "abstract",
                    "classification",
                    ("department", "internal_unit"),
                    ("contact_name", "contact_phone"),
                )
            },
        ),
        (
            _("共享和开放"),
            {
                "classes": ("tab",),
                "fields": (
                    "sharing_attribute",
                    ("sharing_scope", "sharing_condition"),
                    ("sharing_reason", "sharing_statute"),
                    ("mode_class", "mode_type"),
                    ("opening_attribute", "opening_condition"),
                ),
            },
        ),
        (
            _("来源和更新"),
            {
                "classes": ("tab",),
                "fields": (
                    ("format_class", "format_type"),
                    ("update_cycle", "release_on"),
                    ("system", "source_department"),
                    ("legal_duty", "service_item"),
                    "themes",
                    "related",
                    "note",
                ),
            },
        ),
        (
            _("分级和安全"),
            {
                "classes": ("tab",),
                "fields": (
                    "holds_no_secrets",
                    "grade",
                    ("contains_personal", "contains_sensitive"),
                ),
            },
        ),
        (
            _("数据约定"),
            {
                "classes": ("tab",),
                "fields": (
                    "key_items",
                    ("dirty_limit_ratio", "dirty_limit_rows", "dirty_limit_action"),
                ),
            },
        ),
    )
    readonly_fields = ("code", "department", "screen")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """One's own entries, not the whole catalogue that one may read."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return access.rows(request.user, "administer", rows)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "administer", obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the page that tells the entry's history field by field, in words."""
        found: Any = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        return redirect(f"{found.get_absolute_url()}#history")

    @display(description=_("提供部门"), ordering="department__name")
    def provider(self, dataset: Dataset) -> str:
        return str(dataset.department)

    @display(description=_("状态"), ordering="status", label=STATUS_COLOURS)
    def state(self, dataset: Dataset) -> tuple[str, str]:
        return dataset.status, dataset.get_status_display()

    @display(description=_("目录页面"))
    def screen(self, dataset: Dataset) -> Any:
        if dataset.pk is None:
            return format_html('<a href="{}">{}</a>', reverse("catalog:dataset-new"), _("分步编制"))
        return format_html('<a href="{}">{}</a>', dataset.get_absolute_url(), _("打开"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        listed = super().get_readonly_fields(request, obj)
        return listed if obj is None else (*listed, "classification")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("themes", "key_items"):
            kwargs["widget"] = ArrayWidget
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def why_not(self, request: HttpRequest, obj: Any, move: Move) -> str | Promise:
        return validation.why_not(move.name, validation.remarks_on(obj, on=timezone.localdate()))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Nothing yet: the operation in `save_related` takes fields and items together."""

    def save_related(
        self, request: HttpRequest, form: Any, formsets: list[Any], change: Any
    ) -> None:
        user: Any = request.user
        at = timezone.now()
        given = {name: value for name, value in form.cleaned_data.items() if name in DATASET_FIELDS}
        items = next(_item_rows(each) for each in formsets if each.model is DataItem)
        related = form.cleaned_data.get("related", ())
        if change:
            current = Dataset.objects.get(pk=form.instance.pk)
            saved = operations.revise_dataset(
                dataset=current, actor=user, at=at, items=items, related=related, **given
            )
        else:
            saved = operations.create_dataset(
                classification=form.cleaned_data["classification"],
                actor=user,
                at=at,
                items=items or (),
                related=related,
                **given,
            )
        form.instance.__dict__.update(saved.__dict__)
        for each in formsets:
            each.new_objects, each.changed_objects, each.deleted_objects = [], [], []
            if each.model is DatasetAssessment:
                _record_assessments(each, saved, user, at)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """The ledger has it; the admin's own log would say it twice."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """As above."""


def _item_rows(formset: BaseInlineFormSet[Any, Any, Any]) -> list[dict[str, Any]] | None:
    """The items as rows for the operation, in the order of the page; None when not editable."""
    if not formset.forms and not formset.is_valid():
        return None
    kept = [
        form
        for form in formset.forms
        if form.cleaned_data.get("column_name") and not form.cleaned_data.get("DELETE")
    ]
    kept.sort(key=lambda form: form.cleaned_data.get("position") or len(formset.forms))
    return [
        {
            "pk": form.instance.pk or 0,
            **{
                name: value
                for name, value in form.cleaned_data.items()
                if name in ITEM_FIELDS and name != "position"
            },
        }
        for form in kept
    ]


def _record_assessments(
    formset: BaseInlineFormSet[Any, Any, Any], dataset: Dataset, user: Any, at: Any
) -> None:
    for form in formset.extra_forms:
        row = form.cleaned_data
        if form.has_changed() and row:
            operations.record_assessment(
                dataset=dataset,
                actor=user,
                at=at,
                kind=row["kind"],
                conclusion=row["conclusion"],
                assessed_on=row["assessed_on"],
                assessor=row["assessor"],
                file=row.get("file") or None,
            )


@admin.register(Classification)
class ClassificationAdmin(ScopedAdmin):
    """A local theme is a node like the others; its place follows from its code."""

    list_display = ("code", "name", "level", "parent")
    list_filter = ("level",)
    search_fields = ("code", "name")
    search_help_text = _("分类代码、名称")
    ordering = ("code",)
    list_select_related = ("parent",)
    fields = ("code", "name", "level", "parent")
    readonly_fields = ("level", "parent")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        listed = super().get_readonly_fields(request, obj)
        return listed if obj is None else (*listed, "code")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        user: Any = request.user
        operations.save_classification(classification=obj, actor=user, at=timezone.now())


@admin.register(Synonym)
class SynonymAdmin(ScopedAdmin):
    list_display = ("word", "alike", "note")
    search_fields = ("word", "others")
    fields = ("word", "others", "note")

    @display(description=_("同义词"))
    def alike(self, synonym: Synonym) -> str:
        return "、".join(synonym.others)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        if "others" in form.base_fields:
            form.base_fields["others"].widget = ArrayWidget()
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        user: Any = request.user
        operations.save_synonym(synonym=obj, actor=user, at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        operations.delete_synonym(synonym=obj, actor=user, at=timezone.now())


@admin.register(UpwardValue)
class UpwardValueAdmin(ScopedAdmin):
    """How our values are written in the catalogues above."""

    list_display = ("kind", "ours", "theirs", "level")
    list_filter = ("level", "kind")
    search_fields = ("ours", "theirs")
    fields = ("level", "kind", "ours", "theirs")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        user: Any = request.user
        operations.save_upward_value(upward_value=obj, actor=user, at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        operations.delete_upward_value(upward_value=obj, actor=user, at=timezone.now())
