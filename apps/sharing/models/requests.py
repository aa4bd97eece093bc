"""What a department asks for, and the papers that go with it."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.core.models import Governed
from apps.sharing.models.limits import Limited, limit_constraints

if TYPE_CHECKING:
    from apps.sharing.models.grants import Grant


class Mode(models.TextChoices):
    """How the consumer receives the data; by verification it receives none, only yes or no.

    Source: 《政务数据共享条例》第二十二条
    """

    INTERFACE = "interface", _("服务接口")
    BATCH = "batch", _("批量交换")
    FILE = "file", _("文件下载")
    DATABASE = "database", _("数据库交换")
    VERIFY = "verify", _("核验")


class SharingRequest(Limited, Governed):
    """A department asks for items and rows of a dataset, for one of its systems.

    Basis, scenario, scope, mode and period are what the regulation demands of every request; the
    requester vouches for truth, legality and necessity.

    grant, grant_version: the version of the grant that was made of it. Agreed, with a grant and no
    version yet: it waits to become the grant's next one.

    Source: 《政务数据共享条例》第二十条
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("草稿")
        AWAITING_HEAD = "awaiting_head", _("待本部门审批")
        HEAD_RETURNED = "head_returned", _("退回修改")
        DISTRICT_REVIEW = "district_review", _("区县主管部门审核")
        FORM_CHECK = "form_check", _("形式审查")
        SUPPLEMENT = "supplement", _("待补正")
        REVIEWING = "reviewing", _("审核中")
        AWAITING_SECOND_REVIEW = "awaiting_second_review", _("待复核")
        AWAITING_SIGNATURE = "awaiting_signature", _("待签发")
        AGREED = "agreed", _("已同意待交付")
        DELIVERED = "delivered", _("已交付")
        REFUSED = "refused", _("不予共享")
        WITHDRAWN = "withdrawn", _("已撤回")

    class Proposal(models.TextChoices):
        NONE = "", _("尚无处理意见")
        AGREE = "agree", _("同意")
        NARROW = "narrow", _("部分同意")
        REFUSE = "refuse", _("不予共享")

    # What is closed keeps the old name, unless its grant is still alive.
    succession: ClassVar[dict[str, str]] = {"consumer": "moves"}
    succession_open: ClassVar[Q] = ~Q(status__in=("delivered", "refused", "withdrawn")) | Q(
        grant__status__in=("delivering", "in_force", "suspended")
    )
    handover: ClassVar[dict[str, Q | None]] = {
        "applicant": ~Q(status__in=("delivered", "refused", "withdrawn")),
        "proposed_by": None,
        "approved_by": None,
        "decided_by": None,
    }

    number = models.CharField(_("申请编号"), max_length=20, unique=True)
    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.PROTECT,
        related_name="sharing_requests",
        verbose_name=_("数据目录"),
    )
    consumer = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="sharing_requests",
        verbose_name=_("使用部门"),
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="sharing_requests",
        verbose_name=_("使用系统"),
    )
    demand = models.ForeignKey(
        "catalog.Demand",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sharing_requests",
        verbose_name=_("所依据的需求"),
    )
    package = models.ForeignKey(
        "sharing.RequestPackage",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="parts",
        verbose_name=_("所属一件事申请"),
    )
    previous = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="asked_again",
        verbose_name=_("此前被拒绝的申请"),
    )
    basis = models.TextField(_("使用依据"), blank=True)
    scenario = models.TextField(_("使用场景"), blank=True)
    scope = models.TextField(_("使用范围"), blank=True)
    mode = models.CharField(
        _("共享方式"), max_length=10, choices=Mode.choices, default=Mode.INTERFACE
    )
    starts_on = models.DateField(_("使用开始日期"), null=True, blank=True)
    ends_on = models.DateField(_("使用截止日期"), null=True, blank=True)
    vouched = models.BooleanField(_("承诺申请真实、合法、必要"), default=False)
    items = models.ManyToManyField(
        "catalog.DataItem",
        through="RequestedItem",
        related_name="sharing_requests",
        verbose_name=_("申请数据项"),
    )
    row_condition = models.JSONField(_("数据范围条件"), default=list, blank=True)
    status = models.CharField(
        _("状态"), max_length=24, choices=Status.choices, default=Status.DRAFT
    )
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="sharing_requests",
        verbose_name=_("经办人"),
    )
    submitted_at = models.DateTimeField(_("提交时间"), null=True, blank=True)
    received_at = models.DateTimeField(_("提供部门收到时间"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("本部门审批人"),
    )
    supplement_asked_at = models.DateTimeField(_("补正通知时间"), null=True, blank=True)
    supplement_notice = models.TextField(_("补正内容"), blank=True)
    supplement_answer = models.TextField(_("补正说明"), blank=True)
    proposal = models.CharField(
        _("处理意见"), max_length=10, choices=Proposal.choices, default="", blank=True
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("审核人"),
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("签发人"),
    )
    decided_at = models.DateTimeField(_("答复时间"), null=True, blank=True)
    decision_reason = models.TextField(_("答复理由"), blank=True)
    legal_basis = models.TextField(_("不予共享的依据"), blank=True)
    is_automatic = models.BooleanField(_("自动授权"), default=False)
    delivered_at = models.DateTimeField(_("交付时间"), null=True, blank=True)
    # Read where there is one: of what was agreed.
    grant: "models.ForeignKey[Grant | None, Grant]" = models.ForeignKey(  # type: ignore[misc]
        "sharing.Grant",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="requests",
        verbose_name=_("授权"),
    )
    grant_version = models.PositiveIntegerField(_("授权版本"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("共享申请")
        verbose_name_plural = _("共享申请")
        ordering = ("-id",)
        constraints = (
            *limit_constraints("sharing_sharingrequest"),
            models.CheckConstraint(
                name="sharing_sharingrequest_period_in_order",
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gt=F("starts_on")),
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_decision_whole",
                condition=Q(decided_at=None, decided_by=None, is_automatic=False)
                | Q(decided_at__isnull=False, decided_by=None, is_automatic=True)
                | Q(
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                    is_automatic=False,
                ),
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_refusal_has_reason",
                condition=~Q(status="refused") | ~Q(decision_reason="") & ~Q(legal_basis=""),
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_previous_is_another",
                condition=Q(previous=None) | ~Q(previous=F("id")),
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_received_is_vouched",
                condition=Q(received_at=None) | Q(vouched=True),
            ),
            models.UniqueConstraint(
                fields=("package", "dataset"),
                condition=~Q(status__in=("withdrawn", "refused")),
                name="sharing_sharingrequest_once_a_package",
            ),
            models.UniqueConstraint(
                fields=("grant", "grant_version"), name="sharing_sharingrequest_one_a_version"
            ),
            models.UniqueConstraint(
                fields=("grant",),
                condition=Q(grant_version=None),
                name="sharing_sharingrequest_one_waiting_a_grant",
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_version_is_of_a_grant",
                condition=Q(grant_version=None) | Q(grant__isnull=False),
            ),
            models.CheckConstraint(
                name="sharing_sharingrequest_delivered_is_a_version",
                condition=~Q(status="delivered") | Q(grant_version__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("status", "-id"), name="sharing_request_status"),
            models.Index(fields=("consumer", "status"), name="sharing_request_consumer"),
        )

    def __str__(self) -> str:
        return self.number


class RequestedItem(models.Model):
    """One item of a request, with the mask under which it would be given ("" is plain text)."""

    request = models.ForeignKey(
        SharingRequest, on_delete=models.CASCADE, related_name="requested_items"
    )
    item = models.ForeignKey(
        "catalog.DataItem", on_delete=models.PROTECT, related_name="requested_items"
    )
    mask = models.CharField(_("脱敏方式"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("申请数据项")
        verbose_name_plural = _("申请数据项")
        ordering = ("item__position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("request", "item"), name="sharing_requesteditem_once_a_request"
            ),
        )

    def __str__(self) -> str:
        return f"{self.request_id}:{self.item_id}"


class Attachment(models.Model):
    """A scanned letter or other paper of a request, or the number of one kept elsewhere."""

    class Kind(models.TextChoices):
        LETTER = "letter", _("申请函")
        STATUTE = "statute", _("依据文件")
        SUPPLEMENT = "supplement", _("补正材料")
        REPLY = "reply", _("复函")
        OTHER = "other", _("其他")

    handover: ClassVar[dict[str, Q | None]] = {"added_by": None}

    request = models.ForeignKey(
        SharingRequest, on_delete=models.CASCADE, related_name="attachments"
    )
    kind = models.CharField(_("类型"), max_length=12, choices=Kind.choices, default=Kind.LETTER)
    title = models.CharField(_("标题"), max_length=200)
    document_number = models.CharField(_("文号"), max_length=100, blank=True)
    file = models.FileField(
        _("文件"), upload_to="sharing/attachments/%Y/", blank=True, max_length=200
    )
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    is_common = models.BooleanField(_("一件事共用"), default=False)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("上传人"),
    )
    added_at = models.DateTimeField(_("上传时间"))

    class Meta:
        verbose_name = _("附件")
        verbose_name_plural = _("附件")
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                name="sharing_attachment_has_file_or_number",
                condition=~Q(file="") | ~Q(document_number=""),
            ),
        )

    def __str__(self) -> str:
        return self.title
