"""What is asked of a dataset's rows, and by which indicator the answer counts."""

from typing import ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class Dimension(models.TextChoices):
    """The six dimensions; the first two digits of an indicator. Source: GB/T 36344-2018."""

    CONFORMITY = "01", _("规范性")
    COMPLETENESS = "02", _("完整性")
    ACCURACY = "03", _("准确性")
    CONSISTENCY = "04", _("一致性")
    TIMELINESS = "05", _("时效性")
    ACCESSIBILITY = "06", _("可访问性")


class Indicator(models.TextChoices):
    """The indicators by their numbers. Source: GB/T 36344-2018."""

    DATA_STANDARD = "0101", _("数据标准")
    DATA_MODEL = "0102", _("数据模型")
    METADATA = "0103", _("元数据")
    BUSINESS_RULE = "0104", _("业务规则")
    REFERENCE_DATA = "0105", _("权威参考数据")
    SECURITY_NORM = "0106", _("安全规范")
    ELEMENTS = "0201", _("数据元素完整性")
    RECORDS = "0202", _("数据记录完整性")
    CONTENT = "0301", _("数据内容正确性")
    FORMAT = "0302", _("数据格式合规性")
    DUPLICATES = "0303", _("数据重复率")
    UNIQUENESS = "0304", _("数据唯一性")
    DIRTY_DATA = "0305", _("脏数据出现率")
    SAME_DATUM = "0401", _("相同数据一致性")
    RELATED_DATA = "0402", _("关联数据一致性")
    BY_PERIOD = "0501", _("基于时间段的正确性")
    BY_POINT = "0502", _("基于时间点的及时性")
    ORDER = "0503", _("时序性")
    OBTAINABLE = "0601", _("可访问")
    USABLE = "0602", _("可用性")


class RuleKind(models.TextChoices):
    """What a rule looks at.

    Two kinds speak of things alike, and mean different counts. `file_duplicate`: records of one
    delivered file whose business key stands in it again further down; they never land.
    `unique`: rows of the landed table that are alike in the rule's columns (which are not the
    business key); every row of such a group counts, the first one too.
    """

    TYPE = "type", _("类型")
    LENGTH = "length", _("长度")
    REQUIRED = "required", _("必填")
    CODE_LIST = "code_list", _("代码集")
    IDENTIFIER = "identifier", _("标识符校验")
    RANGE = "range", _("取值范围")
    PATTERN = "pattern", _("格式表达式")
    CROSS_COLUMN = "cross_column", _("列间关系")
    REFERENCE_IN_TIME = "reference_in_time", _("有效期内的代码")
    CROSS_TABLE = "cross_table", _("表间关系")
    UNIQUE = "unique", _("数据表内各列取值相同的记录")
    FRESHNESS = "freshness", _("按期更新")
    POPULATION = "population", _("应有记录数")
    STRUCTURE = "structure", _("记录结构")
    FILE_DUPLICATE = "file_duplicate", _("提交文件内主键重复的记录")
    DIRTY = "dirty", _("未通过校验的记录")


ROW_KINDS: Final = (
    "type",
    "length",
    "required",
    "code_list",
    "identifier",
    "range",
    "pattern",
    "cross_column",
    "reference_in_time",
)
"""Answered by one row alone: checked in DuckDB, and only where rows were touched."""

SET_KINDS: Final = ("cross_table", "unique")
"""Answered by looking at other rows: checked in PostgreSQL."""

TIMED_KINDS: Final = ("freshness", "population", "reference_in_time")
"""Their answer may change overnight though no row does."""

DELIVERED_KINDS: Final = ("structure", "file_duplicate", "dirty")
"""Answered by a delivered file alone."""

AT_LANDING_KINDS: Final = tuple(kind for kind in ROW_KINDS if kind != "reference_in_time")
"""Added rules of these kinds may keep rows from landing."""


class Severity(models.TextChoices):
    """What happens to a row that breaks the rule."""

    REJECT = "reject", _("不予入库")
    QUARANTINE = "quarantine", _("暂存待核")
    WARN = "warn", _("入库并提示")


class QualityRule(models.Model):
    """One thing that is asked of a dataset's rows; each change counts its version up.

    code: of a contract's rule, the code under which landing reports it ("required",
    "invalid_uscc"); empty for an added one. columns: column names, in order.
    parameters: by kind, see `apps.quality.parameters`; never SQL.
    owner: the department that answers for the data.

    Source: GB/T 36344-2018 (indicator); kinds and severities are a house rule
    """

    class Origin(models.TextChoices):
        CONTRACT = "contract", _("目录约定")
        ADDED = "added", _("自行添加")

    Kind = RuleKind
    Severity = Severity
    Indicator = Indicator

    succession: ClassVar[dict[str, str]] = {"owner": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {"made_by": None}

    dataset = models.ForeignKey(
        "catalog.Dataset",
        models.PROTECT,
        related_name="quality_rules",
        verbose_name=_("数据目录"),
    )
    origin = models.CharField(_("来源"), max_length=10, choices=Origin, default=Origin.ADDED)
    kind = models.CharField(_("规则类型"), max_length=20, choices=RuleKind)
    code = models.CharField(_("规则代码"), max_length=60, blank=True, editable=False)
    name = models.CharField(_("规则名称"), max_length=120)
    columns = ArrayField(
        models.CharField(max_length=51), verbose_name=_("涉及的列"), default=list, blank=True
    )
    parameters = models.JSONField(_("参数"), default=dict, blank=True)
    indicator = models.CharField(_("评价指标"), max_length=4, choices=Indicator)
    severity = models.CharField(
        _("处理方式"), max_length=10, choices=Severity, default=Severity.WARN
    )
    owner = models.ForeignKey(
        "accounts.Department",
        models.PROTECT,
        related_name="quality_rules",
        verbose_name=_("负责部门"),
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("制定人"),
    )
    version = models.PositiveIntegerField(_("版本"), default=1, editable=False)
    is_active = models.BooleanField(_("启用"), default=True)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    updated_at = models.DateTimeField(_("更新时间"), editable=False)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("质量规则")
        verbose_name_plural = _("质量规则")
        ordering = ("dataset", "indicator", "id")
        indexes = (models.Index(fields=("dataset", "is_active"), name="quality_rule_of_dataset"),)
        constraints = (
            models.UniqueConstraint(
                fields=("dataset", "code", "columns"),
                condition=Q(origin="contract"),
                name="quality_rule_contract_once",
            ),
            models.UniqueConstraint(
                fields=("dataset", "name"),
                condition=Q(origin="added", is_active=True),
                name="quality_rule_name_once",
                violation_error_message=_("这个目录已有同名的规则"),
            ),
            models.CheckConstraint(
                condition=Q(origin="contract", made_by=None) & ~Q(code="")
                | Q(origin="added", made_by__isnull=False, code=""),
                name="quality_rule_origin_whole",
            ),
            models.CheckConstraint(
                condition=Q(severity="warn") | Q(origin="contract") | Q(kind__in=AT_LANDING_KINDS),
                name="quality_rule_only_rows_are_kept_out",
                violation_error_message=_("只有逐行判断的规则才能不予入库或者暂存待核"),
            ),
            models.CheckConstraint(
                condition=Q(indicator__in=Indicator.values), name="quality_rule_indicator_known"
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="quality_rule_version_counts_from_one"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def dimension(self) -> Dimension:
        return Dimension(self.indicator[:2])
