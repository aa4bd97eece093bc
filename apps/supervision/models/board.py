"""The responsibility board as it stood at the end of a day: its trend."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department


class BoardDay(models.Model):
    """A department's figures of the board on one day; `figures` by the keys of its columns."""

    # Past figures keep the old name.
    succession: ClassVar[dict[str, str]] = {"department": "stays"}

    department = models.ForeignKey(
        Department, models.PROTECT, related_name="board_days", verbose_name=_("部门")
    )
    day = models.DateField(_("日期"))
    figures = models.JSONField(_("数值"))

    class Meta:
        verbose_name = _("责任落实看板的一日")
        verbose_name_plural = _("责任落实看板的历日")
        ordering = ["-day", "department"]
        constraints = [
            models.UniqueConstraint(
                fields=["department", "day"], name="supervision_boardday_once_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.department} {self.day}"
