"""Successions: what a reform did to departments."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.departments import Department
from apps.accounts.models.people import User


class Succession(models.Model):
    """One reform that was carried out: from whom to whom, on what basis, and what moved.

    `moved` counts the rows per successor's code and model: {"D101": {"catalog.Dataset": 12}}.
    """

    class Kind(models.TextChoices):
        RENAMED = "renamed", _("更名")
        MERGED = "merged", _("合并")
        SPLIT = "split", _("分设")
        ABOLISHED = "abolished", _("撤销")
        FUNCTION_MOVED = "function_moved", _("职能划转")

    kind = models.CharField(_("类型"), max_length=20, choices=Kind.choices)
    predecessors = models.ManyToManyField(
        Department, verbose_name=_("原部门"), related_name="successions_out"
    )
    successors = models.ManyToManyField(
        Department, verbose_name=_("承接部门"), related_name="successions_in"
    )
    effective_on = models.DateField(_("生效日期"))
    basis = models.CharField(_("依据文号"), max_length=200)
    note = models.TextField(_("说明"), blank=True)
    moved = models.JSONField(_("划转数量"), default=dict, editable=False)
    carried_out_by = models.ForeignKey(
        User, verbose_name=_("办理人"), on_delete=models.PROTECT, related_name="+"
    )
    carried_out_at = models.DateTimeField(_("办理时间"), editable=False)

    handover: ClassVar[dict[str, Q | None]] = {"carried_out_by": None}

    class Meta:
        verbose_name = _("机构改革")
        verbose_name_plural = _("机构改革")
        ordering = ("-effective_on", "-pk")
        constraints = (
            models.CheckConstraint(name="accounts_succession_has_basis", condition=~Q(basis="")),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.effective_on:%Y-%m-%d}"
