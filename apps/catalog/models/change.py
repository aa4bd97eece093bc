"""The next version of a published entry, while it is prepared and reviewed."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.catalog.models.choices import ChangeChannel, ChangeStatus, TriggerKind
from apps.catalog.models.dataset import Dataset
from apps.core.models import Governed

OPEN_CHANGE = ("draft", "awaiting_head", "submitted", "returned")


class DatasetChange(Governed):
    """What is to differ from the version in force, which stays in force untouched meanwhile.

    fields: {field name: plain value, as in a snapshot}; only what differs. `related` holds codes.
    items: all items as plain values, each with `pk` when it continues an item in force; null when
    the items stay as they are.

    Source: 《政务数据共享条例》第十七条
    """

    Status = ChangeStatus
    handover: ClassVar[dict[str, Q | None]] = {"started_by": None}

    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="changes", verbose_name=_("数据目录")
    )
    base_version = models.PositiveIntegerField(
        _("依据的版本"), editable=False, help_text=_("开始修改时有效的版本。")
    )
    applied_version = models.PositiveIntegerField(
        _("发布成的版本"), null=True, blank=True, editable=False
    )
    fields = models.JSONField(_("改动的字段"), default=dict, blank=True)
    items = models.JSONField(_("改后的数据项"), null=True, blank=True)
    reason = models.TextField(
        _("变更说明"), blank=True, help_text=_("为什么改、改了什么，审核人会看到。")
    )
    trigger_kind = models.CharField(
        _("触发事项"),
        max_length=20,
        choices=TriggerKind,
        blank=True,
        help_text=_("因法律法规或职能调整而改的须登记，自发生之日起 10 个工作日内完成更新。"),
    )
    trigger_note = models.CharField(
        _("触发事项说明"), max_length=256, blank=True, help_text=_("法规或文件的名称、文号。")
    )
    triggered_on = models.DateField(_("触发事项发生日期"), null=True, blank=True)
    channel = models.CharField(
        _("提交途径"), max_length=20, choices=ChangeChannel, default=ChangeChannel.TYPED
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("起草人"),
    )
    status = models.CharField(
        _("状态"),
        max_length=20,
        choices=ChangeStatus,
        default=ChangeStatus.DRAFT,
        editable=False,
    )
    submitted_at = models.DateTimeField(_("报送时间"), null=True, blank=True, editable=False)
    decided_at = models.DateTimeField(_("办结时间"), null=True, blank=True, editable=False)
    remark = models.TextField(_("审核意见"), blank=True, editable=False)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("目录变更")
        verbose_name_plural = _("目录变更")
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "-id"], name="catalog_change_by_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"],
                condition=Q(status__in=OPEN_CHANGE),
                name="catalog_datasetchange_one_open",
                violation_error_message=_("该目录已有一次变更正在办理"),
            ),
            models.CheckConstraint(
                condition=Q(status__in=OPEN_CHANGE, decided_at__isnull=True)
                | (~Q(status__in=OPEN_CHANGE) & Q(decided_at__isnull=False)),
                name="catalog_datasetchange_decided_has_time",
                violation_error_message=_("办结的变更应有办结时间"),
            ),
            models.CheckConstraint(
                condition=Q(status="applied", applied_version__isnull=False)
                | (~Q(status="applied") & Q(applied_version__isnull=True)),
                name="catalog_datasetchange_applied_has_version",
                violation_error_message=_("已发布的变更应有版本号"),
            ),
            models.CheckConstraint(
                condition=Q(trigger_kind="", triggered_on__isnull=True)
                | (~Q(trigger_kind="") & Q(triggered_on__isnull=False)),
                name="catalog_datasetchange_trigger_has_day",
                violation_error_message=_("触发事项应有发生日期"),
            ),
        ]

    def __str__(self) -> str:
        return str(
            _("%(name)s的变更（第 %(number)s 版之后）")
            % {"name": self.dataset.name, "number": self.base_version}
        )

    def get_absolute_url(self) -> str:
        return reverse("catalog:change", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_CHANGE
