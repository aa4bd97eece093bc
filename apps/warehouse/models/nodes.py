"""Front nodes of departments, as they tell of themselves."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class FrontNode(models.Model):
    """A program at a department that pushes data here; known only by its heartbeat.

    jobs: [{"name", "dataset", "last_success_at", "waiting_rows", "message"}], as it said last.
    """

    system = models.ForeignKey(
        "accounts.InformationSystem",
        verbose_name=_("信息系统"),
        on_delete=models.PROTECT,
        related_name="front_nodes",
    )
    name = models.CharField(_("前置机"), max_length=100)
    version = models.CharField(_("版本"), max_length=40, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"))
    jobs = models.JSONField(_("任务"), default=list, blank=True)

    class Meta:
        verbose_name = _("前置机")
        verbose_name_plural = _("前置机")
        ordering = ["system", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "name"], name="warehouse_frontnode_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
