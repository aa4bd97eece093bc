"""Roles, who holds them, and who stands in for whom."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.people import User

# Nobody may hold two of these at once.
SEPARATED_ROLES = ("system_admin", "security_admin", "audit_admin")


class RoleManager(models.Manager["Role"]):
    def get_by_natural_key(self, code: str) -> "Role":
        return self.get(code=code)


class Role(models.Model):
    """A part that people play; its code is what permissions ask for."""

    code = models.SlugField(_("编码"), primary_key=True)
    name = models.CharField(_("名称"), max_length=50)
    description = models.TextField(_("说明"))
    position = models.PositiveSmallIntegerField(_("次序"), default=0)

    objects = RoleManager()

    class Meta:
        verbose_name = _("角色")
        verbose_name_plural = _("角色")
        ordering = ("position", "code")

    def __str__(self) -> str:
        return self.name

    def natural_key(self) -> tuple[str]:
        return (self.code,)


class RoleAssignment(models.Model):
    """A role held by a person from one day to another (inclusive), given by somebody else."""

    user = models.ForeignKey(
        User,
        verbose_name=_("用户"),
        on_delete=models.PROTECT,
        related_name="role_assignments",
    )
    role = models.ForeignKey(
        Role,
        verbose_name=_("角色"),
        on_delete=models.PROTECT,
        related_name="assignments",
    )
    starts_on = models.DateField(_("起始日期"))
    ends_on = models.DateField(_("截止日期"), null=True, blank=True)
    assigned_by = models.ForeignKey(
        User,
        verbose_name=_("授予人"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("初始化系统时授予的角色没有授予人"),
    )
    assigned_at = models.DateTimeField(_("授予时间"), editable=False)
    revoked_by = models.ForeignKey(
        User,
        verbose_name=_("收回人"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    revoked_at = models.DateTimeField(_("收回时间"), null=True, blank=True)

    handover: ClassVar[dict[str, Q | None]] = {
        "user": None,  # a role is assigned anew, never inherited
        "assigned_by": None,
        "revoked_by": None,
    }

    class Meta:
        verbose_name = _("角色授予")
        verbose_name_plural = _("角色授予")
        ordering = ("user", "role", "starts_on")
        constraints = (
            models.CheckConstraint(
                name="accounts_roleassignment_ends_after_it_begins",
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="accounts_roleassignment_never_to_oneself",
                condition=Q(assigned_by=None) | ~Q(user=F("assigned_by")),
            ),
            models.CheckConstraint(
                name="accounts_roleassignment_revoked_by_and_at",
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
            # The core of PostgreSQL has no `=` for numbers in GiST, but it has overlapping ranges.
            ExclusionConstraint(
                name="accounts_roleassignment_administrators_separated",
                expressions=[
                    (
                        Func(F("user"), F("user"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            F("starts_on"),
                            F("ends_on"),
                            Value("[]"),
                            function="daterange",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(role__in=SEPARATED_ROLES, revoked_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} {self.role}"


class Delegation(models.Model):
    """A person's stand-in from one day to another (inclusive); the trail then says 代办."""

    principal = models.ForeignKey(
        User,
        verbose_name=_("委托人"),
        on_delete=models.PROTECT,
        related_name="delegations_given",
    )
    deputy = models.ForeignKey(
        User,
        verbose_name=_("代办人"),
        on_delete=models.PROTECT,
        related_name="delegations_held",
    )
    starts_on = models.DateField(_("起始日期"))
    ends_on = models.DateField(_("截止日期"))
    reason = models.CharField(_("事由"), max_length=200)
    delegated_by = models.ForeignKey(
        User, verbose_name=_("办理人"), on_delete=models.PROTECT, related_name="+"
    )
    delegated_at = models.DateTimeField(_("办理时间"), editable=False)
    revoked_by = models.ForeignKey(
        User,
        verbose_name=_("收回人"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    revoked_at = models.DateTimeField(_("收回时间"), null=True, blank=True)

    # A delegation of either side ends with him; disabling revokes it.
    handover: ClassVar[dict[str, Q | None]] = {
        "principal": None,
        "deputy": None,
        "delegated_by": None,
        "revoked_by": None,
    }

    class Meta:
        verbose_name = _("代办委托")
        verbose_name_plural = _("代办委托")
        ordering = ("-starts_on", "-pk")
        constraints = (
            models.CheckConstraint(
                name="accounts_delegation_never_to_oneself",
                condition=~Q(principal=F("deputy")),
            ),
            models.CheckConstraint(
                name="accounts_delegation_ends_after_it_begins",
                condition=Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="accounts_delegation_revoked_by_and_at",
                condition=Q(revoked_at=None, revoked_by=None)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.principal} → {self.deputy}"
