"""What is asked on the pages of responsibility lists and duties."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.catalog.forms.fields import DayInput
from apps.catalog.models import UpdateCycle
from apps.catalog.queries.responsibility import departments_below
from apps.core.lifecycle import Move

REASONS: Final[dict[str, tuple[Any, Any]]] = {
    "raise_objection": (_("异议理由"), _("写明哪一处不符、实际情况和依据，主管部门逐项答复。")),
    "settle": (_("答复"), _("异议成立的，先改正清单再答复。")),
    "return_performance": (_("退回理由"), _("写明还缺什么。")),
}


class CompileForm(forms.Form):
    """Which catalogue is decomposed into which batch."""

    year = forms.IntegerField(label=_("年度"), min_value=2000, max_value=2100)
    batch = forms.CharField(
        label=_("批次"), max_length=40, initial=_("第一批"), help_text=_("同一年度可以分批印发。")
    )
    due_on = forms.DateField(
        label=_("完成期限"),
        required=False,
        widget=DayInput(),
        help_text=_("各项先填这一天，编制时逐项或成批调整；印发前须填齐。"),
    )
    departments = forms.ModelMultipleChoiceField(
        label=_("责任部门"),
        queryset=Department.objects.none(),
        required=False,
        help_text=_("只列还有目录或需求没有列入清单的部门；都不勾选则为全部。"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, waiting: Mapping[int, int], **kwargs: Any) -> None:
        """waiting: of each department that has any, how many duties it would get."""
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["departments"]
        chosen.queryset = Department.objects.filter(pk__in=waiting).order_by("code")
        chosen.label_from_instance = lambda department: (
            _("%(department)s（%(count)s 项）")
            % {
                "department": department,
                "count": waiting[department.pk],
            }
        )


class ListMoveForm(forms.Form):
    """Confirms a move of a list; asks for a day or a reason where the move needs one."""

    consult_due_on = forms.DateField(label=_("征求意见截止"), widget=DayInput())
    opinion = forms.CharField(
        label=_("部门意见"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("没有提出异议的事项视为确认。"),
    )
    reason = forms.CharField(label=_("理由"), widget=forms.Textarea(attrs={"rows": 4}))
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, name: str, move: Move | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if name != "consult":
            del self.fields["consult_due_on"]
        if name != "reply":
            del self.fields["opinion"]
        else:
            del self.fields["revision"]  # who replies goes by what he was asked, not by the page
        if move is None or not move.reason:
            del self.fields["reason"]


class DutyMoveForm(forms.Form):
    """Confirms a move of a duty."""

    evidence = forms.CharField(
        label=_("完成情况"),
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("归集了什么、从哪个系统、到哪一天。看板以实际入库为准。"),
    )
    performed_rows = forms.IntegerField(label=_("已归集条数"), required=False, min_value=0)
    reason = forms.CharField(label=_("理由"), widget=forms.Textarea(attrs={"rows": 4}))
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if move.name != "perform":
            del self.fields["evidence"]
            del self.fields["performed_rows"]
        if not move.reason:
            del self.fields["reason"]
            return
        reason = self.fields["reason"]
        reason.label, reason.help_text = REASONS.get(move.name, (reason.label, ""))


class DatasetOfDutyForm(forms.Form):
    """Which entry a duty is performed by."""

    code = forms.CharField(
        label=_("目录代码"), max_length=60, help_text=_("本部门目录的代码，如 307001002/000001。")
    )


class DutyRowForm(forms.Form):
    """One line of a list in the table of the officer."""

    expected_rows = forms.IntegerField(label=_("应归集条数"), required=False, min_value=0)
    update_cycle = forms.ChoiceField(label=_("更新周期"), choices=UpdateCycle.choices)
    due_on = forms.DateField(label=_("完成期限"), required=False, widget=DayInput())
    contact_name = forms.CharField(label=_("联系人"), required=False, max_length=50)


class BulkForm(forms.Form):
    """What all ticked lines get."""

    due_on = forms.DateField(label=_("完成期限"), required=False, widget=DayInput())
    expected_rows = forms.IntegerField(label=_("应归集条数"), required=False, min_value=0)


class AddDutyForm(forms.Form):
    """A duty written by hand, for a dataset that does not exist yet."""

    title = forms.CharField(label=_("责任事项"), max_length=100)
    item_names = forms.CharField(
        label=_("数据项"), required=False, help_text=_("用顿号或逗号分隔。")
    )
    expected_rows = forms.IntegerField(label=_("应归集条数"), required=False, min_value=0)
    update_cycle = forms.ChoiceField(
        label=_("更新周期"), choices=UpdateCycle.choices, initial=UpdateCycle.YEARLY
    )
    due_on = forms.DateField(label=_("完成期限"), required=False, widget=DayInput())


class PartForm(forms.Form):
    """What one unit or district takes of a duty."""

    department = forms.ModelChoiceField(
        label=_("承担部门"), queryset=Department.objects.none(), help_text=_("本部门或者区县部门。")
    )
    internal_unit = forms.CharField(
        label=_("承担处室"),
        required=False,
        max_length=100,
        help_text=_("拆分给本部门处室时必填。"),
    )
    expected_rows = forms.IntegerField(label=_("应归集条数"), required=False, min_value=0)
    due_on = forms.DateField(label=_("完成期限"), required=False, widget=DayInput())
    contact_name = forms.CharField(label=_("联系人"), required=False, max_length=50)
    contact_phone = forms.CharField(label=_("联系电话"), required=False, max_length=40)

    def __init__(self, *args: Any, own: Department, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen: Any = self.fields["department"]
        below = departments_below(own)
        chosen.queryset = (below | Department.objects.filter(pk=own.pk)).order_by("code")
        chosen.initial = own.pk
        if not below.exists():
            chosen.help_text = ""
