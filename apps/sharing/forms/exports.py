"""What is asked of who wants a file: its format."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.sharing.models import Export


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=_("文件格式"),
        choices=Export.Format.choices,
        initial=Export.Format.XLSX,
        help_text=_("表格至多 1,048,575 条；更多的用 CSV 或 Parquet。"),
    )
