"""Data elements and code lists: everybody looks, the authority keeps."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from simple_history.admin import SimpleHistoryAdmin
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import ScopedAdmin, ScopedInline
from apps.standards import operations
from apps.standards.checks import CHECK_CHOICES
from apps.standards.masks import MASK_CHOICES
from apps.standards.models import CodeList, CodeListEntry, DataElement

NOTHING = ("", "—")


class CodeListEntryInline(ScopedInline):
    model = CodeListEntry
    tab = True
    per_page = 100
    ordering = ("position", "code")
    fields = ("code", "name", "position", "valid_from", "valid_to")


@admin.register(CodeList)
class CodeListAdmin(ScopedAdmin):
    list_display = ("name", "code", "source")
    search_fields = ("name", "code", "source")
    inlines = (CodeListEntryInline,)
    fields = ("code", "name", "source", "description")

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        operations.save_code_list(code_list=obj, actor=request.user, at=timezone.now())


@admin.register(DataElement)
class DataElementAdmin(SimpleHistoryAdmin, ScopedAdmin):
    list_display = ("name", "code", "column_name", "data_type", "length", "source")
    list_filter = ("data_type", "personal", "sensitive")
    search_fields = ("name", "code", "column_name")
    autocomplete_fields = ("code_list",)

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        operations.save_data_element(element=obj, actor=request.user, at=timezone.now())

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        choices = {"value_check": CHECK_CHOICES, "mask": MASK_CHOICES}.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(
            label=db_field.verbose_name,
            choices=[NOTHING, *choices],
            required=False,
            widget=UnfoldAdminSelectWidget,
        )
