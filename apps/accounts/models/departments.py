"""Departments and their sharing offices."""

from datetime import date
from typing import ClassVar

from django.contrib.auth.models import Group
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models.regions import Region


class DepartmentQuerySet(models.QuerySet["Department"]):
    def in_force(self, day: date) -> "DepartmentQuerySet":
        """Keep the departments that exist on that day."""
        return self.filter(
            Q(valid_from=None) | Q(valid_from__lte=day),
            Q(valid_to=None) | Q(valid_to__gt=day),
        )


class DepartmentManager(models.Manager.from_queryset(DepartmentQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, code: str) -> "Department":
        found: Department = self.get(code=code)
        return found


class Department(models.Model):
    """A body that provides or uses data, valid in time.

    `group` carries its rights on objects. `valid_to` is the first day on which it no longer exists.
    A reform never renames the row: the old name belongs to the past figures.
    """

    class Category(models.TextChoices):
        GOVERNMENT = "government", _("政府部门")
        PARTY = "party", _("党委部门")
        CONGRESS = "congress", _("人大机关")
        CONSULTATIVE = "consultative", _("政协机关")
        JUDICIAL = "judicial", _("法院检察院")
        MASS_ORGANISATION = "mass_organisation", _("群团组织")
        CENTRAL_UNIT = "central_unit", _("中央在渝单位")
        INSTITUTION = "institution", _("事业单位")
        PUBLIC_SERVICE = "public_service", _("公共服务企事业单位")

    code = models.SlugField(_("部门编码"), unique=True)
    name = models.CharField(_("名称"), max_length=100)
    short_name = models.CharField(_("简称"), max_length=50, blank=True)
    uscc = models.CharField(_("统一社会信用代码"), max_length=18, blank=True)
    category = models.CharField(
        _("类别"), max_length=20, choices=Category.choices, default=Category.GOVERNMENT
    )
    parent = models.ForeignKey(
        "self",
        verbose_name=_("上级部门"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    region = models.ForeignKey(
        Region,
        verbose_name=_("所属区划"),
        on_delete=models.PROTECT,
        related_name="departments",
    )
    is_authority = models.BooleanField(_("政务数据主管部门"), default=False)
    is_bound = models.BooleanField(
        _("适用条例时限"),
        default=True,
        help_text=_("政府部门适用《政务数据共享条例》的时限；其他单位的时限仅供参照"),
    )
    group = models.OneToOneField(
        Group,
        verbose_name=_("权限组"),
        on_delete=models.PROTECT,
        related_name="department",
    )
    valid_from = models.DateField(_("设立日期"), null=True, blank=True)
    valid_to = models.DateField(_("撤销日期"), null=True, blank=True)

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))
    objects = DepartmentManager()

    succession: ClassVar[dict[str, str]] = {"parent": "moves"}

    class Meta:
        verbose_name = _("部门")
        verbose_name_plural = _("部门")
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(
                name="accounts_department_ends_after_it_begins",
                violation_error_message=_("撤销日期应晚于设立日期"),
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
            ),
            models.CheckConstraint(
                name="accounts_department_is_not_its_own_parent",
                violation_error_message=_("上级部门不能是本部门"),
                condition=Q(parent=None) | ~Q(parent=F("id")),
            ),
            models.CheckConstraint(
                name="accounts_department_uscc_form",
                violation_error_message=_("统一社会信用代码应为 18 位数字或大写字母"),
                condition=Q(uscc="") | Q(uscc__regex=r"^[0-9A-Z]{18}$"),
            ),
            models.UniqueConstraint(
                name="accounts_department_uscc_once_in_force",
                violation_error_message=_("该统一社会信用代码已有部门使用"),
                fields=["uscc"],
                condition=Q(valid_to=None) & ~Q(uscc=""),
            ),
            models.UniqueConstraint(
                name="accounts_department_one_authority_per_region",
                violation_error_message=_("该区划已有政务数据主管部门"),
                fields=["region"],
                condition=Q(valid_to=None, is_authority=True),
            ),
        )

    def __str__(self) -> str:
        return self.short_name or self.name

    def natural_key(self) -> tuple[str]:
        return (self.code,)

    natural_key.dependencies = ("accounts.region",)  # type: ignore[attr-defined]

    def is_in_force(self, day: date) -> bool:
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)


class SharingOffice(models.Model):
    """The office that every department names for sharing, with the head who signs.

    Source: 《政务数据共享条例》第十一条、第二十条
    """

    department = models.OneToOneField(
        Department,
        verbose_name=_("部门"),
        on_delete=models.PROTECT,
        related_name="sharing_office",
    )
    name = models.CharField(_("机构名称"), max_length=100)
    head = models.ForeignKey(
        "accounts.User",
        verbose_name=_("负责人"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    phone = models.CharField(_("联系电话"), max_length=30, blank=True)

    # The successor names an office of its own; the old one stays with the old department's record.
    succession: ClassVar[dict[str, str]] = {"department": "stays"}
    handover: ClassVar[dict[str, Q | None]] = {"head": Q(department__valid_to=None)}

    class Meta:
        verbose_name = _("政务数据共享工作机构")
        verbose_name_plural = _("政务数据共享工作机构")
        ordering = ("department",)

    def __str__(self) -> str:
        return self.name
