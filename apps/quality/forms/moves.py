"""What is asked when somebody moves an order on, vouches for rows, or stops a rule."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Move

WORDS: Final[dict[str, tuple[Any, Any]]] = {
    "accept": (_("数据无误的依据"), _("写明核对了什么、凭什么认定这些记录属实。主管部门会看到。")),
    "contest": (_("不予认可的理由"), _("写明哪里不足为凭，提供部门会收到。")),
    "let_stand": (_("认可的理由"), _("提供部门会收到。")),
}


class OrderMoveForm(forms.Form):
    """Confirms a move of an order; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    plan = forms.CharField(
        label=_("整改措施"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("打算怎样改正、何时重新提交，如：核对源系统后 3 日内重新推送。"),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if move.name != "acknowledge":
            del self.fields["plan"]
        if not move.reason:
            del self.fields["reason"]
            return
        reason = self.fields["reason"]
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        reason.label, reason.help_text = WORDS.get(move.name, (reason.label, ""))


class AcceptFindingsForm(forms.Form):
    """Why the chosen rows are true as they stand."""

    reason = forms.CharField(
        label=WORDS["accept"][0],
        help_text=WORDS["accept"][1],
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("请写明数据无误的依据")},
    )


class RetireForm(forms.Form):
    """Why a rule is no longer asked."""

    reason = forms.CharField(
        label=_("停用的理由"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("请填写停用的理由")},
    )
    version = forms.IntegerField(widget=forms.HiddenInput)
