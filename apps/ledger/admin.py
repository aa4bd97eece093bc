"""The ledger as the auditor reads it: nothing to change.

Access records are shown by `apps.sharing.admin.access_records`, which knows the names.
"""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.core.admin import ScopedAdmin
from apps.ledger import queries
from apps.ledger.models import Event


class AreaFilter(admin.SimpleListFilter):
    """By the app whose operation it was: a prefix of the verb, so nothing is counted or listed."""

    title = _("业务")
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        ours = [config for config in apps.get_app_configs() if config.name.startswith("apps.")]
        return [(config.label, config.verbose_name) for config in ours]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        area = self.value()
        return queryset.filter(verb__startswith=f"{area}.") if area else queryset


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    view_only = True
    list_display = ("moment", "sentence", "department", "outcome_shown", "verb")
    list_display_links = ("moment",)
    list_filter = (("at", RangeDateTimeFilter), "outcome", AreaFilter, "department__category")
    list_select_related = ("on_behalf_of", "department")
    search_fields = ("actor_label", "subject_label", "verb", "subject_id")
    search_help_text = _("操作人、对象、操作代码或对象编号")
    ordering = ("-at", "-id")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        event = self.get_object(request, object_id)
        heading = {"subtitle": queries.told(event).sentence} if event else {}
        extra = {**heading, **(extra_context or {})}
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    @admin.display(description=_("时间"), ordering="at")
    def moment(self, event: Event) -> Any:
        return event.at

    @admin.display(description=_("经过"))
    def sentence(self, event: Event) -> str:
        return queries.told(event).sentence

    @display(description=_("结果"), label={"done": "success", "refused": "danger"})
    def outcome_shown(self, event: Event) -> tuple[str, str]:
        return event.outcome, event.get_outcome_display()
