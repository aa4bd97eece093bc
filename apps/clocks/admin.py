"""Rules and calendar for the authority; the clocks that run and those that are over."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from apps.clocks import operations
from apps.clocks.forms import YearForm
from apps.clocks.models import CalendarDay, CalendarYear, Clock, ClockPolicy
from apps.core.admin import ScopedAdmin


class OverdueFilter(admin.SimpleListFilter):
    title = gettext_lazy("时限")
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
    list_display = ("name", "department", "received_on", "due_on", "state_shown", "why")
    list_filter = (OverdueFilter, "state", "is_reference")
    list_select_related = ("policy", "department")
    search_fields = ("policy__name", "policy__code", "department__name")
    search_help_text = gettext_lazy("时限名称、代码或履行部门")
    ordering = ("due_at", "id")

    @admin.display(description=gettext_lazy("时限"), ordering="policy__name")
    def name(self, clock: Clock) -> str:
        return clock.policy.name

    @display(
        description=gettext_lazy("状态"),
        label={"running": "info", "paused": "warning", "over": "danger", "met": "success"},
    )
    def state_shown(self, clock: Clock) -> tuple[str, str]:
        if clock.state == Clock.State.RUNNING and clock.due_at <= timezone.now():
            return "over", _("已超期")
        if clock.state == Clock.State.STOPPED:
            return ("met", _("按时办结")) if clock.met else ("over", _("超期办结"))
        return clock.state, clock.get_state_display()

    @admin.display(description=gettext_lazy("推算"))
    def why(self, clock: Clock) -> str:
        url = reverse("clocks:clock", args=[clock.pk])
        return format_html('<a href="{}">{}</a>', url, _("逐日推算"))


@admin.register(ClockPolicy)
class ClockPolicyAdmin(ScopedAdmin):
    list_display = (
        "name",
        "code",
        "length_shown",
        "owed_by",
        "source",
        "standing",
        "valid_from",
        "valid_to",
    )
    list_filter = ("kind", "unit", "is_reference")
    search_fields = ("code", "name", "source")
    search_help_text = gettext_lazy("代码、名称或依据")

    @display(
        description=gettext_lazy("效力"),
        ordering="is_reference",
        label={"binding": "info", "reference": "warning"},
    )
    def standing(self, policy: ClockPolicy) -> tuple[str, str]:
        return ("reference", _("参照")) if policy.is_reference else ("binding", _("法定"))

    @admin.display(description=gettext_lazy("时长"), ordering="length")
    def length_shown(self, policy: ClockPolicy) -> str:
        if policy.unit == ClockPolicy.Unit.FIXED_DAY:
            return _("%(month)d月%(day)d日") % {
                "month": policy.fixed_month,
                "day": policy.fixed_day,
            }
        return f"{policy.length or '—'} {policy.get_unit_display()}"

    def save_model(
        self, request: HttpRequest, obj: ClockPolicy, form: ModelForm[Any], change: Any
    ) -> None:
        actor: Any = request.user
        operations.change_policy(clockpolicy=obj, actor=actor, at=timezone.now())


@admin.register(CalendarDay)
class CalendarDayAdmin(ScopedAdmin):
    list_display = ("day", "is_workday", "note")
    list_filter = ("is_workday",)
    search_fields = ("note",)

    def save_model(
        self, request: HttpRequest, obj: CalendarDay, form: ModelForm[Any], change: Any
    ) -> None:
        actor: Any = request.user
        saved = operations.set_day(
            day=obj.day,
            is_workday=obj.is_workday,
            note=obj.note,
            actor=actor,
            at=timezone.now(),
        )
        obj.pk = saved.pk

    def delete_model(self, request: HttpRequest, obj: CalendarDay) -> None:
        actor: Any = request.user
        operations.clear_day(calendarday=obj, actor=actor, at=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An entry moves to another day by deleting it and entering the other."""
        listed = super().get_readonly_fields(request, obj)
        return (*listed, "day") if obj is not None else listed


@admin.register(CalendarYear)
class CalendarYearAdmin(ScopedAdmin):
    form = YearForm
    list_display = ("year", "source", "published_at")

    def save_model(
        self, request: HttpRequest, obj: CalendarYear, form: ModelForm[Any], change: Any
    ) -> None:
        actor: Any = request.user
        operations.publish_year(
            year=obj.year,
            days=form.cleaned_data["days"],
            source=obj.source,
            actor=actor,
            at=timezone.now(),
        )
        obj.pk = CalendarYear.objects.get(year=obj.year).pk
