"""The steps in which a department writes a request; everything may be completed later."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.catalog.models import Dataset
from apps.core.errors import InvalidInput
from apps.sharing.forms.limits import DayInput, LimitFields
from apps.sharing.models import LIMIT_FIELDS, Attachment, Mode, SharingRequest
from apps.sharing.operations.asking.contents import refuse_bad_period
from apps.sharing.queries import default_mask
from apps.standards.masks import masks_for


class BeginForm(forms.Form):
    """Which entry, for which of the department's systems."""

    dataset = forms.ModelChoiceField(
        label=_("数据目录"), queryset=Dataset.objects.none(), widget=forms.HiddenInput
    )
    system = forms.ModelChoiceField(
        label=_("使用系统"),
        queryset=InformationSystem.objects.none(),
        empty_label=_("选择使用数据的信息系统"),
        help_text=_("授权只给这一个系统；由它的调用凭证读取。"),
        error_messages={"required": _("选择使用系统")},
    )

    def __init__(self, *args: Any, datasets: Any, systems: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = datasets  # type: ignore[attr-defined]
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]


class PurposeForm(LimitFields, forms.ModelForm):  # type: ignore[type-arg]
    """The five statements that every request must make, and the limits it sets itself.

    Source: 《政务数据共享条例》第二十条
    """

    class Meta:
        model = SharingRequest
        fields = ("basis", "scenario", "scope", "mode", "starts_on", "ends_on", *LIMIT_FIELDS)
        widgets = {
            "basis": forms.Textarea(attrs={"rows": 4}),
            "scenario": forms.Textarea(attrs={"rows": 3}),
            "scope": forms.Textarea(attrs={"rows": 3}),
            "mode": forms.RadioSelect,
            "starts_on": DayInput(),
            "ends_on": DayInput(),
        }
        help_texts = {
            "basis": _("法律、法规、规章或者三定职责的名称和条款。可从下面选取后补充。"),
            "scenario": _("在哪项业务、哪个环节使用，如“临时救助申请的资格核对”。"),
            "scope": _("哪些人、哪些岗位使用，结果给到谁；不得超出这里写明的范围。"),
            "mode": _(
                "服务接口适合逐条查询；批量交换和文件下载适合定期取数；"
                "只需知道手里的值对不对的，选核验，不取得数据；选核验的，主键须列入数据项且不脱敏。"
            ),
            "starts_on": _("最早从何时开始使用。"),
            "ends_on": _("到期自动停止访问；可在到期前重新申请。"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields:
            self.fields[name].required = False
        self.fields["mode"].choices = Mode.choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Say at its field what the table would refuse."""
        written = super().clean() or {}
        try:
            refuse_bad_period(written.get("starts_on"), written.get("ends_on"))
        except InvalidInput as refusal:
            self.add_error("ends_on", str(refusal))
        return written

    def unfinished(self) -> list[str]:
        """Say which of the mandatory statements are still missing."""
        return [
            str(self.fields[name].label)
            for name in self.fields
            if name not in LIMIT_FIELDS and not self.cleaned_data.get(name)
        ]


class ItemsForm(forms.Form):
    """Which items, each in plain text or under a mask.

    Fields: `items` (several column names) and one `mask-<column>` per item that may be masked.
    """

    def __init__(self, *args: Any, request: SharingRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items = list(request.dataset.items.select_related("dataset").order_by("position"))
        self.chosen = {
            row.item.column_name: row.mask for row in request.requested_items.select_related("item")
        }

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The items as the page lists them, with what was chosen or typed."""
        return [self._row(item) for item in self.items]

    def _row(self, item: Any) -> dict[str, Any]:
        name = item.column_name
        usual = default_mask(item)
        if self.is_bound:
            ticked = name in _many(self.data, "items")
            mask = self.data.get(f"mask-{name}", usual)
        else:
            ticked, mask = name in self.chosen, self.chosen.get(name, usual)
        return {
            "item": item,
            "attribute": item.effective_sharing_attribute,
            "is_shared": item.effective_sharing_attribute != "not_shared",
            "ticked": ticked,
            "mask": mask,
            "masks": masks_for(item.data_type),
            "usual": usual,
        }

    def clean(self) -> dict[str, Any]:
        names = _many(self.data, "items")
        if not names:
            raise forms.ValidationError(_("至少选择一个数据项"))
        return {
            "items": {name: str(self.data.get(f"mask-{name}", "")) for name in names},
        }


def _many(data: Any, name: str) -> list[str]:
    """Return every value typed under a name."""
    found: list[str] = data.getlist(name)
    return found


class PaperForm(forms.Form):
    """A scanned letter, or the number of a document."""

    kind = forms.ChoiceField(label=_("类型"), choices=Attachment.Kind.choices)
    title = forms.CharField(label=_("标题"), max_length=200)
    document_number = forms.CharField(label=_("文号"), max_length=100, required=False)
    file = forms.FileField(
        label=_("扫描件"),
        required=False,
        help_text=_("PDF、OFD、图片或文字处理文件，不超过 20 MB。有文号的可以不传。"),
    )


class PromiseForm(forms.Form):
    """The promise under which a request is sent on."""

    vouched = forms.BooleanField(
        label=_("承诺本申请真实、合法、必要，按写明的依据、场景、范围和时限使用，不转给第三方"),
        error_messages={"required": _("须承诺申请真实、合法、必要")},
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)


def usual_period() -> dict[str, Any]:
    """Return a year from today, as most requests ask."""
    today = timezone.localdate()
    try:
        ends = today.replace(year=today.year + 1)
    except ValueError:  # 29 February
        ends = today.replace(year=today.year + 1, day=28)
    return {"starts_on": today, "ends_on": ends}
