"""Data elements and code lists: what departments agree to mean by a name and by a code."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.standards.types import DataType


class CodeListManager(models.Manager["CodeList"]):
    def get_by_natural_key(self, code: str) -> "CodeList":
        return self.get(code=code)


class CodeList(models.Model):
    """A closed set of codes with their meanings, valid in time entry by entry."""

    code = models.SlugField(
        _("代码集标识"),
        max_length=60,
        unique=True,
        help_text=_("小写英文字母、数字和连字符，发布后不再改动。"),
    )
    name = models.CharField(_("代码集名称"), max_length=100)
    source = models.CharField(
        _("依据标准"),
        max_length=200,
        blank=True,
        help_text=_("标准号和名称，如 GB/T 2261.1-2003。"),
    )
    description = models.TextField(_("说明"), blank=True)

    objects = CodeListManager()

    class Meta:
        verbose_name = _("代码集")
        verbose_name_plural = _("代码集")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.code,)


class CodeListEntryManager(models.Manager["CodeListEntry"]):
    def get_by_natural_key(self, code_list: str, code: str) -> "CodeListEntry":
        return self.get(code_list__code=code_list, code=code)


class CodeListEntry(models.Model):
    """One code; a code that ceased to exist keeps its row, with the day it ended."""

    code_list = models.ForeignKey(
        CodeList, models.CASCADE, related_name="entries", verbose_name=_("代码集")
    )
    code = models.CharField(_("代码"), max_length=40)
    name = models.CharField(_("含义"), max_length=200)
    position = models.PositiveIntegerField(_("顺序"), default=0)
    valid_from = models.DateField(_("启用日期"), null=True, blank=True)
    valid_to = models.DateField(
        _("停用日期"), null=True, blank=True, help_text=_("自这一天起不再使用；留空表示仍在使用。")
    )

    objects = CodeListEntryManager()

    class Meta:
        verbose_name = _("代码")
        verbose_name_plural = _("代码")
        ordering = ["code_list", "position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["code_list", "code"],
                name="standards_codelistentry_code_unique",
                violation_error_message=_("同一代码集内代码不能重复"),
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="standards_codelistentry_validity_in_order",
                violation_error_message=_("停用日期应晚于启用日期"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    def natural_key(self) -> tuple[str, str]:
        return (self.code_list.code, self.code)


class DataElementManager(models.Manager["DataElement"]):
    def get_by_natural_key(self, code: str) -> "DataElement":
        return self.get(code=code)


class DataElement(models.Model):
    """A standard item, defined once, to which items of many datasets refer."""

    code = models.CharField(
        _("数据元标识"), max_length=40, unique=True, help_text=_("如 DE-0001，发布后不再改动。")
    )
    name = models.CharField(_("数据元名称"), max_length=50)
    column_name = models.CharField(
        _("推荐列名"), max_length=51, help_text=_("小写英文字母开头，如 identity_number。")
    )
    data_type = models.CharField(_("数据类型"), max_length=1, choices=DataType)
    length = models.PositiveIntegerField(_("长度"), null=True, blank=True)
    scale = models.PositiveSmallIntegerField(_("小数位数"), null=True, blank=True)
    value_check = models.CharField(_("校验规则"), max_length=40, blank=True)
    mask = models.CharField(_("推荐脱敏方式"), max_length=60, blank=True)
    code_list = models.ForeignKey(
        CodeList,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="data_elements",
        verbose_name=_("代码集"),
    )
    personal = models.BooleanField(_("个人信息"), default=False)
    sensitive = models.BooleanField(_("敏感个人信息"), default=False)
    source = models.CharField(_("依据标准"), max_length=200, blank=True)
    definition = models.TextField(_("定义"), blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))
    objects = DataElementManager()

    class Meta:
        verbose_name = _("数据元")
        verbose_name_plural = _("数据元")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sensitive=False) | Q(personal=True),
                name="standards_dataelement_sensitive_is_personal",
                violation_error_message=_("敏感个人信息同时也是个人信息"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"

    def natural_key(self) -> tuple[str]:
        return (self.code,)
