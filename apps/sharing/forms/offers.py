"""The answer to an offer in a negotiation, and its withdrawal."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.forms.moves import AnswerForm


class OfferAnswerForm(AnswerForm):
    """Accept the narrower terms, or say why they will not do."""

    ANSWERS = (
        ("accept_offer", _("接受：按这些条件办理，提供部门随即复核、签发")),
        ("decline_offer", _("不接受：由提供部门另行协商，或者自行作出答复")),
    )
    AGAINST = "decline_offer"
    LACKING = _("写明不接受的理由")
    ANSWER = _("答复")
    REASON_HELP = _("不接受的必填：写明哪些条件不能满足用途。会送达提供部门。")


class RetractOfferForm(forms.Form):
    """The provider takes its offer back."""

    reason = forms.CharField(
        label=_("收回的理由"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("会送达使用部门。"),
    )
