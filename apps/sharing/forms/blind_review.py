"""Why blind review is ordered or lifted."""

from django import forms
from django.utils.translation import gettext_lazy as _


class BlindReviewForm(forms.Form):
    """The reason, which everybody may read."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("各部门的审核人会看到。"),
    )
