"""Addresses of systems to which events are pushed (事件推送), and what is on its way to them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed


class WebhookEvent(models.TextChoices):
    """What a system can be told of; never a value of the data themselves."""

    GRANT_DELIVERED = "grant.delivered", _("授权开通")
    GRANT_SUSPENDED = "grant.suspended", _("授权暂停")
    GRANT_RESUMED = "grant.resumed", _("授权恢复")
    GRANT_NARROWED = "grant.narrowed", _("授权收窄")
    GRANT_COLUMN_DROPPED = "grant.column_dropped", _("授权的数据项停用")
    GRANT_ENDED = "grant.ended", _("授权终止或到期")
    DATASET_UPDATED = "dataset.updated", _("数据有新批次")
    REQUEST_ANSWERED = "request.answered", _("申请有答复")
    SERVICE_STOP = "service.stop", _("停机公告、撤回和结束")
    PING = "ping", _("试推送")


class Webhook(Governed):
    """Where a system wants to hear of events, which ones, and the secret that signs them.

    secret: sealed; it is shown once, when it is made. seen_event: the last event of the ledger that
    was looked at for it; seen_batches: by grant, the last batch of its table that it was told of.

    Source: house rule (issue 5: webhooks)
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("推送中")
        PAUSED = "paused", _("已停推")
        REMOVED = "removed", _("已删除")

    handover: ClassVar[dict[str, Q | None]] = {"made_by": None}

    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="webhooks",
        verbose_name=_("信息系统"),
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.ACTIVE
    )
    url = models.CharField(_("推送地址"), max_length=500)
    events = models.JSONField(_("事件"), default=list)
    secret = models.TextField(_("签名密钥"), editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("登记人"),
    )
    seen_event = models.BigIntegerField(default=0)
    seen_batches = models.JSONField(default=dict)

    history = HistoricalRecords(
        history_change_reason_field=models.TextField(null=True),
        excluded_fields=["secret", "seen_event", "seen_batches"],
    )

    class Meta:
        verbose_name = _("事件推送")
        verbose_name_plural = _("事件推送")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("system", "url"),
                condition=~Q(status="removed"),
                name="sharing_webhook_address_once",
            ),
            models.CheckConstraint(
                name="sharing_webhook_has_secret", condition=~Q(secret="") & ~Q(url="")
            ),
        )

    def __str__(self) -> str:
        return f"W-{self.pk:04d}" if self.pk else str(_("新推送"))


class WebhookDelivery(models.Model):
    """One event on its way to one address; the row is the queue. Dead: given up, to be sent again.

    key: names the event, so that none is queued twice. body: what is sent, without any data.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("待推送")
        SENT = "sent", _("已送达")
        DEAD = "dead", _("未送达")

    webhook = models.ForeignKey(
        Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("推送")
    )
    event = models.CharField(_("事件"), max_length=30, choices=WebhookEvent.choices)
    key = models.CharField(max_length=100)
    body = models.JSONField(_("内容"), default=dict)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    created_at = models.DateTimeField(_("产生时间"))
    next_attempt_at = models.DateTimeField(_("下次尝试"), null=True, blank=True)
    sent_at = models.DateTimeField(_("送达时间"), null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(_("最近回答"), null=True, blank=True)
    last_error = models.CharField(_("最近错误"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("推送记录")
        verbose_name_plural = _("推送记录")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("webhook", "key"), name="sharing_webhookdelivery_event_once"
            ),
            models.CheckConstraint(
                name="sharing_webhookdelivery_waiting_has_next",
                condition=Q(state="waiting", next_attempt_at__isnull=False)
                | (~Q(state="waiting") & Q(next_attempt_at=None)),
            ),
            models.CheckConstraint(
                name="sharing_webhookdelivery_sent_has_moment",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
            ),
        )
        indexes = (
            models.Index(
                fields=("next_attempt_at",),
                condition=Q(state="waiting"),
                name="sharing_webhookdelivery_due",
            ),
            models.Index(fields=("webhook", "-id"), name="sharing_webhookdelivery_of"),
        )

    def __str__(self) -> str:
        return f"{self.get_event_display()} {self.pk}"
