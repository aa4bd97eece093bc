"""The base of every admin screen: scoped rows, buttons made from the lifecycle, errors in words.

`get_queryset` is the `view` scope and each `has_*_permission` asks the same scopes, so a list, its
rows, autocompletes and inlines agree. Statuses are read-only; a move is a small form that posts to
one operation.
"""

from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from apps.core import access
from apps.core.errors import DomainError, StaleRevision
from apps.core.lifecycle import Lifecycle, Move
from apps.core.models import Governed


@dataclass(frozen=True)
class MoveButton:
    """One move as a page shows it; `why_not` says why a button is off, empty when it is on."""

    move: Move
    url: str
    why_not: str | Promise = ""


class MoveForm(forms.Form):
    """Confirms a move; asks for the reason where the move needs one."""

    reason = forms.CharField(
        label=_("理由"),
        required=False,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = move.reason


class ScopedAdminMixin:
    """What model admins and inlines share: permissions answered by `core.access`."""

    model: type[Model]
    view_only: ClassVar[bool] = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return not self.view_only and self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return not self.view_only and self._may(request, "delete", obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if self.view_only:
            return False
        try:
            return access.able(request.user, "create", self.model)
        except access.UnknownAction:
            return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        self._limit_choices(db_field, request, kwargs)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        self._limit_choices(db_field, request, kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]

    def _limit_choices(self, db_field: Any, request: HttpRequest, kwargs: dict[str, Any]) -> None:
        model = db_field.remote_field.model
        if "queryset" not in kwargs and "view" in access.actions_of(model):
            kwargs["queryset"] = access.rows(request.user, "view", model)

    def _may(self, request: HttpRequest, action: str, obj: Model | None) -> bool:
        if action not in access.actions_of(self.model):
            return False
        if obj is None or obj.pk is None:
            # Whether the list as such may be opened; its rows are scoped one by one.
            return access.rows(request.user, action, self.model).query.is_empty() is False
        return access.allowed(request.user, action, obj)


class ScopedAdmin(ScopedAdminMixin, ModelAdmin):
    """An admin whose rows and buttons follow the app's permissions and lifecycle.

    lifecycle: the table of moves, None for models without a status.
    operations: the module whose functions are named like the moves; each is called with the row
    under its model's name, `actor`, `at`, `revision` where it takes one, and `reason` where asked.
    """

    lifecycle: ClassVar[Lifecycle | None] = None
    operations: ClassVar[ModuleType | None] = None
    change_form_template = "admin/scoped/change_form.html"
    list_filter_submit = True
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.rows(request.user, "view", super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("status", "revision", "created_at", "updated_at")
        present = {field.name for field in self.model._meta.get_fields()}
        listed = tuple(super().get_readonly_fields(request, obj))
        return (*listed, *(name for name in fixed if name in present and name not in listed))

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # rows end by a move, not by a tick in a list
        return actions

    def get_urls(self) -> list[URLPattern]:
        if self.lifecycle is None:
            return super().get_urls()  # type: ignore[no-any-return]
        opts = self.model._meta
        move = path(
            "<path:object_id>/move/<slug:name>/",
            self.admin_site.admin_view(self.move_view),
            name=f"{opts.app_label}_{opts.model_name}_move",
        )
        return [move, *super().get_urls()]

    def why_not(self, request: HttpRequest, obj: Any, move: Move) -> str | Promise:
        """Say why a move that the person may do cannot be done yet; empty when it can."""
        return ""

    def move_buttons(self, request: HttpRequest, obj: Any) -> list[MoveButton]:
        """Return the moves from the row's status that this person may do, as buttons."""
        if self.lifecycle is None or self.operations is None:
            return []
        return [
            MoveButton(move, self._move_url(obj, move), self.why_not(request, obj, move))
            for move in self.lifecycle.moves_from(obj.status)
            if hasattr(self.operations, move.name)
            and move.name in access.actions_of(obj)
            and access.allowed(request.user, move.name, obj)
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        row = self.get_object(request, object_id) if object_id else None
        if row is not None:
            context["move_buttons"] = self.move_buttons(request, row)
        try:
            self._refuse_stale(request, row)
            return super().changeform_view(request, object_id, form_url, context)
        except DomainError as error:
            # Show the form again with everything that was typed, and the refusal above it.
            request.domain_error = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)
        error: DomainError | None = getattr(request, "domain_error", None)
        if error is None:
            return form

        def clean(self: forms.BaseForm) -> Any:
            form.clean(self)
            field = error.details.get("field")
            self.add_error(field if field in self.fields else None, str(error.message))
            return self.cleaned_data

        return type(form.__name__, (form,), {"clean": clean})

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Confirm a move, and on POST make the one call to its operation."""
        row = self.get_object(request, object_id)
        if row is None or self.lifecycle is None:
            raise Http404
        move = next((m for m in self.lifecycle.moves if m.name == name), None)
        if move is None or name not in access.actions_of(row):
            raise Http404
        if not access.allowed(request.user, name, row):
            raise PermissionDenied
        form = MoveForm(request.POST or None, move=move, initial={"revision": _revision(row)})
        if request.method == "POST" and form.is_valid():
            try:
                self._operate(request, row, move, form.cleaned_data)
            except DomainError as error:
                form.add_error(None, str(error.message))
            else:
                messages.success(request, _("已完成：%(move)s") % {"move": move.label})
                return HttpResponseRedirect(self._change_url(row))
        return self._move_page(request, row, move, form)

    def _operate(self, request: HttpRequest, row: Any, move: Move, cleaned: dict[str, Any]) -> None:
        if _revision(row) != cleaned["revision"]:
            raise StaleRevision
        operation = getattr(self.operations, move.name)
        arguments: dict[str, Any] = {"actor": request.user, "at": timezone.now()}
        if "revision" in signature(operation).parameters:
            arguments["revision"] = cleaned["revision"]
        if move.reason or cleaned["reason"]:
            arguments["reason"] = cleaned["reason"]
        operation(**{self.subject_name(): row}, **arguments)

    def subject_name(self) -> str:
        """The name under which the operations take the row; the model's last word unless told."""
        name = self.model._meta.object_name or ""
        return "request" if name.endswith("Request") else name.lower()

    def _move_page(
        self, request: HttpRequest, row: Any, move: Move, form: MoveForm
    ) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": row,
            "title": f"{move.label} · {row}",
            "move": move,
            "form": form,
            "consequence": self.consequence(row, move),
            "back_url": self._change_url(row),
        }
        return TemplateResponse(request, "admin/scoped/move.html", context)

    def consequence(self, row: Any, move: Move) -> str | Promise:
        """Say what the move brings about, for the confirmation."""
        target = dict(self.lifecycle.states.choices)[move.target] if self.lifecycle else ""
        return _("状态将变为“%(target)s”") % {"target": target}

    def _refuse_stale(self, request: HttpRequest, row: Any) -> None:
        seen = request.POST.get("seen_revision", "")
        if isinstance(row, Governed) and seen and seen != str(row.revision):
            raise StaleRevision

    def _change_url(self, row: Any) -> str:
        opts = self.model._meta
        name = f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_change"
        return reverse(name, args=[row.pk])

    def _move_url(self, row: Any, move: Move) -> str:
        opts = self.model._meta
        name = f"{self.admin_site.name}:{opts.app_label}_{opts.model_name}_move"
        return reverse(name, args=[row.pk, move.name])


class ScopedInline(ScopedAdminMixin, TabularInline):
    """An inline that may be changed exactly when its parent may."""

    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._parent_may(request, "view", obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return not self.view_only and self._parent_may(request, "change", obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_change_permission(request, obj)

    def _parent_may(self, request: HttpRequest, action: str, obj: Model | None) -> bool:
        # While the parent is being created nothing is there to protect yet.
        if obj is None or obj.pk is None:
            return True
        return action in access.actions_of(obj) and access.allowed(request.user, action, obj)


def _revision(row: Any) -> int:
    return row.revision if isinstance(row, Governed) else 1
