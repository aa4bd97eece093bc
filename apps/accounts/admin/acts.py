"""Acts on one row that are no moves of a lifecycle: a button, a small form, one operation."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from apps.accounts.forms import ActForm, ConfirmForm
from apps.accounts.models import User
from apps.core import access
from apps.core.admin import MoveButton, ScopedAdmin
from apps.core.errors import DomainError
from apps.core.lifecycle import Move, Tone

# The row, who acts, when, and what the form gave.
Operate = Callable[[Any, User, datetime, dict[str, Any]], Any]


@dataclass(frozen=True)
class Act:
    """One act: `name` is the permission's action and the operation's name.

    fits: whether the act makes sense for the row as it is; notes: lines to read before confirming.
    """

    name: str
    label: str | Promise
    operate: Operate
    form: type[ActForm] = ConfirmForm
    tone: Tone = "neutral"
    consequence: str | Promise = ""
    fits: Callable[[Any], bool] = lambda row: True
    notes: Callable[[Any], list[str]] = lambda row: []


class ActsAdmin(ScopedAdmin):
    """A scoped admin whose rows carry acts besides the moves of their lifecycle."""

    acts: ClassVar[tuple[Act, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        act = path(
            "<path:object_id>/act/<slug:name>/",
            self.admin_site.admin_view(self.act_view),
            name=f"{self._stem()}_act",
        )
        return [act, *super().get_urls()]

    def move_buttons(self, request: HttpRequest, obj: Any) -> list[MoveButton]:
        acts = [
            MoveButton(
                Move(act.name, act.label, sources=(), target="", tone=act.tone),
                self._url("act", obj.pk, act.name),
            )
            for act in self.acts
            if act.fits(obj) and access.allowed(request.user, act.name, obj)
        ]
        return [*super().move_buttons(request, obj), *acts]

    def act_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Show the act's form, and on POST make the one call to its operation."""
        row = self.get_object(request, object_id)
        act = next((act for act in self.acts if act.name == name), None)
        if row is None or act is None:
            raise Http404
        if not access.allowed(request.user, name, row):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        form = act.form(given, subject=row, actor=signed_in(request))
        if form.is_valid():
            try:
                act.operate(row, signed_in(request), timezone.now(), form.cleaned_data)
            except DomainError as error:
                blame(form, error)
            else:
                messages.success(request, _("已完成：%(act)s") % {"act": act.label})
                return HttpResponseRedirect(self._url("changelist"))
        return self._act_page(request, row, act, form)

    def _act_page(
        self, request: HttpRequest, row: Any, act: Act, form: ActForm
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": row,
            "title": f"{act.label} · {row}",
            "act": act,
            "form": form,
            "media": form.media,
            "notes": act.notes(row),
            "back_url": self._url("change", row.pk),
        }
        return TemplateResponse(request, "accounts/act.html", context)

    def _stem(self) -> str:
        return f"{self.model._meta.app_label}_{self.model._meta.model_name}"

    def _url(self, page: str, *arguments: Any) -> str:
        return reverse(f"{self.admin_site.name}:{self._stem()}_{page}", args=arguments)


def signed_in(request: HttpRequest) -> User:
    """Return the person at the page; the admin's entrance lets nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def blame(form: Any, error: DomainError) -> None:
    """Show an operation's refusal at the field it blames, or above the form."""
    field = error.details.get("field")
    form.add_error(field if field in form.fields else None, str(error.message))


def past(row: Any) -> Any:
    """Return the row's history as a list of sentences, newest first."""
    lines = [
        (
            timezone.localtime(entry.history_date).strftime("%Y-%m-%d %H:%M"),
            str(entry.history_user or "—"),
            entry.history_change_reason or "—",
        )
        for entry in row.history.select_related("history_user").order_by("-history_id")[:20]
    ]
    return format_html_join("", "<div>{}　{}　{}</div>", lines) or "—"
