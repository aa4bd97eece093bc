"""Planned stops (停机公告): when services will not answer, told beforehand to all who use them."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed

LONGEST: Final = timedelta(days=7)
OPEN: Final = ("announced", "running")


def reaching(dataset: Any, department: Any) -> Q:
    """The condition on stops that they reach the services of a dataset that a department provides.

    dataset, department: keys, or `OuterRef`s to them; None finds what reaches further than these.
    """
    return (
        Q(reach="platform")
        | Q(reach="dataset", dataset=dataset)
        | Q(reach="department", provider=department)
    )


class PlannedStopQuerySet(models.QuerySet["PlannedStop"]):
    def running_at(self, at: datetime) -> Self:
        """Those during which services do not answer at that instant, task come or not."""
        return self.filter(status__in=OPEN, starts_at__lte=at, ends_at__gt=at)

    def stopping(self, dataset: Any) -> Self:
        """Those that reach the services of a dataset; its department is that of now."""
        return self.filter(reaching(dataset.pk, dataset.department_id))

    def longest(self) -> "PlannedStop | None":
        """The one that ends last of these; None of none."""
        return self.order_by("ends_at", "pk").last()


class PlannedStop(Governed):
    """A span in which the services of one dataset, a department or the whole platform stand still.

    provider: whose services they are, None of the whole platform; dataset: only with that reach.
    usual_from: the earliest beginning that keeps the usual notice, by the policy of the day; an
    earlier one says why in short_notice_reason. reminded_at: when they were told a day before.
    ended_at: when it ended, by the plan or before it; of a withdrawn one, when it was taken back.
    idempotency_key: of whoever announced it by the API, so that sending it again announces once.

    Source: house rule (issue 5: planned stops); 《政务数据共享条例》第二十七条
    """

    class Reach(models.TextChoices):
        DATASET = "dataset", _("一项数据")
        DEPARTMENT = "department", _("本部门提供的全部数据")
        PLATFORM = "platform", _("全平台")

    class Status(models.TextChoices):
        ANNOUNCED = "announced", _("已公告")
        RUNNING = "running", _("停机中")
        OVER = "over", _("已结束")
        WITHDRAWN = "withdrawn", _("已撤回")

    OPEN: ClassVar[tuple[str, ...]] = OPEN

    succession: ClassVar[dict[str, str]] = {"provider": "moves"}
    succession_open: ClassVar[Q] = Q(status__in=OPEN)
    handover: ClassVar[dict[str, Q | None]] = {"announced_by": None, "ended_by": None}

    reach = models.CharField(_("范围"), max_length=10, choices=Reach.choices)
    provider = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="planned_stops",
        verbose_name=_("提供部门"),
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="planned_stops",
        verbose_name=_("数据目录"),
    )
    status = models.CharField(
        _("状态"), max_length=10, choices=Status.choices, default=Status.ANNOUNCED
    )
    starts_at = models.DateTimeField(_("开始时间"))
    ends_at = models.DateTimeField(_("预计结束时间"))
    reason = models.CharField(_("停机原因"), max_length=500)
    usual_from = models.DateTimeField(_("按提前量最早的开始时间"))
    short_notice_reason = models.CharField(_("提前不足的理由"), max_length=500, blank=True)
    announced_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("公告人"),
    )
    announced_at = models.DateTimeField(_("公告时间"))
    idempotency_key = models.CharField(_("提交编号"), max_length=200, blank=True)
    reminded_at = models.DateTimeField(_("提醒时间"), null=True, blank=True)
    ended_at = models.DateTimeField(_("结束或撤回时间"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("结束或撤回人"),
    )
    end_reason = models.CharField(_("结束或撤回的理由"), max_length=500, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    objects = PlannedStopQuerySet.as_manager()

    class Meta:
        verbose_name = _("停机公告")
        verbose_name_plural = _("停机公告")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("announced_by", "idempotency_key"),
                condition=~Q(idempotency_key=""),
                name="sharing_plannedstop_key_once",
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_reach_whole",
                condition=Q(reach="platform", provider=None, dataset=None)
                | Q(reach="department", provider__isnull=False, dataset=None)
                | Q(reach="dataset", provider__isnull=False, dataset__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_period_in_order",
                condition=Q(ends_at__gt=F("starts_at"), ends_at__lte=F("starts_at") + LONGEST),
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_announced_before",
                condition=Q(announced_at__lte=F("starts_at")),
            ),
            models.CheckConstraint(name="sharing_plannedstop_has_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="sharing_plannedstop_short_notice_has_reason",
                condition=Q(starts_at__gte=F("usual_from")) | ~Q(short_notice_reason=""),
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_closed_when_over",
                condition=Q(status__in=OPEN, ended_at=None, ended_by=None, end_reason="")
                | Q(
                    status__in=("over", "withdrawn"),
                    ended_at__isnull=False,
                    ended_by__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_over_within_plan",
                condition=~Q(status="over")
                | Q(ended_at=F("ends_at"))
                | (Q(ended_at__gte=F("starts_at"), ended_at__lt=F("ends_at")) & ~Q(end_reason="")),
            ),
            models.CheckConstraint(
                name="sharing_plannedstop_withdrawn_before",
                condition=~Q(status="withdrawn")
                | (Q(ended_at__lt=F("starts_at")) & ~Q(end_reason="")),
            ),
        )
        indexes = (
            # What a data call looks up before it is answered.
            models.Index(
                fields=("ends_at",), condition=Q(status__in=OPEN), name="sharing_plannedstop_open"
            ),
        )

    @property
    def subject_words(self) -> str:
        """What stands still, as people call it."""
        if self.dataset is not None:
            return str(self.dataset)
        if self.provider is not None:
            return str(_("%(provider)s提供的全部数据") % {"provider": self.provider})
        return str(_("全平台的数据服务"))

    def reaches(self, dataset: Any) -> bool:
        """Say of one stop what `stopping` asks of all."""
        return (
            self.reach == self.Reach.PLATFORM
            or (self.reach == self.Reach.DATASET and self.dataset_id == dataset.pk)
            or (self.reach == self.Reach.DEPARTMENT and self.provider_id == dataset.department_id)
        )

    def __str__(self) -> str:
        return f"TJ-{self.pk:06d}" if self.pk else str(_("新公告"))
