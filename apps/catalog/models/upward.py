"""What is reported to the catalogues above, what they answer, and what they hold themselves."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department
from apps.catalog.models.dataset import Dataset
from apps.core.models import Governed


class UpperLevel(models.TextChoices):
    NATIONAL = "national", _("国家")
    PROVINCIAL = "provincial", _("省级")


class UpwardValue(models.Model):
    """How a value of ours is written above; where none stands here, our own word is sent."""

    class Kind(models.TextChoices):
        CLASSIFICATION = "classification", _("资源分类")
        ATTRIBUTE = "attribute", _("共享属性")
        CYCLE = "cycle", _("更新周期")
        FORMAT = "format", _("格式")

    level = models.CharField(_("上级"), max_length=10, choices=UpperLevel)
    kind = models.CharField(_("字段"), max_length=16, choices=Kind)
    ours = models.CharField(_("本平台的值"), max_length=60)
    theirs = models.CharField(_("上级的值"), max_length=60)

    class Meta:
        verbose_name = _("上报取值对照")
        verbose_name_plural = _("上报取值对照")
        ordering = ("level", "kind", "ours")
        constraints = (
            models.UniqueConstraint(
                fields=("level", "kind", "ours"), name="catalog_upwardvalue_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.ours} → {self.theirs}"


class UpwardMapping(models.Model):
    """An entry's codes above, and what of it is written otherwise than the table of values says."""

    handover: ClassVar[dict[str, Q | None]] = {"updated_by": None}

    dataset = models.OneToOneField(
        Dataset, models.CASCADE, related_name="upward_mapping", verbose_name=_("数据目录")
    )
    national_code = models.CharField(_("国家目录代码"), max_length=100, blank=True)
    provincial_code = models.CharField(_("省级目录代码"), max_length=100, blank=True)
    classification = models.CharField(
        _("上报的资源分类"), max_length=60, blank=True, help_text=_("不填按取值对照。")
    )
    attribute = models.CharField(_("上报的共享属性"), max_length=60, blank=True)
    cycle = models.CharField(_("上报的更新周期"), max_length=60, blank=True)
    format = models.CharField(_("上报的格式"), max_length=60, blank=True)
    note = models.TextField(_("备注"), blank=True)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("修改人"),
    )
    updated_at = models.DateTimeField(_("更新时间"), editable=False)

    class Meta:
        verbose_name = _("上报对照")
        verbose_name_plural = _("上报对照")

    def __str__(self) -> str:
        return str(self.dataset)


class UpwardPackage(Governed):
    """What changed in the catalogue since the last package to this level."""

    class Status(models.TextChoices):
        MADE = "made", _("已生成")
        SENT = "sent", _("已上报")
        RECEIPTED = "receipted", _("已回执")
        DISCARDED = "discarded", _("已作废")

    handover: ClassVar[dict[str, Q | None]] = {"made_by": None, "sent_by": None}

    number = models.CharField(_("上报编号"), max_length=20, unique=True, editable=False)
    level = models.CharField(_("上级"), max_length=10, choices=UpperLevel)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.MADE, editable=False
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("生成人")
    )
    outside_number = models.CharField(_("上级受理编号"), max_length=100, blank=True)
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("上报人"),
    )
    sent_at = models.DateTimeField(_("上报时间"), null=True, blank=True)
    receipted_at = models.DateTimeField(_("回执时间"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("上报数据包")
        verbose_name_plural = _("上报数据包")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("level",),
                condition=Q(status="made"),
                name="catalog_upwardpackage_one_open_a_level",
                violation_error_message=_("该上级已有一份尚未上报的数据包"),
            ),
            models.CheckConstraint(
                name="catalog_upwardpackage_sent_whole",
                condition=Q(status__in=("made", "discarded"), sent_at=None, sent_by=None)
                | Q(status__in=("sent", "receipted"), sent_at__isnull=False, sent_by__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("catalog:upward-package", args=[self.pk])


class UpwardEntry(models.Model):
    """One entry of a package as it was sent, and what the level above said of it."""

    class Change(models.TextChoices):
        ADDED = "added", _("新增")
        CHANGED = "changed", _("变更")
        WITHDRAWN = "withdrawn", _("撤销")

    class Receipt(models.TextChoices):
        NONE = "", _("未回执")
        RECEIVED = "received", _("已接收")
        RETURNED = "returned", _("退回")
        DIFFERING = "differing", _("有差异")

    package = models.ForeignKey(
        UpwardPackage, models.CASCADE, related_name="entries", verbose_name=_("上报数据包")
    )
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="upward_entries", verbose_name=_("数据目录")
    )
    change = models.CharField(_("变动"), max_length=10, choices=Change)
    version = models.PositiveIntegerField(_("目录版本"))
    snapshot = models.JSONField(_("上报内容"))
    receipt = models.CharField(_("回执"), max_length=10, choices=Receipt, blank=True)
    upper_code = models.CharField(_("上级目录代码"), max_length=100, blank=True)
    receipt_note = models.TextField(_("回执说明"), blank=True)
    receipted_at = models.DateTimeField(_("回执时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("上报条目")
        verbose_name_plural = _("上报条目")
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("package", "dataset"), name="catalog_upwardentry_once_a_package"
            ),
            models.CheckConstraint(
                name="catalog_upwardentry_receipt_has_time",
                condition=Q(receipt="", receipted_at=None)
                | ~Q(receipt="") & Q(receipted_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.package} {self.dataset}"


class UpperDataset(models.Model):
    """An entry of a catalogue above, brought in by file and never changed here.

    `is_standing` turns false when the last whole file no longer had it. `our_code` names the entry
    of ours that it came of, where the file says so.
    """

    level = models.CharField(_("上级"), max_length=10, choices=UpperLevel)
    code = models.CharField(_("上级目录代码"), max_length=100)
    name = models.CharField(_("目录名称"), max_length=200)
    provider_name = models.CharField(_("提供部门"), max_length=100, blank=True)
    abstract = models.TextField(_("摘要"), blank=True)
    items = ArrayField(
        models.CharField(max_length=200), verbose_name=_("数据项"), default=list, blank=True
    )
    attribute = models.CharField(_("共享属性"), max_length=60, blank=True)
    cycle = models.CharField(_("更新周期"), max_length=60, blank=True)
    our_code = models.CharField(_("本市目录代码"), max_length=60, blank=True)
    is_standing = models.BooleanField(_("在用"), default=True)
    imported_at = models.DateTimeField(_("导入时间"))

    class Meta:
        verbose_name = _("上级目录")
        verbose_name_plural = _("上级目录")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("level", "code"), name="catalog_upperdataset_code_once_a_level"
            ),
        )

    def __str__(self) -> str:
        return self.name


class UpperRequestStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    AWAITING_HEAD = "awaiting_head", _("待本部门审批")
    RETURNED = "returned", _("已退回")
    FILED = "filed", _("待主管部门转报")
    FORWARDED = "forwarded", _("已转报上级")
    AGREED = "agreed", _("上级已同意")
    REFUSED = "refused", _("上级未同意")
    DELIVERED = "delivered", _("已取得")
    CLOSED = "closed", _("已办结")
    WITHDRAWN = "withdrawn", _("已撤回")


class UpperRequest(Governed):
    """A department asks for data of a level above; the authority forwards it and keeps the answers.

    What happens above is told by people: the number, the status in the words used there, its day.
    """

    Status = UpperRequestStatus

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    succession_open: ClassVar[Q] = ~Q(status__in=("refused", "closed", "withdrawn"))
    handover: ClassVar[dict[str, Q | None]] = {
        "drafted_by": ~Q(status__in=("refused", "closed", "withdrawn"))
    }

    number = models.CharField(_("申请编号"), max_length=20, unique=True, editable=False)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="upper_requests", verbose_name=_("申请部门")
    )
    upper_dataset = models.ForeignKey(
        UpperDataset, models.PROTECT, related_name="requests", verbose_name=_("上级目录")
    )
    scenario = models.TextField(_("使用场景"))
    basis = models.TextField(_("使用依据"))
    items = models.TextField(_("需要的数据项"), blank=True)
    contact_name = models.CharField(_("联系人"), max_length=50)
    contact_phone = models.CharField(_("联系电话"), max_length=40)
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        editable=False,
        related_name="+",
        verbose_name=_("经办人"),
    )
    status = models.CharField(
        _("状态"),
        max_length=16,
        choices=UpperRequestStatus,
        default=UpperRequestStatus.DRAFT,
        editable=False,
    )
    remark = models.TextField(_("审核意见"), blank=True, editable=False)
    outside_number = models.CharField(_("上级受理编号"), max_length=100, blank=True)
    outside_status = models.CharField(_("上级办理情况"), max_length=200, blank=True)
    outside_on = models.DateField(_("上级办理日期"), null=True, blank=True)
    filed_at = models.DateTimeField(_("报送时间"), null=True, blank=True, editable=False)
    forwarded_at = models.DateTimeField(_("转报时间"), null=True, blank=True, editable=False)
    answered_at = models.DateTimeField(_("答复登记时间"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True, editable=False)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("上级数据申请")
        verbose_name_plural = _("上级数据申请")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="catalog_upperrequest_filed_has_time",
                condition=~Q(status="filed") | Q(filed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_upperrequest_forwarded_has_time",
                condition=Q(
                    status__in=("forwarded", "agreed", "refused", "delivered", "closed"),
                    filed_at__isnull=False,
                    forwarded_at__isnull=False,
                    outside_on__isnull=False,
                )
                | ~Q(status__in=("forwarded", "agreed", "refused", "delivered", "closed"))
                & Q(forwarded_at=None, outside_on=None),
            ),
            models.CheckConstraint(
                name="catalog_upperrequest_answered_has_time",
                condition=Q(
                    status__in=("agreed", "refused", "delivered", "closed"),
                    answered_at__isnull=False,
                )
                | ~Q(status__in=("agreed", "refused", "delivered", "closed")) & Q(answered_at=None),
            ),
            models.CheckConstraint(
                name="catalog_upperrequest_closed_has_time",
                condition=Q(status="closed", closed_at__isnull=False)
                | ~Q(status="closed") & Q(closed_at=None),
            ),
        )

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("catalog:upper-request", args=[self.pk])
