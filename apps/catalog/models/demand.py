"""What a department needs and does not have: its demand, and the entries that may meet it."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department, InformationSystem, Region
from apps.catalog.models.choices import ModeType, UpdateCycle
from apps.catalog.models.dataset import Dataset
from apps.core.models import Governed

DEMAND_OVER = ("refused", "closed", "withdrawn")


class DemandStatus(models.TextChoices):
    DRAFT = "draft", _("草稿")
    AWAITING_HEAD = "awaiting_head", _("待本部门审批")
    RETURNED = "returned", _("已退回")
    SUBMITTED = "submitted", _("待主管部门审核")
    FORWARDED = "forwarded", _("待提供部门答复")
    AWAITING_SIGNATURE = "awaiting_signature", _("待签发答复")
    AGREED = "agreed", _("已同意待落实")
    REQUESTED = "requested", _("已转共享申请")
    FULFILLED = "fulfilled", _("已满足")
    REFUSED = "refused", _("不予提供")
    CLOSED = "closed", _("已办结")
    WITHDRAWN = "withdrawn", _("已撤回")


class DemandOutcome(models.TextChoices):
    """By what a demand is met."""

    NONE = "", _("尚无结果")
    EXISTING = "existing", _("已有目录满足")
    NEW_ENTRY = "new_entry", _("新编目录")
    MORE_ITEMS = "more_items", _("已有目录增加数据项")


class DemandReply(models.TextChoices):
    """What the provider is about to answer, until its head signs."""

    NONE = "", _("尚无答复意见")
    AGREE = "agree", _("同意提供")
    REFUSE = "refuse", _("不予提供")
    DISOWN = "disown", _("不属本部门职责")


class Demand(Governed):
    """A department says which data it needs and for what; the authority finds who can provide it.

    Source: 《政务数据共享条例》第二十条
    """

    Status = DemandStatus
    Outcome = DemandOutcome
    Reply = DemandReply

    # What is over keeps the old names.
    succession: ClassVar[dict[str, str]] = {"department": "moves", "provider": "moves"}
    succession_open: ClassVar[Q] = ~Q(status__in=DEMAND_OVER)
    handover: ClassVar[dict[str, Q | None]] = {
        "drafted_by": ~Q(status__in=DEMAND_OVER),
        "proposed_by": None,
        "decided_by": None,
    }

    number = models.CharField(_("需求编号"), max_length=20, unique=True, editable=False)
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        related_name="demands",
        verbose_name=_("需求部门"),
    )
    title = models.CharField(
        _("需求名称"), max_length=80, help_text=_("写明需要什么数据，如“低保对象基本信息”。")
    )
    scenario = models.TextField(
        _("使用场景"), blank=True, help_text=_("办理什么事项时、怎样使用这些数据。")
    )
    basis = models.TextField(
        _("使用依据"), blank=True, help_text=_("法律、法规、规章或者三定职责的名称和条款。")
    )
    wanted_items = models.JSONField(_("需要的数据项"), default=list, blank=True)
    scope = models.TextField(
        _("数据范围"), blank=True, help_text=_("涉及哪些对象、哪段时间的数据。")
    )
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("涉及区划"),
        help_text=_("只需要某个区县的数据时选择；全市的不选。"),
    )
    update_cycle = models.CharField(
        _("希望的更新周期"), max_length=20, choices=UpdateCycle, blank=True
    )
    mode = models.CharField(_("希望的共享方式"), max_length=20, choices=ModeType, blank=True)
    needed_by = models.DateField(_("希望取得日期"), null=True, blank=True)
    ends_on = models.DateField(
        _("使用截止日期"),
        null=True,
        blank=True,
        help_text=_("转为共享申请时作为使用时限。"),
    )
    system = models.ForeignKey(
        InformationSystem,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="demands",
        verbose_name=_("使用系统"),
    )
    provider = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="demands_to_answer",
        verbose_name=_("提供部门"),
        help_text=_("知道由谁掌握时填写；由主管部门审核确定。"),
    )
    contact_name = models.CharField(_("联系人"), max_length=50, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=40, blank=True)
    split_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="parts",
        verbose_name=_("拆分自"),
    )
    status = models.CharField(
        _("状态"), max_length=20, choices=DemandStatus, default=DemandStatus.DRAFT, editable=False
    )
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        editable=False,
        related_name="+",
        verbose_name=_("经办人"),
    )
    remark = models.TextField(_("审核意见"), blank=True, editable=False)
    received_at = models.DateTimeField(_("主管部门收到时间"), null=True, blank=True, editable=False)
    forwarded_at = models.DateTimeField(_("转交时间"), null=True, blank=True, editable=False)
    proposal = models.CharField(
        _("答复意见"), max_length=10, choices=DemandReply, blank=True, editable=False
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("答复拟稿人"),
    )
    reply = models.TextField(_("答复"), blank=True, editable=False)
    legal_basis = models.TextField(_("不予提供的依据"), blank=True, editable=False)
    promised_on = models.DateField(_("承诺提供日期"), null=True, blank=True, editable=False)
    outcome = models.CharField(
        _("满足方式"), max_length=12, choices=DemandOutcome, blank=True, editable=False
    )
    dataset = models.ForeignKey(
        Dataset,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="demands",
        verbose_name=_("满足需求的目录"),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("答复签发人"),
    )
    decided_at = models.DateTimeField(_("答复时间"), null=True, blank=True, editable=False)
    objection = models.TextField(_("异议"), blank=True, editable=False)
    fulfilled_at = models.DateTimeField(_("满足时间"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("办结时间"), null=True, blank=True, editable=False)
    matched_at = models.DateTimeField(_("查找目录时间"), null=True, blank=True, editable=False)

    history = HistoricalRecords(
        excluded_fields=["matched_at"],
        history_change_reason_field=models.TextField(null=True),
    )

    class Meta:
        verbose_name = _("数据需求")
        verbose_name_plural = _("数据需求")
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("status", "-id"), name="catalog_demand_by_status"),
            models.Index(fields=("department", "status"), name="catalog_demand_by_department"),
            models.Index(fields=("provider", "status"), name="catalog_demand_by_provider"),
        )
        constraints = (
            models.CheckConstraint(
                name="catalog_demand_decision_whole",
                condition=Q(decided_at=None, decided_by=None)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_demand_refusal_has_reason",
                condition=~Q(status="refused") | ~Q(reply="") & ~Q(legal_basis=""),
            ),
            models.CheckConstraint(
                name="catalog_demand_forwarded_has_provider",
                condition=~Q(status__in=("forwarded", "awaiting_signature", "agreed"))
                | Q(provider__isnull=False, forwarded_at__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_demand_agreed_has_day",
                condition=~Q(status="agreed") | Q(promised_on__isnull=False) & ~Q(outcome=""),
            ),
            models.CheckConstraint(
                name="catalog_demand_met_has_dataset",
                condition=~Q(status__in=("requested", "fulfilled")) | Q(dataset__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_demand_received_when_reviewed",
                condition=~Q(status__in=("submitted", "forwarded", "awaiting_signature", "agreed"))
                | Q(received_at__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_demand_fulfilled_has_time",
                condition=Q(status="fulfilled", fulfilled_at__isnull=False)
                | Q(status="closed")
                | ~Q(status__in=("fulfilled", "closed")) & Q(fulfilled_at=None),
            ),
            models.CheckConstraint(
                name="catalog_demand_closed_has_time",
                condition=Q(status="closed", closed_at__isnull=False)
                | ~Q(status="closed") & Q(closed_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"

    def get_absolute_url(self) -> str:
        return reverse("catalog:demand", args=[self.pk])

    @property
    def item_names(self) -> list[str]:
        return [item["name"] for item in self.wanted_items]


class DemandMatch(models.Model):
    """An entry in force that may meet a demand, why it is thought so, and what people decided.

    What was declined is not proposed again.

    Units: `score` is 0–1.
    Source: 《政务数据共享条例》第二十条 (supply and demand are matched); the score is a house rule
    """

    class Decision(models.TextChoices):
        OPEN = "", _("待确认")
        ACCEPTED = "accepted", _("采用")
        DECLINED = "declined", _("不采用")

    handover: ClassVar[dict[str, Q | None]] = {"decided_by": None}

    demand = models.ForeignKey(
        Demand, models.CASCADE, related_name="matches", verbose_name=_("数据需求")
    )
    dataset = models.ForeignKey(
        Dataset, models.PROTECT, related_name="demand_matches", verbose_name=_("数据目录")
    )
    score = models.FloatField(
        _("匹配度"), validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    words = ArrayField(
        models.CharField(max_length=80), verbose_name=_("名称中相同的词"), default=list
    )
    found_items = ArrayField(
        models.CharField(max_length=200), verbose_name=_("已有的数据项"), default=list
    )
    missing_items = ArrayField(
        models.CharField(max_length=200), verbose_name=_("没有的数据项"), default=list
    )
    proposed_at = models.DateTimeField(_("提出时间"))
    decision = models.CharField(_("意见"), max_length=10, choices=Decision, blank=True)
    reason = models.TextField(_("理由"), blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("确认人"),
    )
    decided_at = models.DateTimeField(_("确认时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("供需匹配")
        verbose_name_plural = _("供需匹配")
        ordering = ("-score", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("demand", "dataset"), name="catalog_demandmatch_once_a_demand"
            ),
            models.CheckConstraint(
                name="catalog_demandmatch_score_is_ratio",
                condition=Q(score__gte=0) & Q(score__lte=1),
            ),
            models.CheckConstraint(
                name="catalog_demandmatch_decision_whole",
                condition=Q(decision="", decided_at=None, decided_by=None)
                | ~Q(decision="") & Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_demandmatch_declined_has_reason",
                condition=~Q(decision="declined") | ~Q(reason=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.demand.number} ↔ {self.dataset}"

    @property
    def percent(self) -> int:
        return round(self.score * 100)
