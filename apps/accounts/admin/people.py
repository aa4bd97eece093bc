"""Users, their roles, and who stands in for whom."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.accounts import operations
from apps.accounts.admin.acts import Act, ActsAdmin, blame, signed_in
from apps.accounts.forms import (
    AssignRoleForm,
    ConfirmForm,
    DelegateForm,
    HandOverForm,
    IssuePasswordForm,
    MoveUserForm,
    NewDelegationForm,
    ReasonForm,
)
from apps.accounts.models import Delegation, Department, Role, RoleAssignment, User
from apps.accounts.open_matters import open_matters
from apps.core import access
from apps.core.admin import ScopedAdmin, ScopedInline
from apps.core.errors import DomainError

PERSONAL = ("name", "email", "phone", "language")


def matters_of(user: User) -> list[str]:
    """Return what is open and names the person, one line per kind."""
    return [
        str(
            _("%(label)s（%(part)s）%(count)d 项：%(examples)s")
            % {
                "label": matter.label,
                "part": matter.part,
                "count": matter.count,
                "examples": "；".join(matter.examples()),
            }
        )
        for matter in open_matters(user)
    ]


def _assign_role(row: User, actor: User, at: Any, given: dict[str, Any]) -> None:
    operations.assign_role(
        user=row,
        role=given["role"].code,
        starts_on=given["starts_on"],
        ends_on=given["ends_on"],
        actor=actor,
        at=at,
    )


USER_ACTS = (
    Act(
        "assign_role",
        _("授予角色"),
        _assign_role,
        form=AssignRoleForm,
        tone="primary",
        fits=lambda user: user.is_active,
    ),
    Act(
        "delegate",
        _("委托代办"),
        lambda row, actor, at, given: operations.delegate(
            principal=row, actor=actor, at=at, **given
        ),
        form=DelegateForm,
        fits=lambda user: user.is_active,
    ),
    Act(
        "hand_over",
        _("移交未办结事项"),
        lambda row, actor, at, given: operations.hand_over(user=row, actor=actor, at=at, **given),
        form=HandOverForm,
        consequence=_("下列事项将全部改由接手人办理"),
        notes=matters_of,
    ),
    Act(
        "move_user",
        _("调动部门"),
        lambda row, actor, at, given: operations.move_user(user=row, actor=actor, at=at, **given),
        form=MoveUserForm,
        fits=lambda user: user.is_active and user.kind == User.Kind.PERSON,
        notes=matters_of,
    ),
    Act(
        "issue_password",
        _("重置密码"),
        lambda row, actor, at, given: operations.issue_password(
            user=row, actor=actor, at=at, **given
        ),
        form=IssuePasswordForm,
        consequence=_("当前登录立即结束，本人下次登录后须更换密码"),
        fits=lambda user: user.is_active,
    ),
    Act(
        "disable_user",
        _("停用账号"),
        lambda row, actor, at, given: operations.disable_user(
            user=row, actor=actor, at=at, **given
        ),
        form=ReasonForm,
        tone="danger",
        consequence=_("停用后不能登录，代办委托同时结束；有未办结事项的须先移交"),
        fits=lambda user: user.is_active,
        notes=matters_of,
    ),
    Act(
        "enable_user",
        _("启用账号"),
        lambda row, actor, at, given: operations.enable_user(user=row, actor=actor, at=at),
        form=ConfirmForm,
        fits=lambda user: not user.is_active,
    ),
)


class NewUserForm(forms.ModelForm[User]):
    """What the system administrator says of a new person."""

    name = forms.CharField(label=_("姓名"), max_length=50, widget=UnfoldAdminTextInputWidget())
    password = forms.CharField(
        label=_("临时密码"),
        strip=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("至少 8 位，含三类以上字符；本人首次登录后须更换"),
    )

    class Meta:
        model = User
        fields = ("username", "name", "department", "email", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        department = self.fields["department"]
        department.required = True
        department.queryset = Department.objects.filter(valid_to=None)  # type: ignore[attr-defined]


class RolesInline(ScopedInline):
    model = RoleAssignment
    fk_name = "user"
    view_only = True
    fields = ("role", "starts_on", "ends_on", "assigned_by", "revoked_at")
    readonly_fields = fields
    verbose_name_plural = _("角色")


class DelegationsInline(ScopedInline):
    model = Delegation
    fk_name = "principal"
    view_only = True
    fields = ("deputy", "starts_on", "ends_on", "reason", "revoked_at")
    readonly_fields = fields
    verbose_name_plural = _("委托的代办人")


@admin.register(User)
class UserAdmin(ActsAdmin):
    list_display = ("name_or_username", "username", "department", "roles", "kind", "active")
    list_filter = ("is_active", "kind", "role_assignments__role", "department")
    list_select_related = ("department",)
    search_fields = ("username", "name", "email", "phone", "department__name")
    search_help_text = _("用户名、姓名、部门、联系方式")
    acts = USER_ACTS

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("role_assignments__role")

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewUserForm
        return super().get_form(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ("username", "name", "department", "password", "email", "phone")
        shown = ("username", *PERSONAL, "department", "kind", "is_active")
        return (*shown, "joined_at", "last_login", "password_changed_at", "disabled_at", "open_now")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = super().get_readonly_fields(request, obj)
        if obj is None:
            return shown
        fixed = [name for name in self.get_fields(request, obj) if name not in PERSONAL]
        return (*shown, *fixed)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [] if obj is None else [RolesInline, DelegationsInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        given = form.cleaned_data
        if change:
            stored = User.objects.get(pk=obj.pk)
            operations.change_user(
                user=stored,
                actor=signed_in(request),
                at=timezone.now(),
                **{name: given[name] for name in PERSONAL if name in given},
            )
            return
        made = operations.register_user(actor=signed_in(request), at=timezone.now(), **given)
        obj.pk = made.pk

    @display(description=_("姓名"), ordering="name")
    def name_or_username(self, user: User) -> str:
        return str(user)

    @display(description=_("角色"))
    def roles(self, user: User) -> str:
        today = timezone.localdate()
        names = [
            assignment.role.name
            for assignment in user.role_assignments.all()
            if assignment.revoked_at is None
            and assignment.starts_on <= today
            and (assignment.ends_on is None or today <= assignment.ends_on)
        ]
        return "、".join(names) or "—"

    @display(description=_("启用"), boolean=True, ordering="is_active")
    def active(self, user: User) -> bool:
        return user.is_active

    @display(description=_("未办结事项"))
    def open_now(self, user: User) -> str:
        return "；".join(matters_of(user)) or str(_("没有"))


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    view_only = True
    list_display = ("name", "code", "description")


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(ActsAdmin):
    """Who holds what; a role is given on the person's page and taken back here."""

    view_only = True
    list_display = ("user", "role", "starts_on", "ends_on", "assigned_by", "revoked_at")
    list_filter = ("role", ("revoked_at", admin.EmptyFieldListFilter), "user__department")
    list_select_related = ("user", "role", "assigned_by")
    search_fields = ("user__name", "user__username")
    acts = (
        Act(
            "revoke_role",
            _("收回角色"),
            lambda row, actor, at, given: operations.revoke_role(
                assignment=row, actor=actor, at=at, **given
            ),
            form=ReasonForm,
            tone="danger",
            consequence=_("立即失去该角色的全部权限"),
        ),
    )


@admin.register(Delegation)
class DelegationAdmin(ActsAdmin):
    list_display = ("principal", "deputy", "starts_on", "ends_on", "reason", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("principal", "deputy")
    search_fields = ("principal__name", "deputy__name", "reason")
    acts = (
        Act(
            "revoke_delegation",
            _("收回代办委托"),
            lambda row, actor, at, given: operations.revoke_delegation(
                delegation=row, actor=actor, at=at
            ),
            tone="danger",
            consequence=_("代办人立即不能再以委托人的名义办理"),
        ),
    )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Name a stand-in: one's own, or, for the security administrator, an absent person's."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewDelegationForm(request.POST or None, subject=None, actor=signed_in(request))
        if request.method == "POST" and form.is_valid():
            try:
                operations.delegate(
                    actor=signed_in(request), at=timezone.now(), **form.cleaned_data
                )
            except DomainError as error:
                blame(form, error)
            else:
                messages.success(request, _("已委托代办"))
                return HttpResponseRedirect(self._url("changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "title": _("委托代办"),
            "act": {"label": _("委托代办"), "tone": "primary"},
            "form": form,
            "media": form.media,
            "back_url": self._url("changelist"),
        }
        return TemplateResponse(request, "accounts/act.html", context)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access.able(request.user, "create", Delegation)
