"""Rules and calendar for the authority; the clocks that run and those that are over."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.clocks import operations
from apps.clocks.models import CalendarDay, CalendarYear, Clock, ClockPolicy
from apps.core.admin import ScopedAdmin


class OverdueFilter(admin.SimpleListFilter):
    title = _("时限")
    parameter_name = "time"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("over", _("已超期")), ("running", _("未超期"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Clock]) -> QuerySet[Clock]:
        at = timezone.now()
        running = queryset.filter(state=Clock.State.RUNNING)
        if self.value() == "over":
            return running.filter(due_at__lte=at)
        if self.value() == "running":
            return running.filter(due_at__gt=at)
        return queryset


@admin.register(Clock)
class ClockAdmin(ScopedAdmin):
    view_only = True
    list_display = ("derivation", "department", "received_on", "due_on", "state_shown", "met")
    list_filter = (OverdueFilter, "state", "policy__code", "is_reference")
    list_select_related = ("policy", "department")
    search_fields = ("policy__name", "department__name")
    date_hierarchy = "due_on"

    @display(description=_("时限"), ordering="policy__name")
    def derivation(self, clock: Clock) -> str:
        return clock.policy.name

    @display(description=_("状态"), label={"running": "info", "paused": "warning"})
    def state_shown(self, clock: Clock) -> tuple[str, str]:
        return clock.state, clock.get_state_display()


@admin.register(ClockPolicy)
class ClockPolicyAdmin(ScopedAdmin):
    list_display = (
        "name",
        "code",
        "length_shown",
        "owed_by",
        "source",
        "is_reference",
        "valid_from",
    )
    list_filter = ("kind", "unit", "is_reference")
    search_fields = ("code", "name", "source")

    @display(description=_("时长"), ordering="length")
    def length_shown(self, policy: ClockPolicy) -> str:
        if policy.unit == ClockPolicy.Unit.FIXED_DAY:
            return format_html(_("{}月{}日"), policy.fixed_month, policy.fixed_day)
        return f"{policy.length or '—'} {policy.get_unit_display()}"

    def save_model(
        self, request: HttpRequest, obj: ClockPolicy, form: ModelForm[Any], change: Any
    ) -> None:
        operations.change_policy(clockpolicy=obj, actor=request.user, at=timezone.now())


@admin.register(CalendarDay)
class CalendarDayAdmin(ScopedAdmin):
    list_display = ("day", "is_workday", "note")
    list_filter = ("is_workday",)
    date_hierarchy = "day"

    def save_model(
        self, request: HttpRequest, obj: CalendarDay, form: ModelForm[Any], change: Any
    ) -> None:
        saved = operations.set_day(
            day=obj.day,
            is_workday=obj.is_workday,
            note=obj.note,
            actor=request.user,
            at=timezone.now(),
        )
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: CalendarDay) -> None:
        operations.clear_day(calendarday=obj, actor=request.user, at=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An entry moves to another day by deleting it and entering the other."""
        listed = super().get_readonly_fields(request, obj)
        return (*listed, "day") if obj is not None else listed


@admin.register(CalendarYear)
class CalendarYearAdmin(ScopedAdmin):
    list_display = ("year", "source", "published_at")
    view_only = True
