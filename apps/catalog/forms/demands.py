"""What a department writes into a demand, and what is asked at each of its moves."""

import re
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, InformationSystem, Region
from apps.catalog.forms.fields import DayInput
from apps.catalog.models import Dataset, Demand, DemandOutcome, DemandReply
from apps.core.lifecycle import Move

_NOTE: Final = re.compile(r"\s*[:：]\s*|\t+")


class WantedItemsField(forms.CharField):
    """Wanted items, one a line, with a note after a colon; rows of name and note."""

    widget = forms.Textarea(attrs={"rows": 6})

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, str) or value is None:
            return value
        return "\n".join(
            f"{row['name']}：{row['note']}" if row["note"] else row["name"] for row in value
        )

    def clean(self, value: Any) -> Any:
        return read_items(super().clean(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != read_items(data or ""))


def read_items(text: str) -> list[dict[str, str]]:
    """Read one item a line, `name：note`; blank lines are nothing."""
    rows = []
    for line in text.splitlines():
        name, _colon, note = _split_once(line.strip())
        if name:
            rows.append({"name": name, "note": note})
    return rows


def _split_once(line: str) -> tuple[str, str, str]:
    parts = _NOTE.split(line, maxsplit=1)
    return parts[0].strip(), ":", parts[1].strip() if len(parts) > 1 else ""


class DemandForm(forms.ModelForm[Demand]):
    """One page; a draft may lack everything but its name."""

    wanted_items = WantedItemsField(
        label=_("需要的数据项"),
        required=False,
        help_text=_("一行一项，说明写在冒号后面，如“救助类别：低保、特困”。"),
    )

    class Meta:
        model = Demand
        fields = (
            "title",
            "wanted_items",
            "scenario",
            "basis",
            "scope",
            "region",
            "update_cycle",
            "mode",
            "needed_by",
            "ends_on",
            "system",
            "provider",
            "contact_name",
            "contact_phone",
        )
        widgets = {
            **{name: forms.Textarea(attrs={"rows": 3}) for name in ("scenario", "basis", "scope")},
            "needed_by": DayInput(),
            "ends_on": DayInput(),
        }

    GROUPS = (
        (_("需要什么数据"), (("title",), ("wanted_items",), ("scope",), ("region",))),
        (
            _("作什么用"),
            (("scenario",), ("basis",), ("system",)),
        ),
        (
            _("怎样提供"),
            (("update_cycle", "mode"), ("needed_by", "ends_on"), ("provider",)),
        ),
        (_("联系人"), (("contact_name", "contact_phone"),)),
    )

    def __init__(self, *args: Any, department: Department, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        others = Department.objects.filter(valid_to__isnull=True).exclude(pk=department.pk)
        fields["provider"].queryset = others.order_by("code")
        fields["provider"].empty_label = _("（不清楚，由主管部门确定）")
        systems = InformationSystem.objects.filter(department=department)
        fields["system"].queryset = systems.exclude(status="retired").order_by("code")
        fields["system"].empty_label = _("（尚未确定）")
        below = Region.objects.filter(valid_to=None, parent__isnull=False)
        fields["region"].queryset = below.order_by("code", "key")
        fields["region"].empty_label = _("（全市）")
        for name in ("update_cycle", "mode"):
            fields[name].choices = [("", _("（不限）")), *fields[name].choices[1:]]
        for name in ("wanted_items", "scenario", "basis", "contact_name", "contact_phone"):
            fields[name].needed = True

    @property
    def groups(self) -> list[tuple[Any, list[list[tuple[forms.BoundField, list[Any]]]]]]:
        """The fields as the page sets them: heading, then rows of fields side by side."""
        return [
            (heading, [[(self[name], []) for name in row] for row in rows])
            for heading, rows in self.GROUPS
        ]


class EntryField(forms.CharField):
    """One entry by its code; the page offers likely ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.entries: QuerySet[Dataset] = Dataset.objects.none()

    def clean(self, value: Any) -> Any:
        code = super().clean(value)
        if not code:
            return None
        found = self.entries.filter(code=code.strip().replace("-", "/")).first()
        if found is None:
            raise ValidationError(_("没有找到可用的目录 %(code)s"), params={"code": str(code)[:60]})
        return found


class DemandMoveForm(forms.Form):
    """Confirms a move; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=_("附言"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, demand: Demand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.required = move.reason
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        if move.name in WORDS:
            reason.label, reason.help_text = WORDS[move.name]
        self.demand = demand


WORDS: Final[dict[str, tuple[Any, Any]]] = {
    "send_back": (_("退回意见"), _("逐条写明须修改的内容，需求部门会收到。")),
    "send_back_proposal": (_("退回重拟的理由"), ""),
    "contest": (_("异议的理由"), _("写明为何不能接受；主管部门据此重新审核、协调。")),
    "withdraw": (_("撤回理由"), ""),
    "point_out": (_("说明"), _("该目录怎样满足需求；需求部门会看到。")),
    "forward": (_("转交意见"), _("提供部门会看到。")),
}


class ForwardForm(DemandMoveForm):
    provider = forms.ModelChoiceField(
        label=_("提供部门"), queryset=Department.objects.none(), empty_label=_("选择提供部门")
    )
    field_order = ("provider", "reason", "revision")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        standing = Department.objects.filter(valid_to__isnull=True)
        fields["provider"].queryset = standing.exclude(pk=self.demand.department_id).order_by(
            "code"
        )
        fields["provider"].initial = self.demand.provider_id


class PointOutForm(DemandMoveForm):
    dataset = EntryField(
        label=_("目录代码"), help_text=_("形如 307001002/000001；上面列出的可以直接选用。")
    )
    field_order = ("dataset", "reason", "revision")

    def __init__(self, *args: Any, entries: QuerySet[Dataset], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["dataset"].entries = entries


class FulfilForm(DemandMoveForm):
    """Which entry of the provider's meets it now."""

    dataset = forms.ModelChoiceField(
        label=_("满足需求的目录"),
        queryset=Dataset.objects.none(),
        empty_label=_("选择已发布的目录"),
    )
    field_order = ("dataset", "reason", "revision")

    def __init__(self, *args: Any, entries: QuerySet[Dataset], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["dataset"].queryset = entries
        fields["dataset"].initial = self.demand.dataset_id


class ProposeForm(DemandMoveForm):
    """The provider's answer; which fields count depends on the answer."""

    proposal = forms.ChoiceField(
        label=_("答复意见"),
        choices=[choice for choice in DemandReply.choices if choice[0]],
        widget=forms.RadioSelect,
    )
    outcome = forms.ChoiceField(
        label=_("满足方式"),
        choices=[("", _("（同意时选择）")), *(c for c in DemandOutcome.choices if c[0])],
        required=False,
    )
    dataset = forms.ModelChoiceField(
        label=_("目录"),
        queryset=Dataset.objects.none(),
        required=False,
        empty_label=_("（新编的目录可以以后再选）"),
        help_text=_("以已有目录满足，或者在已有目录增加数据项时必选。"),
    )
    promised_on = forms.DateField(
        label=_("承诺提供日期"),
        required=False,
        widget=DayInput(),
        help_text=_("同意时必填；自签发同意之日起 20 个工作日内落实。"),
    )
    legal_basis = forms.CharField(
        label=_("不予提供的依据"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("不予提供时必填：法律、行政法规或者国务院决定的名称和条款。"),
    )
    field_order = (
        "proposal",
        "outcome",
        "dataset",
        "promised_on",
        "reason",
        "legal_basis",
        "revision",
    )

    def __init__(self, *args: Any, entries: QuerySet[Dataset], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["dataset"].queryset = entries
        fields["reason"].label = _("答复内容")
        fields["reason"].help_text = _("不予提供、不属本部门时必填理由。")
        for name in ("outcome", "promised_on", "reason", "legal_basis"):
            fields[name].needed = True  # by some answers; the help says by which


class SplitForm(forms.Form):
    """Which wanted items become a demand of their own."""

    title = forms.CharField(label=_("拆出的需求名称"), max_length=80)
    items = forms.MultipleChoiceField(
        label=_("拆出的数据项"), widget=forms.CheckboxSelectMultiple, choices=()
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, names: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["items"].choices = [(name, name) for name in names]


class DeclineForm(forms.Form):
    reason = forms.CharField(label=_("为何不能满足"), max_length=500)
