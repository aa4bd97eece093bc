"""The certificate of disposal, and the provider's word on it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.forms.limits import DayInput
from apps.sharing.forms.moves import AnswerForm
from apps.sharing.models import Disposal
from apps.sharing.operations.holding.disposals import NEEDED


class DisposalForm(forms.Form):
    """What was held where, and what became of it."""

    outcome = forms.ChoiceField(
        label=_("处置结果"),
        choices=Disposal.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("选择处置结果")},
    )
    held = forms.CharField(
        label=_("取得的数据及存放位置"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("逐处写明：库表、文件、备份、纸质材料，以及所在的系统和设备。"),
    )
    method = forms.CharField(
        label=_("销毁方式"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("全部销毁的必填：怎样删除，备份和缓存怎样清除，怎样验证不能恢复。"),
    )
    kept_basis = forms.CharField(
        label=_("留存内容和依据"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("留存的必填：留存哪些、依据哪条规定、留到何时、怎样保管。"),
    )
    disposed_by = forms.CharField(
        label=_("处置责任人"), max_length=60, required=False, help_text=_("姓名和职务。")
    )
    disposed_on = forms.DateField(label=_("处置日期"), required=False, widget=DayInput())
    file = forms.FileField(
        label=_("证明材料"),
        required=False,
        help_text=_("如销毁记录、介质处置单的扫描件，PDF、OFD 或图片，不超过 20 MB。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {name for names in NEEDED.values() for name in names}:
            self.fields[name].needed = True  # type: ignore[attr-defined]  # by its outcome

    def clean(self) -> dict[str, Any]:
        """Say all that the chosen outcome lacks at once; the operation checks it once more."""
        written = super().clean() or {}
        for name, words in NEEDED.get(written.get("outcome", ""), {}).items():
            if not written.get(name) and name not in self.errors:
                self.add_error(name, str(words))
        return written


class CheckForm(AnswerForm):
    """The provider confirms the certificate, or sends it back."""

    ANSWERS = (
        ("confirm_disposal", _("确认：处置符合约定")),
        ("return_disposal", _("退回重报：写明所缺")),
    )
    AGAINST = "return_disposal"
    LACKING = _("写明退回的理由")
    ANSWER = _("核对结论")
    REASON = _("核对意见")
    REASON_HELP = _("退回的必填，会送达使用部门。")
    revision = forms.IntegerField(widget=forms.HiddenInput)
