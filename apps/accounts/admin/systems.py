"""Information systems: registered by their departments or the system administrator."""

from types import ModuleType
from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.accounts import operations
from apps.accounts.admin.acts import past, signed_in
from apps.accounts.lifecycle import SYSTEM
from apps.accounts.models import Department, InformationSystem
from apps.core import access
from apps.core.admin import ScopedAdmin
from apps.core.lifecycle import Lifecycle, Move

DESCRIBED = ("name", "purpose", "built_on", "protection_level", "contact_name", "contact_phone")
COLOURS = {"running": "success", "building": "info", "retired": "danger"}


@admin.register(InformationSystem)
class InformationSystemAdmin(ScopedAdmin):
    lifecycle: ClassVar[Lifecycle | None] = SYSTEM
    operations: ClassVar[ModuleType | None] = operations
    list_display = ("name", "code", "department", "state", "protection_level", "built_on")
    list_filter = ("status", "protection_level", "department")
    list_select_related = ("department",)
    search_fields = ("name", "code", "purpose", "department__name")
    search_help_text = _("系统名称、编码、用途、部门")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("department", *DESCRIBED)
        return ("code", "department", *DESCRIBED, "status", "service_user", "changes")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        fixed = () if obj is None else ("code", "department", "service_user", "changes")
        return (*shown, *fixed)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "department":
            open_now = Department.objects.filter(valid_to=None)
            kwargs["queryset"] = access.rows(request.user, "register_system", open_now)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        given = {name: form.cleaned_data[name] for name in DESCRIBED}
        if change:
            stored = InformationSystem.objects.get(pk=obj.pk)
            operations.change_system(
                system=stored, actor=signed_in(request), at=timezone.now(), **given
            )
            return
        made = operations.register_system(
            department=form.cleaned_data["department"],
            actor=signed_in(request),
            at=timezone.now(),
            **given,
        )
        obj.pk, obj.code = made.pk, made.code

    def subject_name(self) -> str:
        return "system"

    def consequence(self, row: Any, move: Move) -> Any:
        if move.name == "retire":
            return _("系统的服务账号立即停用，不能再调用或推送数据")
        return super().consequence(row, move)

    @display(description=_("状态"), ordering="status", label=COLOURS)
    def state(self, system: InformationSystem) -> tuple[str, str]:
        return system.status, system.get_status_display()

    @display(description=_("变更记录"))
    def changes(self, system: InformationSystem) -> Any:
        return past(system)
