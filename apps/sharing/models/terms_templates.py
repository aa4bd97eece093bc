"""Terms that a provider keeps ready for a dataset, to begin an opinion or a request with."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.limits import Limited, limit_constraints


class TermsTemplate(Limited, Governed):
    """Named terms for a dataset: nothing is granted by them, they only fill in.

    items: `[{"name": column, "mask": mask or ""}]` in the order of the dataset; row_condition as in
    a decision. validity_months: how long a grant should last, None to leave it as it is asked for.
    is_recommended: shown to whoever drafts a request on the dataset; one of them at most.

    Source: house rule (issue 5: templates of terms per dataset)
    """

    class Status(models.TextChoices):
        IN_USE = "in_use", _("在用")
        RETIRED = "retired", _("已停用")

    LONGEST_MONTHS: ClassVar[int] = 36

    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        related_name="terms_templates",
        verbose_name=_("数据目录"),
    )
    name = models.CharField(_("模板名称"), max_length=40)
    note = models.CharField(_("适用情形"), max_length=200, blank=True)
    items = models.JSONField(_("数据项"), default=list)
    row_condition = models.JSONField(_("数据范围条件"), default=list, blank=True)
    is_verify_only = models.BooleanField(_("只供核验"), default=False)
    validity_months = models.PositiveSmallIntegerField(_("使用时限（月）"), null=True, blank=True)
    is_recommended = models.BooleanField(_("推荐给使用部门"), default=False)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.IN_USE
    )

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("授权条款模板")
        verbose_name_plural = _("授权条款模板")
        ordering = ("dataset", "-is_recommended", "name")
        constraints = (
            *limit_constraints("sharing_termstemplate"),
            models.UniqueConstraint(
                fields=("dataset", "name"),
                condition=Q(status="in_use"),
                name="sharing_termstemplate_name_once",
            ),
            models.UniqueConstraint(
                fields=("dataset",),
                condition=Q(status="in_use", is_recommended=True),
                name="sharing_termstemplate_one_recommended",
            ),
            models.CheckConstraint(name="sharing_termstemplate_has_items", condition=~Q(items=[])),
            models.CheckConstraint(
                name="sharing_termstemplate_validity_in_range",
                condition=Q(validity_months=None) | Q(validity_months__range=(1, 36)),
            ),
        )

    def __str__(self) -> str:
        return self.name
