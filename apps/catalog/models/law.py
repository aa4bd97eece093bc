"""Duties that the law gives a department, and the services it renders: where its data comes from.

Source: 中办发〔2015〕21号 (权力清单的类别); 《政务数据共享条例》第十三条
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department


class LegalDutyKind(models.TextChoices):
    LICENSE = "license", _("行政许可")
    PENALTY = "penalty", _("行政处罚")
    COERCION = "coercion", _("行政强制")
    LEVY = "levy", _("行政征收")
    PAYMENT = "payment", _("行政给付")
    INSPECTION = "inspection", _("行政检查")
    CONFIRMATION = "confirmation", _("行政确认")
    REWARD = "reward", _("行政奖励")
    ADJUDICATION = "adjudication", _("行政裁决")
    OTHER = "other", _("其他行政权力")


class LegalDuty(models.Model):
    """An item of the list of powers and duties (权责清单事项), valid in time."""

    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    code = models.CharField(_("事项编码"), max_length=60, unique=True)
    name = models.CharField(_("事项名称"), max_length=200)
    kind = models.CharField(_("事项类别"), max_length=12, choices=LegalDutyKind)
    basis = models.TextField(_("设定依据"), blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="legal_duties", verbose_name=_("实施部门")
    )
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_to = models.DateField(
        _("失效日期"), null=True, blank=True, help_text=_("不再有效的第一天。")
    )

    class Meta:
        verbose_name = _("权责清单事项")
        verbose_name_plural = _("权责清单事项")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="catalog_legalduty_ends_after_it_begins",
                violation_error_message=_("失效日期应晚于生效日期"),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ServiceItem(models.Model):
    """A government service (政务服务事项) that a department renders."""

    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    code = models.CharField(_("事项编码"), max_length=60, unique=True)
    name = models.CharField(_("事项名称"), max_length=200)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="service_items", verbose_name=_("实施部门")
    )
    legal_duty = models.ForeignKey(
        LegalDuty,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="service_items",
        verbose_name=_("权责清单事项"),
    )
    valid_from = models.DateField(_("生效日期"), null=True, blank=True)
    valid_to = models.DateField(
        _("失效日期"), null=True, blank=True, help_text=_("不再有效的第一天。")
    )

    class Meta:
        verbose_name = _("政务服务事项")
        verbose_name_plural = _("政务服务事项")
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="catalog_serviceitem_ends_after_it_begins",
                violation_error_message=_("失效日期应晚于生效日期"),
            ),
        ]

    def __str__(self) -> str:
        return self.name
