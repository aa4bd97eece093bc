"""Information systems: what reads and pushes data on a department's behalf."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models.departments import Department
from apps.accounts.models.people import User
from apps.core.models import Governed


class InformationSystemManager(models.Manager["InformationSystem"]):
    def in_service(self) -> "models.QuerySet[InformationSystem]":
        """Return the systems that may act: not retired, and their service user is active."""
        retired = InformationSystem.Status.RETIRED
        return self.filter(service_user__is_active=True).exclude(status=retired)


class InformationSystem(Governed):
    """A department's system; it acts through its passwordless service user."""

    class Status(models.TextChoices):
        BUILDING = "building", _("在建")
        RUNNING = "running", _("运行")
        RETIRED = "retired", _("停用")

    code = models.CharField(_("系统编码"), max_length=20, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    purpose = models.CharField(_("用途"), max_length=300, blank=True)
    department = models.ForeignKey(
        Department,
        verbose_name=_("主管部门"),
        on_delete=models.PROTECT,
        related_name="information_systems",
    )
    service_user = models.OneToOneField(
        User,
        verbose_name=_("服务账号"),
        on_delete=models.PROTECT,
        related_name="information_system",
    )
    status = models.CharField(
        _("状态"),
        max_length=10,
        choices=Status.choices,
        default=Status.BUILDING,
        editable=False,
    )
    built_on = models.DateField(_("建成日期"), null=True, blank=True)
    protection_level = models.PositiveSmallIntegerField(
        _("等级保护级别"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(5)],
    )
    contact_name = models.CharField(_("联系人"), max_length=50, blank=True)
    contact_phone = models.CharField(_("联系电话"), max_length=30, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {"service_user": None}

    objects = InformationSystemManager()

    class Meta:
        verbose_name = _("信息系统")
        verbose_name_plural = _("信息系统")
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                name="accounts_informationsystem_code_form",
                condition=Q(code__regex=r"^S-[0-9]{4,}$"),
            ),
            models.CheckConstraint(
                name="accounts_informationsystem_protection_level_1_to_5",
                condition=Q(protection_level=None) | Q(protection_level__range=(1, 5)),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}（{self.code}）"

    def is_in_service(self) -> bool:
        """Say of one system what `in_service` asks of all."""
        return self.status != self.Status.RETIRED and self.service_user.is_active
