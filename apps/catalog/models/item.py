"""One data item of a catalogue entry, which becomes one column of its table."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.catalog.models.choices import Grade, ModeType, OpeningAttribute, SharingAttribute
from apps.catalog.models.dataset import Dataset
from apps.standards.models import CodeList, DataElement
from apps.standards.types import DataType

COLUMN_PATTERN = r"^[a-z][a-z0-9_]{0,50}$"


class ItemsInUse(models.Manager["DataItem"]):
    """The items that their entries list; those that were taken out are left aside."""

    def get_queryset(self) -> models.QuerySet["DataItem"]:
        return super().get_queryset().filter(retired_at=None)


class DataItem(models.Model):
    """A named, typed part of a record, with sharing rules of its own.

    retired_at: when a version left it out that some request names; the row stays for the sake of
    what was asked, and goes on when a later version lists the column again. `dataset.items` and
    `objects` know only what is listed; `ever` knows all.

    Source: 《政务信息资源目录编制指南（试行）》 信息项信息
    """

    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="items", verbose_name=_("数据目录")
    )
    position = models.PositiveSmallIntegerField(_("序号"))
    name = models.CharField(
        _("数据项名称"), max_length=50, help_text=_("不超过 50 个字，在同一目录内不能重复。")
    )
    column_name = models.CharField(
        _("列名"),
        max_length=51,
        help_text=_("小写英文字母开头，由小写字母、数字和下划线组成，如 identity_number。"),
    )
    data_type = models.CharField(
        _("数据类型"), max_length=1, choices=DataType, default=DataType.TEXT
    )
    length = models.PositiveIntegerField(
        _("长度"),
        null=True,
        blank=True,
        help_text=_("字符型为最多字数，数值型为最多位数（含小数）。"),
    )
    scale = models.PositiveSmallIntegerField(
        _("小数位数"), null=True, blank=True, help_text=_("仅数值型和货币型需要。")
    )
    required = models.BooleanField(_("必填"), default=False)
    sharing_attribute = models.CharField(
        _("共享属性"),
        max_length=20,
        choices=SharingAttribute,
        blank=True,
        help_text=_("留空表示与目录相同；可以比目录严格，不能比目录宽松。"),
    )
    sharing_condition = models.CharField(_("使用条件"), max_length=256, blank=True)
    mode = models.CharField(_("共享方式"), max_length=20, choices=ModeType, blank=True)
    opening_attribute = models.CharField(
        _("开放属性"),
        max_length=20,
        choices=OpeningAttribute,
        blank=True,
        help_text=_("留空表示与目录相同。"),
    )
    opening_condition = models.CharField(_("开放条件"), max_length=256, blank=True)
    grade = models.CharField(
        _("数据分级"), max_length=10, choices=Grade, blank=True, help_text=_("留空表示与目录相同。")
    )
    personal = models.BooleanField(_("个人信息"), default=False)
    sensitive = models.BooleanField(_("敏感个人信息"), default=False)
    data_element = models.ForeignKey(
        DataElement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("对应数据元"),
    )
    code_list = models.ForeignKey(
        CodeList,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="items",
        verbose_name=_("代码集"),
        help_text=_("填写后，不在代码集内的值不能入库。"),
    )
    value_check = models.CharField(
        _("校验规则"),
        max_length=40,
        blank=True,
        help_text=_("如身份证号、统一社会信用代码的校验位。"),
    )
    pattern = models.CharField(
        _("格式表达式"), max_length=200, blank=True, help_text=_("选填：值须整体符合的正则表达式。")
    )
    minimum = models.CharField(_("最小值"), max_length=40, blank=True)
    maximum = models.CharField(_("最大值"), max_length=40, blank=True)
    mask = models.CharField(
        _("默认脱敏方式"),
        max_length=60,
        blank=True,
        help_text=_("共享时默认采用，审核时可以调整。"),
    )
    headings = ArrayField(
        models.CharField(max_length=100),
        verbose_name=_("其他表头写法"),
        default=list,
        blank=True,
        help_text=_("文件中可能出现的其他列标题，用逗号分隔。"),
    )
    normalise = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("规范化"),
        default=list,
        blank=True,
        help_text=_("入库前怎样统一写法；留空即按数据类型和校验规则的默认做法。"),
    )
    description = models.TextField(_("说明"), blank=True)
    retired_at = models.DateTimeField(_("停用时间"), null=True, blank=True, editable=False)

    objects = ItemsInUse()
    ever = models.Manager["DataItem"]()
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("数据项")
        verbose_name_plural = _("数据项")
        ordering = ["dataset", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "column_name"],
                name="catalog_dataitem_column_unique_in_dataset",
                violation_error_message=_("同一目录内列名不能重复"),
            ),
            models.UniqueConstraint(
                fields=["dataset", "name"],
                condition=Q(retired_at=None),
                name="catalog_dataitem_name_unique_in_dataset",
                violation_error_message=_("同一目录内数据项名称不能重复"),
            ),
            models.CheckConstraint(
                condition=Q(column_name__regex=COLUMN_PATTERN),
                name="catalog_dataitem_column_shape",
                violation_error_message=_("列名须以小写英文字母开头，由小写字母、数字和下划线组成"),
            ),
            models.CheckConstraint(
                condition=Q(sensitive=False) | Q(personal=True),
                name="catalog_dataitem_sensitive_is_personal",
                violation_error_message=_("敏感个人信息同时也是个人信息"),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def effective_sharing_attribute(self) -> str:
        """The item's own sharing attribute, or its dataset's."""
        return self.sharing_attribute or self.dataset.effective_sharing_attribute
