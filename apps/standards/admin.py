"""Data elements and code lists: everybody looks, the authority keeps."""

from typing import Any

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.admin import ScopedAdmin, ScopedInline
from apps.standards import operations
from apps.standards.checks import CHECK_CHOICES
from apps.standards.masks import MASK_CHOICES
from apps.standards.models import CodeList, CodeListEntry, DataElement

NOTHING = ("", "—")
CODED = {"value_check": CHECK_CHOICES, "mask": MASK_CHOICES}


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
    readonly_fields = ("value_check_in_words", "mask_in_words")

    def get_fields(self, request: Any, obj: Any = None) -> list[Any]:
        """Whoever only looks reads what the codes mean."""
        names = [
            name for name in super().get_fields(request, obj) if name not in self.readonly_fields
        ]
        if obj is None or self.has_change_permission(request, obj):
            return names
        return [f"{name}_in_words" if name in CODED else name for name in names]

    @display(description=_("校验规则"))
    def value_check_in_words(self, element: DataElement) -> str:
        return str(dict(CHECK_CHOICES).get(element.value_check, "—"))

    @display(description=_("推荐脱敏方式"))
    def mask_in_words(self, element: DataElement) -> str:
        return str(dict(MASK_CHOICES).get(element.mask, "—"))

    def save_model(self, request: Any, obj: Any, form: Any, change: Any) -> None:
        operations.save_data_element(element=obj, actor=request.user, at=timezone.now())

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        choices = CODED.get(db_field.name)
        if choices is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        return forms.ChoiceField(
            label=db_field.verbose_name,
            choices=[NOTHING, *choices],
            required=False,
            widget=UnfoldAdminSelectWidget,
        )
