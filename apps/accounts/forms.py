"""Forms of the acts on departments and people; each posts to one operation."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelect2MultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import Department, Role, Succession, User
from apps.core import access


class ActForm(forms.Form):
    """A form about one row, filled in by one person."""

    def __init__(self, *args: Any, subject: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.subject = subject
        self.actor = actor
        self.prepare()

    def prepare(self) -> None:
        """Limit the choices to what fits the row and the person."""

    def colleagues(self, person: User) -> QuerySet[User]:
        return User.objects.filter(
            department=person.department_id, is_active=True, kind=User.Kind.PERSON
        ).exclude(pk=person.pk)


def _reason(*, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=_("理由"),
        required=required,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _day(label: Any, *, required: bool = True, **other: Any) -> forms.DateField:
    return forms.DateField(
        label=label, required=required, widget=UnfoldAdminSingleDateWidget(), **other
    )


class ConfirmForm(ActForm):
    """Nothing to fill in."""


class ReasonForm(ActForm):
    reason = _reason()


class AssignRoleForm(ActForm):
    role = forms.ModelChoiceField(
        label=_("角色"), queryset=Role.objects.all(), widget=UnfoldAdminSelectWidget()
    )
    starts_on = _day(_("起始日期"), initial=timezone.localdate)
    ends_on = _day(_("截止日期"), required=False, help_text=_("留空表示长期"))


class DelegateForm(ActForm):
    deputy = forms.ModelChoiceField(
        label=_("代办人"),
        queryset=User.objects.none(),
        widget=UnfoldAdminSelect2Widget(),
        help_text=_("同一部门在用的人员；代办期间的操作记录会写明“代”"),
    )
    starts_on = _day(_("起始日期"), initial=timezone.localdate)
    ends_on = _day(_("截止日期"))
    reason = _reason()

    def prepare(self) -> None:
        self.fields["deputy"].queryset = self.colleagues(self.subject).exclude(  # type: ignore[attr-defined]
            pk=self.actor.pk
        )


class HandOverForm(ActForm):
    successor = forms.ModelChoiceField(
        label=_("接手人"), queryset=User.objects.none(), widget=UnfoldAdminSelect2Widget()
    )
    reason = _reason(required=False)

    def prepare(self) -> None:
        self.fields["successor"].queryset = self.colleagues(self.subject)  # type: ignore[attr-defined]


class MoveUserForm(ActForm):
    department = forms.ModelChoiceField(
        label=_("调入部门"),
        queryset=Department.objects.filter(valid_to=None),
        widget=UnfoldAdminSelect2Widget(),
    )


class IssuePasswordForm(ActForm):
    password = forms.CharField(
        label=_("临时密码"),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("至少 8 位，含三类以上字符；本人首次登录后须更换"),
        strip=False,
    )


class SharingOfficeForm(ActForm):
    name = forms.CharField(label=_("机构名称"), max_length=100, widget=UnfoldAdminTextInputWidget())
    head = forms.ModelChoiceField(
        label=_("负责人"),
        queryset=User.objects.none(),
        required=False,
        widget=UnfoldAdminSelect2Widget(),
    )
    phone = forms.CharField(
        label=_("联系电话"), required=False, max_length=30, widget=UnfoldAdminTextInputWidget()
    )

    def prepare(self) -> None:
        self.fields["head"].queryset = User.objects.filter(  # type: ignore[attr-defined]
            department=self.subject, is_active=True, kind=User.Kind.PERSON
        )
        office = getattr(self.subject, "sharing_office", None)
        if office is not None:
            self.initial = {"name": office.name, "head": office.head, "phone": office.phone}


class NewDelegationForm(ActForm):
    """A delegation begun from the list: whose, to whom, from when to when."""

    principal = forms.ModelChoiceField(
        label=_("委托人"), queryset=User.objects.none(), widget=UnfoldAdminSelect2Widget()
    )
    deputy = forms.ModelChoiceField(
        label=_("代办人"), queryset=User.objects.none(), widget=UnfoldAdminSelect2Widget()
    )
    starts_on = _day(_("起始日期"), initial=timezone.localdate)
    ends_on = _day(_("截止日期"))
    reason = _reason()

    def prepare(self) -> None:
        principals = access.rows(self.actor, "delegate", User)
        people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
        self.fields["principal"].queryset = principals  # type: ignore[attr-defined]
        self.fields["deputy"].queryset = people.filter(  # type: ignore[attr-defined]
            department__in=principals.values("department")
        ).exclude(pk=self.actor.pk)
        self.initial.setdefault("principal", self.actor.pk)


class SuccessionForm(forms.Form):
    """Kind, parties and basis of a reform; for a new name also what the new row is called."""

    kind = forms.ChoiceField(
        label=_("类型"), choices=Succession.Kind.choices, widget=UnfoldAdminSelectWidget()
    )
    predecessors = forms.ModelMultipleChoiceField(
        label=_("原部门"),
        queryset=Department.objects.filter(valid_to=None),
        widget=UnfoldAdminSelect2MultipleWidget(),
        help_text=_("合并可选多个，其余只选一个"),
    )
    successors = forms.ModelMultipleChoiceField(
        label=_("承接部门"),
        queryset=Department.objects.filter(valid_to=None),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget(),
        help_text=_(
            "分设选两个以上，第一个（按编码）承接未划出的全部内容；更名时留空，填写下面的新名称"
        ),
    )
    new_code = forms.SlugField(
        label=_("新部门编码"), required=False, widget=UnfoldAdminTextInputWidget()
    )
    new_name = forms.CharField(
        label=_("新名称"), required=False, max_length=100, widget=UnfoldAdminTextInputWidget()
    )
    new_short_name = forms.CharField(
        label=_("新简称"), required=False, max_length=50, widget=UnfoldAdminTextInputWidget()
    )
    effective_on = _day(_("生效日期"), initial=timezone.localdate)
    basis = forms.CharField(
        label=_("依据文号"), max_length=200, widget=UnfoldAdminTextInputWidget()
    )
    note = forms.CharField(
        label=_("说明"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == Succession.Kind.RENAMED:
            for field in ("new_code", "new_name"):
                if not cleaned.get(field):
                    self.add_error(field, _("更名须填写新部门编码和新名称"))
        elif not cleaned.get("successors"):
            self.add_error("successors", _("请选择承接部门"))
        return cleaned

    @property
    def is_rename(self) -> bool:
        return self.cleaned_data.get("kind") == Succession.Kind.RENAMED

    @property
    def is_partial(self) -> bool:
        return self.cleaned_data.get("kind") in {
            Succession.Kind.SPLIT,
            Succession.Kind.FUNCTION_MOVED,
        }
