"""What is asked when somebody hands a file in."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem
from apps.catalog.forms.drafting import ClassificationField
from apps.catalog.models import Classification
from apps.core.contracts import Contract
from apps.warehouse.landing.encodings import SAID
from apps.warehouse.models import Batch, ProposalRun, PullSource
from apps.warehouse.operations.proposal_runs import PROPOSED_LIMIT_BYTES

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
    """A file from which an entry is to be drafted.

    earlier: a run of which no draft came; its file need not be chosen again. `key` tells the form
    that was sent twice from a second one.
    """

    file = forms.FileField(
        label=_("数据文件"),
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_(
            "CSV、XLSX、XLS、ODS、JSON、Parquet，或者其 ZIP、GZ，不超过 200 MB；整个文件都会读。"
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
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=100)

    def __init__(self, *args: Any, earlier: ProposalRun | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key"] = uuid4().hex
        if earlier is not None:
            self.fields["file"].required = False
            self.fields["file"].help_text = _("不选则仍用已经收到的“%(file)s”。") % {
                "file": earlier.file_name
            }

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file and file.size > PROPOSED_LIMIT_BYTES:
            raise forms.ValidationError(
                _("文件超过 200 MB；截取有代表性的一部分，或者由运维人员用命令生成")
            )
        return file


class MendedFileForm(forms.Form):
    """The downloaded file of rejected records, mended."""

    file = forms.FileField(
        label=_("改正后的文件"),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        help_text=_("上面下载的文件，改正后原样传回；行号和原因各列不用删，不会入库。"),
        error_messages={"required": _("选择要提交的文件")},
    )
    end = forms.CharField(
        widget=forms.HiddenInput,
        initial="1",
        error_messages={"required": _("文件没有传完，连接就断开了；重新提交")},
    )


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


class TimeInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


SOURCE_GROUPS = (
    (_("来源"), ("name", "system", "kind")),
    (
        _("数据库来源填写"),
        (
            "host", "port", "database", "table_schema", "table_name", "watermark_column",
            "overlap", "requires_tls",
        ),
    ),
    (_("HTTP 文件填写"), ("url",)),
    (_("登录"), ("username", "secret")),
    (_("入库和时间"), ("mode", "every_minutes", "daily_at", "window_from", "window_to")),
)  # fmt: skip


class SourceForm(forms.Form):
    """A source as its department describes it; which column fills which item stands last."""

    name = forms.CharField(label=_("来源名称"), max_length=100)
    system = forms.ModelChoiceField(
        InformationSystem.objects.none(),
        label=_("来源系统"),
        empty_label=_("选择来源系统"),
        help_text=_("本部门登记的信息系统；批次以它的名义提交。"),
    )
    kind = forms.ChoiceField(label=_("类型"), choices=PullSource.Kind.choices)
    host = forms.CharField(label=_("主机"), max_length=255, required=False)
    port = forms.IntegerField(label=_("端口"), required=False, min_value=1, max_value=65_535)
    database = forms.CharField(label=_("库名"), max_length=128, required=False)
    table_schema = forms.CharField(label=_("模式"), max_length=128, required=False)
    table_name = forms.CharField(
        label=_("表或视图"),
        max_length=128,
        required=False,
        help_text=_("只读取列出的列；建议给平台单独的只读账号。"),
    )
    url = forms.CharField(
        label=_("文件地址"),
        max_length=1000,
        required=False,
        help_text=_("HTTP 文件填写，以 https:// 开头；其余类型不填。"),
    )
    username = forms.CharField(label=_("用户名"), max_length=128, required=False)
    secret = forms.CharField(
        label=_("口令"),
        max_length=500,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("加密保存，不再显示；修改时不填则不变。"),
    )
    requires_tls = forms.BooleanField(label=_("数据库连接必须加密"), required=False)
    mode = forms.ChoiceField(
        label=_("入库方式"),
        choices=[
            (Batch.Mode.UPSERT, _("更新：主键已有的改为新内容，没有的新增")),
            (Batch.Mode.SNAPSHOT, _("全量替换：每次读取的即全部数据")),
            (Batch.Mode.APPEND, _("追加：只新增（HTTP 文件）")),
        ],
    )
    watermark_column = forms.CharField(
        label=_("水位列"),
        max_length=128,
        required=False,
        help_text=_("记录变更时间或者递增编号的列，只读取比上次新的；不填则每次读取全表。"),
    )
    overlap = forms.IntegerField(
        label=_("回看"),
        min_value=0,
        max_value=31_536_000,
        initial=600,
        help_text=_("每次从上次水位之前多少开始：时间为秒，编号为个数。重读的不会重复入库。"),
    )
    every_minutes = forms.IntegerField(
        label=_("每隔几分钟"), required=False, min_value=1, max_value=10_080
    )
    daily_at = forms.TimeField(
        label=_("或者每日几点"), required=False, widget=TimeInput(), help_text=_("两项填一项。")
    )
    window_from = forms.TimeField(label=_("允许时段起"), required=False, widget=TimeInput())
    window_to = forms.TimeField(
        label=_("允许时段止"),
        required=False,
        widget=TimeInput(),
        help_text=_("只在这个时段读取来源，可以跨过零点；不填则不限。"),
    )

    def __init__(
        self, *args: Any, contract: Contract, systems: Any, chosen: dict[str, str], **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]
        self._items = [column.name for column in contract.columns]
        for column in contract.columns:
            self.fields[f"column-{column.name}"] = forms.CharField(
                label=column.label,
                max_length=128,
                required=False,
                initial=chosen.get(column.name, "" if chosen else column.name),
            )

    def terms(self) -> dict[str, Any]:
        """Return what was said, as the operations take it."""
        given = dict(self.cleaned_data)
        columns = {name: given.pop(f"column-{name}").strip() for name in self._items}
        given.pop("system")
        given.pop("secret")
        return {**given, "columns": {name: column for name, column in columns.items() if column}}

    def mapping(self) -> list[Any]:
        """Return the fields of the columns, for the table at the end."""
        return [self[f"column-{name}"] for name in self._items]

    def groups(self) -> list[tuple[Any, list[Any]]]:
        """Return the other fields under their headings."""
        return [(title, [self[name] for name in names]) for title, names in SOURCE_GROUPS]


class RetireForm(forms.Form):
    reason = forms.CharField(label=_("停用理由"), widget=forms.Textarea(attrs={"rows": 2}))


class ExchangeForm(forms.Form):
    """Which system writes to the exchange table, and what becomes of its rows."""

    system = forms.ModelChoiceField(
        InformationSystem.objects.none(),
        label=_("来源系统"),
        empty_label=_("选择来源系统"),
    )
    mode = forms.ChoiceField(
        label=_("入库方式"),
        choices=[
            (Batch.Mode.UPSERT, _("更新：主键已有的改为新内容，没有的新增")),
            (Batch.Mode.APPEND, _("追加：只新增，不改已有的数据")),
            (Batch.Mode.DELETE, _("删除：写入的主键移出数据表")),
        ],
    )

    def __init__(self, *args: Any, systems: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]
