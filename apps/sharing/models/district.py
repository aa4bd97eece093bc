"""The way of a request across levels: the district's own authority looks at it first."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DistrictReview(models.Model):
    """One time that a district's request lay with the district's data authority.

    It passes the request on to the provider, which receives it then, or returns it to its author
    with a reason; a request that was returned comes again. The review is open without an outcome.

    Source: comparator (西安第三十三条); 《政务数据共享条例》第二十一条 for the provider's clock
    """

    class Outcome(models.TextChoices):
        OPEN = "", _("待审核")
        PASSED = "passed", _("已转报")
        RETURNED = "returned", _("退回")
        WITHDRAWN = "withdrawn", _("申请已撤回")

    succession: ClassVar[dict[str, str]] = {"authority": "moves"}
    succession_open: ClassVar[Q] = Q(outcome="")
    handover: ClassVar[dict[str, Q | None]] = {"done_by": None}

    request = models.ForeignKey(
        "sharing.SharingRequest", on_delete=models.CASCADE, related_name="district_reviews"
    )
    authority = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="district_reviews",
        verbose_name=_("区县主管部门"),
    )
    asked_at = models.DateTimeField(_("送达时间"))
    outcome = models.CharField(
        _("结果"), max_length=10, choices=Outcome.choices, default="", blank=True
    )
    opinion = models.TextField(_("意见"), blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("办理人"),
    )
    done_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("区县审核")
        verbose_name_plural = _("区县审核")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("request",),
                condition=Q(outcome=""),
                name="sharing_districtreview_one_open",
            ),
            models.CheckConstraint(
                name="sharing_districtreview_outcome_whole",
                condition=Q(outcome="", done_by=None, done_at=None)
                | ~Q(outcome="") & Q(done_by__isnull=False, done_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_districtreview_return_has_reason",
                condition=~Q(outcome="returned") | ~Q(opinion=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.request_id} {self.authority_id}"
