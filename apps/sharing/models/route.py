"""The way a matter takes inside one department before its head acts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RouteStep(models.Model):
    """One person's opinion on a request, inside the asking or the providing department.

    A department may route a request through up to three steps (业务处室 → 分管负责人 →
    共享工作机构负责人). Co-signers (会签) share a position. The step is open while `opened_at` is
    set and `done_at` is not; the legal clock never stops for it.

    Source: house rule (issue 2)
    """

    class Side(models.TextChoices):
        CONSUMER = "consumer", _("使用部门内部")
        PROVIDER = "provider", _("提供部门内部")

    class Kind(models.TextChoices):
        STEP = "step", _("审核")
        CO_SIGN = "co_sign", _("会签")

    class Outcome(models.TextChoices):
        PASSED = "passed", _("同意")
        STEPPED_BACK = "stepped_back", _("退回上一步")
        FORWARDED = "forwarded", _("转办")
        RECALLED = "recalled", _("撤回")

    handover: ClassVar[dict[str, Q | None]] = {
        "assignee": Q(done_at=None),
        "done_by": None,
    }
    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = Q(done_at=None)

    request = models.ForeignKey(
        "sharing.SharingRequest", on_delete=models.CASCADE, related_name="route_steps"
    )
    side = models.CharField(_("环节所在"), max_length=10, choices=Side.choices)
    department = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("部门"),
    )
    position = models.PositiveSmallIntegerField(_("次序"))
    kind = models.CharField(_("类型"), max_length=8, choices=Kind.choices, default=Kind.STEP)
    title = models.CharField(_("环节名称"), max_length=40)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="sharing_route_steps",
        verbose_name=_("办理人"),
    )
    opened_at = models.DateTimeField(_("送达时间"), null=True, blank=True)
    done_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("实际办理人"),
    )
    outcome = models.CharField(
        _("结果"), max_length=12, choices=Outcome.choices, default="", blank=True
    )
    opinion = models.TextField(_("意见"), blank=True)

    class Meta:
        verbose_name = _("内部流转环节")
        verbose_name_plural = _("内部流转环节")
        ordering = ("side", "position", "id")
        constraints = (
            models.CheckConstraint(
                name="sharing_routestep_up_to_three",
                condition=Q(position__gte=1, position__lte=3),
            ),
            models.CheckConstraint(
                name="sharing_routestep_outcome_whole",
                condition=Q(done_at=None, done_by=None, outcome="")
                | Q(done_at__isnull=False, done_by__isnull=False) & ~Q(outcome=""),
            ),
        )

    def __str__(self) -> str:
        return self.title
