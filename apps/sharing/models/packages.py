"""One matter (一件事) that needs data of several departments, and what was put aside to ask for."""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.sharing.models.grants import LIVE
from apps.sharing.models.requests import Mode, SharingRequest

OPEN_PARTS: Final = tuple(
    status
    for status in SharingRequest.Status.values
    if status not in ("delivered", "refused", "withdrawn")
)


class RequestPackage(models.Model):
    """What the requests of one matter have in common, written once.

    Each entry that is asked for is a request of its own (`parts`), with its provider and its clock;
    the package has no status beside theirs. What is changed here is written into the parts that
    have not been sent yet.

    Source: house rule (issue 5: request package); 《政务数据共享条例》第二十条 for the statements
    """

    # Open while one of its parts is (see there), and before it has one.
    succession: ClassVar[dict[str, str]] = {"consumer": "moves"}
    succession_open: ClassVar[Q] = (
        Q(parts=None) | Q(parts__status__in=OPEN_PARTS) | Q(parts__grant__status__in=LIVE)
    )
    handover: ClassVar[dict[str, Q | None]] = {"applicant": None}

    number = models.CharField(_("编号"), max_length=20, unique=True)
    title = models.CharField(
        _("事项名称"), max_length=200, help_text=_("要办成的一件事，如“新生儿出生一件事”。")
    )
    service_item = models.ForeignKey(
        "catalog.ServiceItem",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="request_packages",
        verbose_name=_("政务服务事项"),
    )
    consumer = models.ForeignKey(
        "accounts.Department",
        on_delete=models.PROTECT,
        related_name="request_packages",
        verbose_name=_("使用部门"),
    )
    system = models.ForeignKey(
        "accounts.InformationSystem",
        on_delete=models.PROTECT,
        related_name="request_packages",
        verbose_name=_("使用系统"),
    )
    basis = models.TextField(_("使用依据"), blank=True)
    scenario = models.TextField(_("使用场景"), blank=True)
    scope = models.TextField(_("使用范围"), blank=True)
    mode = models.CharField(
        _("共享方式"), max_length=10, choices=Mode.choices, default=Mode.INTERFACE
    )
    starts_on = models.DateField(_("使用开始日期"), null=True, blank=True)
    ends_on = models.DateField(_("使用截止日期"), null=True, blank=True)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("经办人"),
    )
    revision = models.PositiveIntegerField(_("修订号"), default=1, editable=False)
    created_at = models.DateTimeField(_("创建时间"), editable=False)
    updated_at = models.DateTimeField(_("更新时间"), editable=False)

    class Meta:
        verbose_name = _("一件事申请")
        verbose_name_plural = _("一件事申请")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(name="sharing_requestpackage_titled", condition=~Q(title="")),
            models.CheckConstraint(
                name="sharing_requestpackage_ends_after_start",
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gt=F("starts_on")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.title}（{self.number}）"


class BasketEntry(models.Model):
    """An entry of the catalogue that a person put aside to ask for together with others (数据篮).

    Source: house rule (issue 5: requests for several datasets in one file)
    """

    handover: ClassVar[dict[str, Q | None]] = {"owner": None}

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="basket",
        verbose_name=_("本人"),
    )
    dataset = models.ForeignKey(
        "catalog.Dataset",
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("数据目录"),
    )
    added_at = models.DateTimeField(_("加入时间"))

    class Meta:
        verbose_name = _("数据篮条目")
        verbose_name_plural = _("数据篮")
        ordering = ("added_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("owner", "dataset"), name="sharing_basketentry_once_a_person"
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner_id}:{self.dataset_id}"
