"""What was done, what was read, and what is owed to whom.

Events, access records and their closes are facts: the database refuses to change or delete them.
"""

from typing import ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One operation that a person did or was refused, with the people as they were then.

    It points to people and departments without a database constraint: evidence must be written
    even by a connection of its own, and nothing that happens to them later may touch it.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("完成")
        REFUSED = "refused", _("被拒绝")

    at = models.DateTimeField(_("时间"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("操作人"),
    )
    actor_label = models.CharField(_("操作人姓名"), max_length=150, blank=True)
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("代何人办理"),
    )
    verb = models.CharField(_("操作"), max_length=100)
    subject_type = models.CharField(_("对象类型"), max_length=100, blank=True)
    subject_id = models.CharField(_("对象编号"), max_length=64, blank=True)
    subject_label = models.CharField(_("对象"), max_length=300, blank=True)
    department = models.ForeignKey(
        "accounts.Department",
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("部门"),
    )
    outcome = models.CharField(
        _("结果"), max_length=10, choices=Outcome.choices, default=Outcome.DONE
    )
    details = models.JSONField(_("详情"), default=dict, blank=True)

    succession: ClassVar[dict[str, str]] = {"department": "stays"}
    handover: ClassVar[dict[str, Q | None]] = {"actor": None, "on_behalf_of": None}

    class Meta:
        verbose_name = _("操作日志")
        verbose_name_plural = _("操作日志")
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="ledger_event_subject"),
            models.Index(fields=["department", "at"], name="ledger_event_department"),
            models.Index(fields=["actor", "at"], name="ledger_event_actor"),
            models.Index(fields=["at"], name="ledger_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject_label}"


class AccessRecord(models.Model):
    """One read of data under a grant, written before the first byte leaves.

    `rows` empty means that a stream was opened: its `AccessClose` says how far it came, and where
    that is missing, everything up to the horizon counts as delivered.
    Units: `horizon` is the table's last batch that the reader could see.
    """

    class Kind(models.TextChoices):
        PAGE = "page", _("分页查询")
        RECORD = "record", _("单条查询")
        EXPORT = "export", _("批量导出")
        FEED = "feed", _("增量订阅")
        VERIFY = "verify", _("核验比对")
        PREVIEW = "preview", _("审批预览")

    opened_at = models.DateTimeField(_("开始时间"))
    grant_id = models.BigIntegerField(_("授权"), null=True)
    grant_version = models.IntegerField(_("授权版本"), null=True)
    system_id = models.BigIntegerField(_("信息系统"), null=True)
    user_id = models.BigIntegerField(_("用户"), null=True)
    dataset_id = models.BigIntegerField(_("数据目录"))
    table = models.CharField(_("数据表"), max_length=130, db_column="table")
    kind = models.CharField(_("方式"), max_length=10, choices=Kind.choices)
    query = models.JSONField(_("查询条件"), default=dict)
    horizon = models.BigIntegerField(_("批次界限"), null=True)
    rows = models.BigIntegerField(_("行数"), null=True)
    bytes = models.BigIntegerField(_("字节数"), null=True)
    first_id = models.BigIntegerField(_("首行"), null=True)
    last_id = models.BigIntegerField(_("末行"), null=True)
    purpose = models.CharField(_("用途"), max_length=300)
    client_address = models.GenericIPAddressField(_("来源地址"), null=True)

    class Meta:
        managed = False
        db_table = "ledger_accessrecord"
        verbose_name = _("调用记录")
        verbose_name_plural = _("调用记录")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {localtime(self.opened_at):%Y-%m-%d %H:%M:%S}"


class AccessClose(models.Model):
    """How a stream ended: what had been sent by then."""

    class Outcome(models.TextChoices):
        COMPLETE = "complete", _("完整送达")
        CUT = "cut", _("中途断开")
        FAILED = "failed", _("出错中止")

    record_id = models.BigIntegerField(_("调用记录"), primary_key=True)
    opened_at = models.DateTimeField(_("开始时间"))
    closed_at = models.DateTimeField(_("结束时间"))
    rows = models.BigIntegerField(_("行数"))
    bytes = models.BigIntegerField(_("字节数"))
    first_id = models.BigIntegerField(_("首行"), null=True)
    last_id = models.BigIntegerField(_("末行"), null=True)
    outcome = models.CharField(_("结果"), max_length=10, choices=Outcome.choices)

    class Meta:
        managed = False
        db_table = "ledger_accessclose"
        verbose_name = _("调用结束记录")
        verbose_name_plural = _("调用结束记录")

    def __str__(self) -> str:
        return f"{self.record_id} {self.outcome}"


class Todo(models.Model):
    """Something one person, or whoever holds a role in a department, has to do."""

    kind = models.CharField(_("类型"), max_length=60)
    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.PositiveBigIntegerField()
    subject = GenericForeignKey("content_type", "object_id")
    title = models.CharField(_("事项"), max_length=300)
    url = models.CharField(_("地址"), max_length=500)
    department = models.ForeignKey(
        "accounts.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("部门"),
    )
    role = models.CharField(_("角色"), max_length=40, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("承办人"),
    )
    opened_at = models.DateTimeField(_("产生时间"))
    due_on = models.DateField(_("截止日期"), null=True, blank=True)
    done_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("办结人"),
    )

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = Q(done_at=None)
    handover: ClassVar[dict[str, Q | None]] = {"assignee": Q(done_at=None), "done_by": None}

    class Meta:
        verbose_name = _("待办")
        verbose_name_plural = _("待办")
        ordering = ("opened_at", "id")
        indexes = [
            models.Index(
                fields=["content_type", "object_id"],
                name="ledger_todo_subject",
                condition=Q(done_at=None),
            ),
            models.Index(fields=["assignee"], name="ledger_todo_mine", condition=Q(done_at=None)),
            models.Index(
                fields=["department", "role"], name="ledger_todo_ours", condition=Q(done_at=None)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(assignee__isnull=False) | ~Q(role=""),
                name="ledger_todo_owed_by_somebody",
                violation_error_message=_("待办须指明承办人或角色"),
            ),
            models.CheckConstraint(
                condition=Q(done_at=None, done_by=None) | Q(done_at__isnull=False),
                name="ledger_todo_done_by_needs_done_at",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Urging(models.Model):
    """One reminder (催办) that somebody gave about a to-do; read when a debtor opens it."""

    class Channel(models.TextChoices):
        IN_SITE = "in_site", _("站内")
        PHONE = "phone", _("电话")
        LETTER = "letter", _("书面")

    todo = models.ForeignKey(Todo, models.PROTECT, related_name="urgings", verbose_name=_("待办"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("催办人")
    )
    at = models.DateTimeField(_("催办时间"))
    channel = models.CharField(
        _("方式"), max_length=10, choices=Channel.choices, default=Channel.IN_SITE
    )
    note = models.CharField(_("附言"), max_length=300, blank=True)
    read_at = models.DateTimeField(_("阅读时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {"by": None}

    class Meta:
        verbose_name = _("催办")
        verbose_name_plural = _("催办")
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.todo_id} {self.at:%Y-%m-%d %H:%M}"


class Notice(models.Model):
    """A message to one person, read or not."""

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("收件人")
    )
    title = models.CharField(_("标题"), max_length=200)
    body = models.TextField(_("内容"), blank=True)
    url = models.CharField(_("地址"), max_length=500, blank=True)
    subject_type = models.CharField(max_length=100, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    urging = models.ForeignKey(
        Urging, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("阅读时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {"recipient": None}

    class Meta:
        verbose_name = _("通知")
        verbose_name_plural = _("通知")
        ordering = ("-at", "-id")
        indexes = [
            models.Index(fields=["recipient", "-at"], name="ledger_notice_inbox"),
            models.Index(
                fields=["recipient"], name="ledger_notice_unread", condition=Q(read_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """A notice on its way by one channel; the row is the queue of the sending task."""

    class State(models.TextChoices):
        WAITING = "waiting", _("待发送")
        SENT = "sent", _("已送达")
        FAILED = "failed", _("发送失败")

    notice = models.ForeignKey(
        Notice, models.CASCADE, related_name="deliveries", verbose_name=_("通知")
    )
    channel = models.CharField(_("渠道"), max_length=20)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("尝试次数"), default=0)
    next_attempt_at = models.DateTimeField(_("下次尝试"), null=True, blank=True)
    sent_at = models.DateTimeField(_("送达时间"), null=True, blank=True)
    last_error = models.CharField(_("最近错误"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("通知送达")
        verbose_name_plural = _("通知送达")
        ordering = ("id",)
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="ledger_delivery_due", condition=Q(state="waiting")
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel"], name="ledger_delivery_channel_once"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
                name="ledger_delivery_sent_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | Q(next_attempt_at__isnull=False),
                name="ledger_delivery_waiting_has_next",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
