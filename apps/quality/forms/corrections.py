"""What is asked when a correction is raised, and at each of its moves."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.core.contracts import Column
from apps.core.lifecycle import Move
from apps.quality.models import Correction, CorrectionScope
from apps.warehouse.models import Batch

STATED: Final = "stated"
EMPTY: Final = "empty"
UNKNOWN: Final = "unknown"
CLAIMS: Final = (
    (STATED, _("应为下面的值")),
    (EMPTY, _("应为空")),
    (UNKNOWN, _("不知道应为什么，只知道有误")),
)
FINDINGS: Final = ((STATED, _("更正为下面的值")), (EMPTY, _("更正为空")))


class LookUpForm(forms.Form):
    """Names a record: by its business key, or by `_id` where the key is not shown."""

    row_id = forms.IntegerField(
        label=_("记录号 _id"),
        required=False,
        min_value=1,
        max_value=(1 << 63) - 1,
        help_text=_("数据接口和导出文件每条记录的第一列。"),
    )

    def __init__(self, *args: Any, key: tuple[Column, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.key_names = [column.name for column in key]
        for column in key:
            self.fields[self._field(column.name)] = forms.CharField(
                label=column.label, required=False, max_length=2000
            )
        fields: dict[str, Any] = self.fields
        for field in fields.values():
            field.needed = True  # one of them is
        self.order_fields([*map(self._field, self.key_names), "row_id"])

    @staticmethod
    def _field(name: str) -> str:
        return f"key_{name}"

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if not found.get("row_id") and not any(self.key.values()) and not self.errors:
            raise forms.ValidationError(_("填写主键或者记录号"))
        return found

    @property
    def key(self) -> dict[str, str]:
        return {name: self.cleaned_data.get(self._field(name), "") for name in self.key_names}

    def named(self) -> Mapping[str, Any]:
        """How the record was named: `_id` first, for it is unmistakable."""
        row_id = self.cleaned_data.get("row_id")
        return {"row_id": row_id} if row_id else {"key": self.key}


class _ValueFields(forms.Form):
    """A value, or that there shall be none; `value_of` brings both together."""

    choice_field: str
    value_field: str

    def value_of(self) -> str | None:
        match self.cleaned_data.get(self.choice_field):
            case "stated":
                return str(self.cleaned_data.get(self.value_field, ""))
            case "empty":
                return ""
            case _:
                return None

    def _require_value(self, found: dict[str, Any]) -> None:
        if found.get(self.choice_field) == STATED and not found.get(self.value_field):
            self.add_error(self.value_field, _("填写应为的值，或者选择“应为空”"))


class RaiseForm(_ValueFields):
    """A doubt: what the value should be, why, and the papers that show it."""

    choice_field = "claim"
    value_field = "claimed_value"

    claim = forms.ChoiceField(
        label=_("应当是什么"), choices=CLAIMS, widget=forms.RadioSelect, initial=STATED
    )
    claimed_value = forms.CharField(label=_("应为的值"), required=False, max_length=10_000)
    description = forms.CharField(
        label=_("问题说明"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("在办理什么事项时、怎样发现有误。"),
    )
    evidence = forms.CharField(
        label=_("依据"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("证件、文书的名称和编号，或者核对过的来源。"),
    )
    file = forms.FileField(
        label=_("依据材料"),
        required=False,
        help_text=_("证件、文书的扫描件；PDF、OFD、图片、表格或文字处理文件，不超过 20 MB。"),
    )

    def __init__(self, *args: Any, scope: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if scope != CorrectionScope.VALUE:
            del self.fields["claim"]
            del self.fields["claimed_value"]
            self.fields["description"].required = True
            return
        claimed: Any = self.fields["claimed_value"]
        claimed.needed = True  # unless another answer is chosen

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        self._require_value(found)
        if found.get("claim") == UNKNOWN and not found.get("description"):
            self.add_error("description", _("写明有什么问题"))
        return found

    def given(self) -> dict[str, Any]:
        """The operation's arguments."""
        return {
            "claimed_value": self.value_of(),
            "description": self.cleaned_data["description"],
            "evidence": self.cleaned_data["evidence"],
            "file": self.cleaned_data["file"],
        }


WORDS: Final[dict[str, tuple[Any, Any]]] = {
    "forward": (_("转办的理由"), _("新的核实部门和提出部门会看到。")),
    "uphold": (_("认定有误的依据"), _("提出部门会看到。")),
    "confirm": (_("核实无误的说明"), _("写明查了什么、凭什么认定无误；提出部门会看到。")),
    "contest": (_("异议的理由"), _("写明为何不能接受；主管部门据此协调。")),
    "send_back": (_("发回的理由"), _("核实部门据此重新核实。")),
    "withdraw": (_("撤回的理由"), ""),
}


class CorrectionMoveForm(forms.Form):
    """Confirms a move; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=_("附言"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, move: Move | None, correction: Correction, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.correction = correction
        reason = self.fields["reason"]
        if move is None:
            return
        reason.required = move.reason
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        if move.name in WORDS:
            reason.label, reason.help_text = WORDS[move.name]

    def given(self) -> dict[str, Any]:
        """The operation's arguments."""
        return dict(self.cleaned_data)


class ForwardForm(CorrectionMoveForm):
    department = forms.ModelChoiceField(
        label=_("转办给"), queryset=Department.objects.none(), empty_label=_("选择部门")
    )
    field_order = ("department", "reason", "revision")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["department"].queryset = (
            Department.objects.filter(valid_to=None)
            .exclude(pk__in=(self.correction.handler_id, self.correction.department_id))
            .order_by("code")
        )


class UpholdForm(CorrectionMoveForm, _ValueFields):
    """Says what is right; of a record or a dataset only why it is wrong."""

    choice_field = "finding"
    value_field = "value"

    finding = forms.ChoiceField(
        label=_("怎样更正"), choices=FINDINGS, widget=forms.RadioSelect, initial=STATED
    )
    value = forms.CharField(label=_("更正为"), required=False, max_length=10_000)
    field_order = ("finding", "value", "reason", "revision")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.correction.scope != CorrectionScope.VALUE:
            del self.fields["finding"]
            del self.fields["value"]
            return
        claimed = self.correction.claimed_value
        value: Any = self.fields["value"]
        self.fields["finding"].initial = EMPTY if claimed == "" else STATED
        value.initial = claimed or ""
        value.needed = True  # unless it shall be empty

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        self._require_value(found)
        return found

    def given(self) -> dict[str, Any]:
        kept = {name: self.cleaned_data[name] for name in ("reason", "revision")}
        return {**kept, "value": self.value_of()}


class LinkForm(CorrectionMoveForm):
    batch = forms.ModelChoiceField(
        label=_("更正批次"), queryset=Batch.objects.none(), empty_label=_("选择批次")
    )
    field_order = ("batch", "reason", "revision")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["batch"].queryset = (
            Batch.objects.filter(
                dataset=self.correction.dataset, received_at__gte=self.correction.raised_at
            )
            .exclude(status__in=(Batch.Status.REFUSED, Batch.Status.FAILED))
            .order_by("-pk")
        )
