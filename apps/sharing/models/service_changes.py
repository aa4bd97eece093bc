"""What a provider wants to change of a live service without any fault of the consumer."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.grants import Grant
from apps.sharing.models.limits import limit_constraints
from apps.sharing.models.written_terms import WrittenTerms


class ServiceChange(WrittenTerms, Governed):
    """The notice (服务变更) that a grant is to be narrowed or stopped, and what became of it.

    The consumer agrees or objects, the authority files it (备案) or does not allow it, and only
    then does it take effect, on its day.
    grant_version: under which terms it was written; another narrowing makes it void.
    The terms are the whole terms afterwards; of a stop they are those of the grant.
    answer_due_on: until when an answer was asked for as the change was announced; since then the
    clock follows the calendar, and screens show the clock's day.
    problem: why it could not be carried out on its day; it is tried again.

    Source: 《政务数据共享条例》第二十七条
    """

    class Kind(models.TextChoices):
        NARROW = "narrow", _("收窄")
        STOP = "stop", _("停止服务")

    class Status(models.TextChoices):
        NOTICED = "noticed", _("待使用部门答复")
        AGREED = "agreed", _("待备案")
        OBJECTED = "objected", _("有异议，待主管部门决定")
        FILED = "filed", _("已备案，待生效")
        REFUSED = "refused", _("不予变更")
        CARRIED_OUT = "carried_out", _("已生效")
        WITHDRAWN = "withdrawn", _("已撤回")
        VOID = "void", _("不再适用")

    OPEN: ClassVar = (Status.NOTICED, Status.AGREED, Status.OBJECTED, Status.FILED)
    TO_DECIDE: ClassVar = (Status.AGREED, Status.OBJECTED)

    handover: ClassVar[dict[str, Q | None]] = {
        "opened_by": None,
        "answered_by": None,
        "decided_by": None,
    }

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="service_changes", verbose_name=_("授权")
    )
    grant_version = models.PositiveIntegerField(_("授权版本"))
    kind = models.CharField(_("变更"), max_length=10, choices=Kind.choices)
    status = models.CharField(
        _("状态"), max_length=12, choices=Status.choices, default=Status.NOTICED
    )
    reason = models.TextField(_("变更的理由"))
    effective_on = models.DateField(_("生效日期"))
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("告知人"),
    )
    opened_at = models.DateTimeField(_("告知时间"))
    answer_due_on = models.DateField(_("答复截止日期"))
    answer = models.TextField(_("使用部门的意见"), blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("答复人"),
    )
    answered_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    decision = models.TextField(_("主管部门的意见"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("备案人"),
    )
    decided_at = models.DateTimeField(_("备案时间"), null=True, blank=True)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    problem = models.TextField(_("未能生效的原因"), blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("服务变更")
        verbose_name_plural = _("服务变更")
        ordering = ("-id",)
        constraints = (
            *limit_constraints("sharing_servicechange"),
            models.UniqueConstraint(
                fields=("grant",),
                condition=Q(status__in=("noticed", "agreed", "objected", "filed")),
                name="sharing_servicechange_one_open_a_grant",
            ),
            models.CheckConstraint(
                name="sharing_servicechange_has_reason", condition=~Q(reason="")
            ),
            models.CheckConstraint(
                name="sharing_servicechange_after_the_answer",
                condition=Q(effective_on__gt=F("answer_due_on")),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_answer_whole",
                condition=Q(answered_at=None, answered_by=None, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_answered_before_decided",
                condition=Q(decided_at=None, decided_by=None)
                | Q(
                    answered_at__isnull=False,
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_filed_before_effect",
                condition=~Q(status__in=("filed", "carried_out", "refused"))
                | Q(decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_objection_has_words",
                condition=~Q(status="objected") | ~Q(answer=""),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_refusal_has_words",
                condition=~Q(status="refused") | ~Q(decision=""),
            ),
            models.CheckConstraint(
                name="sharing_servicechange_closed_when_over",
                condition=Q(
                    status__in=("noticed", "agreed", "objected", "filed"), closed_at__isnull=True
                )
                | Q(
                    status__in=("refused", "carried_out", "withdrawn", "void"),
                    closed_at__isnull=False,
                ),
            ),
        )
        indexes = (
            models.Index(fields=("status", "effective_on"), name="sharing_servicechange_due"),
        )

    def __str__(self) -> str:
        return f"BG-{self.pk:06d}" if self.pk else str(_("新变更"))
