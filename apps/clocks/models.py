"""The calendar, the dated rules, and the running clocks with everything they are derived from."""

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class CalendarDay(models.Model):
    """A day that differs from the published schedule, or from the weekend rule."""

    day = models.DateField(_("日期"), unique=True)
    is_workday = models.BooleanField(_("工作日"))
    note = models.CharField(_("说明"), max_length=60)
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("日历调整")
        verbose_name_plural = _("日历调整")
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d} {self.note}"


class CalendarYear(models.Model):
    """A year whose State Council schedule was entered here; its dates are provisional no more."""

    year = models.PositiveSmallIntegerField(_("年份"), unique=True)
    source = models.CharField(_("依据"), max_length=200)
    published_at = models.DateTimeField(_("录入时间"))

    class Meta:
        verbose_name = _("已公布的放假安排")
        verbose_name_plural = _("已公布的放假安排")
        ordering = ("year",)

    def __str__(self) -> str:
        return str(self.year)


class ClockPolicyManager(models.Manager["ClockPolicy"]):
    def get_by_natural_key(self, code: str, valid_from: str) -> "ClockPolicy":
        return self.get(code=code, valid_from=valid_from)


class ClockPolicy(models.Model):
    """How long something may take, from which day on, and who says so.

    `length` is empty where the authority sets it case by case. `fixed_month` and `fixed_day`
    replace it for what falls due on a day of the year.
    `is_reference`: taken from another place's rule or our own choice; shown as 参照, never as law.
    """

    class Unit(models.TextChoices):
        WORKDAY = "workday", _("个工作日")
        DAY = "day", _("日")
        HOUR = "hour", _("小时")
        MONTH = "month", _("个月")
        YEAR = "year", _("年")
        FIXED_DAY = "fixed_day", _("每年固定日期")

    class Kind(models.TextChoices):
        DEADLINE = "deadline", _("办理时限")
        RETENTION = "retention", _("保存期限")

    class Party(models.TextChoices):
        PROVIDER = "provider", _("提供部门")
        CONSUMER = "consumer", _("使用部门")
        AUTHORITY = "authority", _("主管部门")
        DEPARTMENT = "department", _("各部门")
        PARTIES = "parties", _("争议双方")
        PUBLISHER = "publisher", _("发布部门")
        OPERATOR = "operator", _("平台建设管理单位")

    code = models.CharField(_("代码"), max_length=60)
    name = models.CharField(_("名称"), max_length=100)
    kind = models.CharField(_("种类"), max_length=10, choices=Kind.choices, default=Kind.DEADLINE)
    length = models.PositiveSmallIntegerField(_("时长"), null=True, blank=True)
    unit = models.CharField(_("单位"), max_length=10, choices=Unit.choices)
    fixed_month = models.PositiveSmallIntegerField(_("固定月份"), null=True, blank=True)
    fixed_day = models.PositiveSmallIntegerField(_("固定日"), null=True, blank=True)
    starts = models.CharField(_("起算"), max_length=100)
    owed_by = models.CharField(_("由谁履行"), max_length=40, choices=Party.choices)
    extendable_by = models.PositiveSmallIntegerField(_("可延长"), default=0)
    extension_unit = models.CharField(
        _("延长单位"), max_length=10, choices=Unit.choices, default=Unit.WORKDAY
    )
    extension_approver = models.CharField(
        _("延长由谁同意"), max_length=40, blank=True, choices=Party.choices
    )
    pausable = models.BooleanField(_("可暂停"), default=False)
    source = models.CharField(_("依据"), max_length=200)
    is_reference = models.BooleanField(_("参照"), default=False)
    valid_from = models.DateField(_("生效日"))
    valid_to = models.DateField(_("失效日"), null=True, blank=True)
    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    objects = ClockPolicyManager()

    class Meta:
        verbose_name = _("时限规则")
        verbose_name_plural = _("时限规则")
        ordering = ("code", "-valid_from")
        constraints = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="clocks_policy_version"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="clocks_policy_ends_after_start",
                violation_error_message=_("失效日应晚于生效日"),
            ),
            models.CheckConstraint(
                condition=Q(unit="fixed_day", fixed_month__isnull=False, fixed_day__isnull=False)
                | (~Q(unit="fixed_day") & Q(fixed_month=None, fixed_day=None)),
                name="clocks_policy_fixed_day_complete",
                violation_error_message=_("固定日期须填写月和日，其他单位不填"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"

    def natural_key(self) -> tuple[str, date]:
        return (self.code, self.valid_from)


class Clock(models.Model):
    """One running deadline of one subject.

    `due_on`, `due_at` and `provisional` are derived: `operations` writes them from the kept inputs
    (start, policy, calendar, pauses, extensions) and `queries.explain` shows how.
    Units: `due_at` is the first instant that is too late.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("进行中")
        PAUSED = "paused", _("已暂停")
        STOPPED = "stopped", _("已办结")
        CANCELLED = "cancelled", _("已取消")

    policy = models.ForeignKey(
        ClockPolicy, models.PROTECT, related_name="clocks", verbose_name=_("时限规则")
    )
    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    object_id = models.PositiveBigIntegerField()
    subject = GenericForeignKey("content_type", "object_id")
    department = models.ForeignKey(
        "accounts.Department",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("履行部门"),
    )
    length = models.PositiveSmallIntegerField(_("个案时长"), null=True, blank=True)
    is_reference = models.BooleanField(_("参照"), default=False)
    started_at = models.DateTimeField(_("起算时间"))
    received_on = models.DateField(_("收件日"))
    due_on = models.DateField(_("截止日期"))
    due_at = models.DateTimeField(_("截止时刻"))
    provisional = models.BooleanField(_("暂定"), default=False)
    state = models.CharField(_("状态"), max_length=10, choices=State.choices, default=State.RUNNING)
    stopped_at = models.DateTimeField(_("办结时间"), null=True, blank=True)
    met = models.BooleanField(_("按时"), null=True, blank=True)

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = Q(state__in=["running", "paused"])  # past figures keep the name

    class Meta:
        verbose_name = _("时限")
        verbose_name_plural = _("时限")
        ordering = ("due_at", "id")
        indexes = [
            models.Index(fields=["content_type", "object_id"], name="clocks_clock_subject"),
            models.Index(
                fields=["due_at"],
                name="clocks_clock_due",
                condition=Q(state__in=["running", "paused"]),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "policy"],
                condition=Q(state__in=["running", "paused"]),
                name="clocks_clock_one_live",
            ),
            models.CheckConstraint(
                condition=Q(state="stopped", stopped_at__isnull=False, met__isnull=False)
                | Q(state="cancelled", stopped_at__isnull=False, met=None)
                | Q(state__in=["running", "paused"], stopped_at=None, met=None),
                name="clocks_clock_stop_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy_id} {self.due_on:%Y-%m-%d}"


class ClockPause(models.Model):
    """A span in which the clock did not run; open while `until` is empty."""

    clock = models.ForeignKey(Clock, models.CASCADE, related_name="pauses")
    since = models.DateTimeField(_("暂停时间"))
    until = models.DateTimeField(_("恢复时间"), null=True, blank=True)
    reason = models.CharField(_("理由"), max_length=300)

    class Meta:
        verbose_name = _("暂停")
        verbose_name_plural = _("暂停")
        ordering = ("since", "id")
        constraints = [
            models.UniqueConstraint(
                fields=["clock"], condition=Q(until=None), name="clocks_pause_one_open"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=F("since")),
                name="clocks_pause_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class ClockExtension(models.Model):
    """The one extension a clock may be given, with who consented and why."""

    clock = models.OneToOneField(Clock, models.CASCADE, related_name="extension")
    length = models.PositiveSmallIntegerField(_("延长"))
    unit = models.CharField(_("单位"), max_length=10, choices=ClockPolicy.Unit.choices)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("同意人")
    )
    at = models.DateTimeField(_("时间"))
    reason = models.CharField(_("理由"), max_length=300)

    handover: ClassVar[dict[str, Q | None]] = {"approved_by": None}

    class Meta:
        verbose_name = _("延期")
        verbose_name_plural = _("延期")
        constraints = [
            models.CheckConstraint(condition=Q(length__gt=0), name="clocks_extension_positive"),
        ]

    def __str__(self) -> str:
        return f"+{self.length} {self.unit}"
