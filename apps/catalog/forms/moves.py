"""What is asked when somebody moves an entry on."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.lifecycle import Move

WORDS: dict[str, tuple[Any, Any]] = {
    "send_back": (_("退回意见"), _("逐条写明须修改的内容，提供部门会收到。")),
    "send_back_change": (_("退回意见"), _("写在各字段的意见会一并送达。")),
    "abandon_change": (_("放弃的原因"), _("现行版本不受影响。")),
    "request_withdrawal": (_("撤回理由"), _("主管部门审核时会看到。")),
    "decline_withdrawal": (_("不同意的理由"), ""),
}


class MoveForm(forms.Form):
    """Confirms a move; the reason is demanded where the move needs one."""

    reason = forms.CharField(
        label=_("理由"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, move: Move, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not move.reason:
            del self.fields["reason"]
            return
        reason = self.fields["reason"]
        reason.required = True
        reason.error_messages["required"] = _("“%(move)s”须填写理由") % {"move": move.label}
        reason.label, reason.help_text = WORDS.get(move.name, (reason.label, ""))
