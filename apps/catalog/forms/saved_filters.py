"""What is asked when a search is kept under a name."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import SavedFilter


class SavedFilterForm(forms.Form):
    """A name and with whom it is shared; the filters come with the address."""

    name = forms.CharField(
        label=_("名称"), max_length=50, help_text=_("列在数据目录页上，如“民生类有条件共享”。")
    )
    audience = forms.ChoiceField(
        label=_("共享给"),
        choices=SavedFilter.Audience.choices,
        initial=SavedFilter.Audience.OWN,
        widget=forms.RadioSelect,
        help_text=_("共享的是筛选条件；各人看到的仍是自己有权查看的目录。"),
    )
    query = forms.CharField(widget=forms.HiddenInput)
