"""What is asked when somebody hands a file in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.catalog.forms.drafting import ClassificationField
from apps.catalog.models import Classification
from apps.warehouse.landing.encodings import SAID
from apps.warehouse.models import Batch

PROPOSED_LIMIT_BYTES = 50 << 20
ACCEPTED = ".csv,.tsv,.txt,.xlsx,.xls,.et,.ods,.json,.ndjson,.geojson,.parquet,.zip,.gz"


class UploadForm(forms.Form):
    """A file and what is to be done with its rows.

    `end` stands last: a form that broke off on the way has lost it.
    """

    file = forms.FileField(
        label=_("文件"),
        allow_empty_file=True,  # the batch says what is wrong with it, and keeps the evidence
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("CSV、XLSX、XLS、ODS、JSON、Parquet，或者其 ZIP、GZ；表头写中文名称或者列名。"),
        error_messages={"required": _("选择要提交的文件")},
    )
    mode = forms.ChoiceField(
        label=_("入库方式"),
        choices=[
            (Batch.Mode.UPSERT, _("更新：主键已有的改为新内容，没有的新增")),
            (Batch.Mode.SNAPSHOT, _("全量替换：文件即全部数据，文件里没有的移出")),
            (Batch.Mode.APPEND, _("追加：只新增，不改已有的数据")),
            (Batch.Mode.DELETE, _("删除：移出文件所列主键的数据，只须主键列")),
        ],
        initial=Batch.Mode.UPSERT,
        widget=forms.RadioSelect,
    )
    declared = forms.IntegerField(
        label=_("申报条数"),
        required=False,
        min_value=0,
        help_text=_("填写后与文件核对，不符的不予入库。"),
    )
    encoding = forms.ChoiceField(
        label=_("字符编码"),
        choices=[("", _("自动判断")), *SAID.items()],
        required=False,
        help_text=_("只用于文本文件。判断的结果和依据在批次里；判断错了才指定。"),
    )
    end = forms.CharField(
        widget=forms.HiddenInput,
        initial="1",
        error_messages={"required": _("文件没有传完，连接就断开了；重新提交")},
    )


class ProposeForm(forms.Form):
    """A file from which an entry is to be drafted."""

    file = forms.FileField(
        label=_("数据文件"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_(
            "CSV、XLSX、XLS、ODS、JSON、Parquet，或者其 ZIP、GZ，不超过 50 MB；整个文件都会读。"
        ),
        error_messages={"required": _("选择数据文件")},
    )
    classification = ClassificationField(
        label=_("资源分类"),
        queryset=Classification.objects.filter(level__gte=Classification.Level.CATEGORY),
        empty_label=_("选择分类"),
        help_text=_("分类决定目录代码的前段，保存后不能再改。"),
    )
    name = forms.CharField(
        label=_("目录名称"),
        required=False,
        max_length=50,
        help_text=_("不填则由文件名得出。"),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > PROPOSED_LIMIT_BYTES:
            raise forms.ValidationError(
                _("文件超过 50 MB；截取有代表性的一部分，或者由运维人员用命令生成")
            )
        return file


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class NoChangeForm(forms.Form):
    """The period in which nothing changed."""

    period_from = forms.DateField(label=_("期间起"), widget=DayInput())
    period_to = forms.DateField(
        label=_("期间止"), widget=DayInput(), help_text=_("最晚为今天；这几天按已更新计。")
    )
    note = forms.CharField(label=_("说明"), required=False, max_length=300)
