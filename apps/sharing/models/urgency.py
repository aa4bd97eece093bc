"""Urgent need (急件): what the authority ordered, by when, and what came of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Urgency(models.Model):
    """The authority's order that a request be answered within hours.

    hours: to answer, from `ordered_at` on, nights and days off included. grant_days: how many days
    the temporary grant may last at most. missing_papers: what the provider let be handed in later,
    empty when nothing was missing; handed in within the clock `request.backfill`.
    is_justified: what the authority found afterwards (事后审查).

    Source: house rule (domain §2, issue 5)
    """

    class Kind(models.TextChoices):
        EMERGENCY = "emergency", _("突发事件应对")
        EPIDEMIC = "epidemic", _("疫情防控")
        ORDER = "order", _("上级紧急部署")

    handover: ClassVar[dict[str, Q | None]] = {
        "ordered_by": None,
        "papers_by": None,
        "reviewed_by": None,
    }

    request = models.OneToOneField(
        "sharing.SharingRequest",
        on_delete=models.CASCADE,
        related_name="urgency",
        verbose_name=_("共享申请"),
    )
    kind = models.CharField(_("急件类型"), max_length=10, choices=Kind.choices)
    basis = models.TextField(_("急件依据"))
    hours = models.PositiveSmallIntegerField(_("答复时限（小时）"))
    grant_days = models.PositiveSmallIntegerField(_("临时授权最长天数"))
    ordered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("列为急件的人"),
    )
    ordered_at = models.DateTimeField(_("列为急件的时间"))
    missing_papers = models.TextField(_("须补办的材料"), blank=True)
    papers_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("补办材料的人"),
    )
    papers_at = models.DateTimeField(_("补办材料的时间"), null=True, blank=True)
    is_justified = models.BooleanField(_("是否确属紧急"), null=True, blank=True)
    review_remark = models.TextField(_("事后审查意见"), blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("事后审查人"),
    )
    reviewed_at = models.DateTimeField(_("事后审查时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("急件")
        verbose_name_plural = _("急件")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="sharing_urgency_limits_positive",
                condition=Q(hours__gte=1, grant_days__gte=1),
            ),
            models.CheckConstraint(name="sharing_urgency_has_basis", condition=~Q(basis="")),
            models.CheckConstraint(
                name="sharing_urgency_papers_whole",
                condition=Q(papers_at=None, papers_by=None)
                | Q(papers_at__isnull=False, papers_by__isnull=False) & ~Q(missing_papers=""),
            ),
            models.CheckConstraint(
                name="sharing_urgency_review_whole",
                condition=Q(is_justified=None, reviewed_at=None, reviewed_by=None, review_remark="")
                | Q(
                    is_justified__isnull=False,
                    reviewed_at__isnull=False,
                    reviewed_by__isnull=False,
                )
                & ~Q(review_remark=""),
            ),
            models.CheckConstraint(
                name="sharing_urgency_reviewed_by_another",
                condition=Q(reviewed_by=None) | ~Q(reviewed_by=F("ordered_by")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.request_id}"

    @property
    def lacks_papers(self) -> bool:
        """Whether papers are still owed for it."""
        return bool(self.missing_papers) and self.papers_at is None
