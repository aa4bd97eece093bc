"""Whether a grant in force is still needed: idle ones, and what is looked at again every year."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.grants import Grant


class IdleNotice(Governed):
    """A grant that nobody has used for months: told, then cut off unless it is used again.

    idle_since: the day of the last use, of the delivery where there was none, or of the last
    decision to keep it. Until when a use keeps the grant, its clock says.
    need: why the consumer still wants it, said after the cut; the provider then resumes the grant.

    Source: comparator (黑龙江 2025 年规定第二十七条); house rule (issue 5)
    """

    class Status(models.TextChoices):
        NOTICED = "noticed", _("已提醒")
        USED = "used", _("已恢复使用")
        SUSPENDED = "suspended", _("已停用")
        NEED_STATED = "need_stated", _("待恢复")
        RESUMED = "resumed", _("已恢复")
        VOID = "void", _("不再适用")

    OPEN: ClassVar = (Status.NOTICED, Status.SUSPENDED, Status.NEED_STATED)

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="idle_notices", verbose_name=_("授权")
    )
    status = models.CharField(
        _("状态"), max_length=12, choices=Status.choices, default=Status.NOTICED
    )
    idle_since = models.DateField(_("闲置起始日"))
    need = models.TextField(_("继续使用的理由"), blank=True)
    need_stated_at = models.DateTimeField(_("说明时间"), null=True, blank=True)
    need_stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("说明人"),
    )
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {"need_stated_by": None}
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("闲置提醒")
        verbose_name_plural = _("闲置提醒")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("grant",),
                condition=Q(status__in=("noticed", "suspended", "need_stated")),
                name="sharing_idlenotice_one_open_a_grant",
            ),
            models.CheckConstraint(
                name="sharing_idlenotice_closed_when_over",
                condition=Q(
                    status__in=("noticed", "suspended", "need_stated"), closed_at__isnull=True
                )
                | Q(status__in=("used", "resumed", "void"), closed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_idlenotice_need_complete",
                condition=Q(need="", need_stated_at__isnull=True, need_stated_by__isnull=True)
                | ~Q(need="") & Q(need_stated_at__isnull=False, need_stated_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_idlenotice_stated_has_need",
                condition=~Q(status="need_stated") | ~Q(need=""),
            ),
        )

    def __str__(self) -> str:
        return str(_("%(grant)s 闲置") % {"grant": Grant(pk=self.grant_id)})


class Recertification(Governed):
    """A grant looked at again a year after it was delivered, or after it last was.

    The consumer says first whether it is still needed; silence passes the matter on when its days
    are over. The provider's head then continues, narrows or ends the grant.
    grant_version: the terms that were decided on. due_on: the head's last day. figures: the use of
    the last twelve months as it stood, at the beginning and in the end at the decision.

    Source: house rule (issue 5: yearly re-certification)
    """

    class Status(models.TextChoices):
        AWAITING_NEED = "awaiting_need", _("待使用部门说明")
        AWAITING_DECISION = "awaiting_decision", _("待提供部门复核")
        DECIDED = "decided", _("已复核")
        VOID = "void", _("不再适用")

    class Outcome(models.TextChoices):
        CONTINUE = "continue", _("继续")
        NARROW = "narrow", _("收窄")
        END = "end", _("终止")

    OPEN: ClassVar = (Status.AWAITING_NEED, Status.AWAITING_DECISION)

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="recertifications", verbose_name=_("授权")
    )
    grant_version = models.PositiveIntegerField(_("授权版本"))
    status = models.CharField(
        _("状态"), max_length=20, choices=Status.choices, default=Status.AWAITING_NEED
    )
    since = models.DateField(_("上次复核或开通日"))
    due_on = models.DateField(_("截止日期"))
    need = models.TextField(_("继续使用的理由"), blank=True)
    need_stated_at = models.DateTimeField(_("说明时间"), null=True, blank=True)
    need_stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("说明人"),
    )
    outcome = models.CharField(
        _("复核结论"), max_length=10, choices=Outcome.choices, blank=True, default=""
    )
    decision_reason = models.TextField(_("复核理由"), blank=True)
    decided_at = models.DateTimeField(_("复核时间"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("复核人"),
    )
    figures = models.JSONField(_("用量"), default=dict)
    reminded_at = models.DateTimeField(_("提醒时间"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("报主管部门时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {"need_stated_by": None, "decided_by": None}
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("授权年度复核")
        verbose_name_plural = _("授权年度复核")
        ordering = ("due_on", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("grant",),
                condition=Q(status__in=("awaiting_need", "awaiting_decision")),
                name="sharing_recertification_one_open_a_grant",
            ),
            models.CheckConstraint(
                name="sharing_recertification_decision_complete",
                condition=Q(status="decided", decided_at__isnull=False, decided_by__isnull=False)
                & ~Q(outcome="")
                | ~Q(status="decided")
                & Q(outcome="", decided_at__isnull=True, decided_by__isnull=True),
            ),
            models.CheckConstraint(
                name="sharing_recertification_end_has_reason",
                condition=~Q(outcome="end") | ~Q(decision_reason=""),
            ),
            models.CheckConstraint(
                name="sharing_recertification_need_complete",
                condition=Q(need="", need_stated_at__isnull=True, need_stated_by__isnull=True)
                | ~Q(need="") & Q(need_stated_at__isnull=False, need_stated_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_recertification_reminded_first",
                condition=Q(escalated_at__isnull=True) | Q(reminded_at__isnull=False),
            ),
        )
        indexes = (models.Index(fields=("status", "due_on"), name="sharing_recertification_due"),)

    def __str__(self) -> str:
        return str(_("%(grant)s 年度复核") % {"grant": Grant(pk=self.grant_id)})
