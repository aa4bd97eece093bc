"""Choose a spreadsheet to bring entries in by."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.workbooks.guarding import LIMIT_BYTES


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("表格文件"),
        help_text=_("xlsx、xls 或者 csv，不超过 50 MB。列的次序不限，认不出的列会告诉你。"),
        widget=forms.ClearableFileInput(attrs={"accept": ".xlsx,.xls,.et,.csv,.ods"}),
        allow_empty_file=True,
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LIMIT_BYTES:
            raise forms.ValidationError(_("文件超过 50 MB；分成几个文件上传"))
        return file
