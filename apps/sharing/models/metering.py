"""How much was used under grants: the running count of a quota, and the days summed up."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class QuotaUse(models.Model):
    """What a grant with a quota has used of its present day and minute. One row a grant.

    Written by the data plane alone, in one statement a call. What it counts is room, taken before
    a read and given back when less was read; the truth of what was delivered are the access
    records.
    reserved_rows: what the last call was given; the statement that takes room returns it.

    Source: house rule (issue 5: quota exact to 1 %)
    """

    grant = models.OneToOneField(
        "sharing.Grant", on_delete=models.CASCADE, primary_key=True, related_name="quota_use"
    )
    day = models.DateField(_("日期"))
    calls = models.PositiveBigIntegerField(_("调用次数"), default=0)
    rows = models.PositiveBigIntegerField(_("记录条数"), default=0)
    minute = models.DateTimeField(_("分钟"))
    calls_in_minute = models.PositiveBigIntegerField(_("本分钟调用次数"), default=0)
    reserved_rows = models.PositiveBigIntegerField(_("最近一次预留条数"), default=0)

    class Meta:
        verbose_name = _("限额占用")
        verbose_name_plural = _("限额占用")

    def __str__(self) -> str:
        return f"{self.grant_id} {self.day}"


class VerifiedKey(models.Model):
    """That a system asked about a record within the hour. Written by the data plane alone.

    digest: a keyed digest of the record's key; nobody finds the key by it.
    asked_at: when its hour began.

    Source: house rule (issue 5: verification under quota)
    """

    pk = models.CompositePrimaryKey("system_id", "digest")
    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.CASCADE,
        related_name="verified_keys",
        db_index=False,
        verbose_name=_("使用系统"),
    )
    digest = models.CharField(_("主键摘要"), max_length=24)
    asked_at = models.DateTimeField(_("核验时间"))

    class Meta:
        verbose_name = _("已核验主键")
        verbose_name_plural = _("已核验主键")
        indexes = (models.Index(fields=("system", "asked_at"), name="sharing_verifiedkey_hour"),)

    def __str__(self) -> str:
        return f"{self.system_id} {self.asked_at:%H:%M}"


class DailyUse(models.Model):
    """What was delivered under a grant on one day, summed up from the access records.

    Units: rows are records delivered, of a verification those found; bytes are those of the bodies
    before compression. The day is that of the call's beginning, in Asia/Shanghai.
    single_calls: those of the calls that named records and got at most one, or only compared.

    Source: house rule (issue 5: metering)
    """

    grant = models.ForeignKey(
        "sharing.Grant",
        on_delete=models.CASCADE,
        related_name="daily_uses",
        verbose_name=_("授权"),
        db_index=False,
    )
    day = models.DateField(_("日期"))
    calls = models.PositiveBigIntegerField(_("调用次数"))
    rows = models.PositiveBigIntegerField(_("记录条数"))
    bytes = models.PositiveBigIntegerField(_("字节数"))
    single_calls = models.PositiveBigIntegerField(_("单条查询和核验次数"), default=0)

    class Meta:
        verbose_name = _("每日用量")
        verbose_name_plural = _("每日用量")
        ordering = ("grant", "day")
        constraints = (
            models.UniqueConstraint(fields=("grant", "day"), name="sharing_dailyuse_once_a_day"),
            models.CheckConstraint(name="sharing_dailyuse_some_call", condition=Q(calls__gte=1)),
            models.CheckConstraint(
                name="sharing_dailyuse_single_among_calls",
                condition=Q(single_calls__lte=F("calls")),
            ),
        )
        indexes = (models.Index(fields=("day",), name="sharing_dailyuse_day"),)

    def __str__(self) -> str:
        return f"{self.grant_id} {self.day}"


class ColumnUse(models.Model):
    """The last day on which a granted column was asked for: given, filtered by, or compared.

    Kept by the counting of access records, so that no page reads them. A column that nobody ever
    asked for has no row.

    Source: house rule (issue 5: thrift report)
    """

    grant = models.ForeignKey(
        "sharing.Grant",
        on_delete=models.CASCADE,
        related_name="column_uses",
        verbose_name=_("授权"),
        db_index=False,
    )
    column = models.CharField(_("列名"), max_length=63)
    last_on = models.DateField(_("最近使用日"))

    class Meta:
        verbose_name = _("数据项使用")
        verbose_name_plural = _("数据项使用")
        ordering = ("grant", "column")
        constraints = (
            models.UniqueConstraint(fields=("grant", "column"), name="sharing_columnuse_once"),
        )

    def __str__(self) -> str:
        return f"{self.grant_id} {self.column}"


class MeteredDay(models.Model):
    """A day whose access records were summed up; it is final a day after its end.

    Until then streams that were open may still close, and the day is counted again.
    has_columns: whether the columns that were asked for were noted, too; days that were counted
    before they were are counted once more.
    """

    day = models.DateField(_("日期"), primary_key=True)
    counted_at = models.DateTimeField(_("统计时间"))
    is_final = models.BooleanField(_("已定"), default=False)
    has_columns = models.BooleanField(_("已计数据项"), default=False)

    class Meta:
        verbose_name = _("用量统计日")
        verbose_name_plural = _("用量统计日")
        ordering = ("day",)

    def __str__(self) -> str:
        return f"{self.day}"
