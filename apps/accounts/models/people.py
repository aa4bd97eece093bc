"""Users: everybody who acts is one, an information system as well."""

from datetime import date, datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models.departments import Department


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no superuser here, so nobody stands above the three administrators."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        fields.setdefault("joined_at", timezone.now())
        user = self.model(username=User.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person of a department, an information system, a citizen of the open portal, or a supplier.

    A supplier's engineer belongs to a firm, so to no department; `sharing.SupplierAccount` says to
    which system he is bound, and from when to when.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("工作人员")
        SERVICE = "service", _("信息系统")
        CITIZEN = "citizen", _("社会公众")
        SUPPLIER = "supplier", _("供应商")

    username = models.CharField(
        _("用户名"),
        max_length=150,
        unique=True,
        validators=[UnicodeUsernameValidator()],
        error_messages={"unique": _("该用户名已被使用")},
    )
    name = models.CharField(_("姓名"), max_length=50, blank=True)
    email = models.EmailField(_("电子邮箱"), blank=True)
    phone = models.CharField(_("联系电话"), max_length=30, blank=True)
    department = models.ForeignKey(
        Department,
        verbose_name=_("部门"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="users",
    )
    kind = models.CharField(_("类别"), max_length=10, choices=Kind.choices, default=Kind.PERSON)
    is_active = models.BooleanField(_("启用"), default=True)
    language = models.CharField(
        _("界面语言"),
        max_length=10,
        blank=True,
        choices=[("zh-hans", _("简体中文")), ("en", _("英文"))],
    )
    joined_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(_("停用时间"), null=True, blank=True, editable=False)
    password_changed_at = models.DateTimeField(
        _("密码更换时间"), null=True, blank=True, editable=False
    )
    login_key = models.CharField(_("当前登录"), max_length=32, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    succession: ClassVar[dict[str, str]] = {"department": "moves"}

    class Meta:
        verbose_name = _("用户")
        verbose_name_plural = _("用户")
        ordering = ("username",)
        constraints = (
            models.CheckConstraint(
                name="accounts_user_nobody_is_superuser",
                condition=Q(is_superuser=False),
            ),
            models.CheckConstraint(
                name="accounts_user_citizen_has_no_department",
                condition=~Q(kind="citizen") | Q(department=None),
            ),
            models.CheckConstraint(
                name="accounts_user_supplier_has_no_department",
                condition=~Q(kind="supplier") | Q(department=None),
            ),
            models.CheckConstraint(
                name="accounts_user_disabled_has_time",
                condition=Q(disabled_at=None) | Q(is_active=False),
            ),
        )

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def is_staff(self) -> bool:
        """Django's admin asks this; what a person sees there is decided by the scopes."""
        return self.is_active and self.kind == self.Kind.PERSON

    @property
    def is_confined(self) -> bool:
        """Whether the scopes admit him to the few pages of a supplier and to nothing else."""
        return self.kind == self.Kind.SUPPLIER

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return self.name or self.username

    def holds(self, *codes: str, on: date | None = None) -> bool:
        """Say whether he holds one of the roles himself on that day (today), no stand-in counted.

        The assignments are read once per instance.
        """
        day = on or timezone.localdate()
        return any(
            code in codes and starts_on <= day and (ends_on is None or day <= ends_on)
            for code, starts_on, ends_on in self._roles()
        )

    def principals(self, at: datetime) -> list["User"]:
        """Return the people for whom he stands in at that time; theirs are not passed on."""
        if self.pk is None:
            return []
        day = timezone.localtime(at).date()
        cached: dict[date, list[User]] = self.__dict__.setdefault("_principals_by_day", {})
        if day not in cached:
            cached[day] = list(
                User.objects.filter(
                    is_active=True,
                    delegations_given__deputy=self,
                    delegations_given__revoked_at=None,
                    delegations_given__starts_on__lte=day,
                    delegations_given__ends_on__gte=day,
                )
                .select_related("department")
                .distinct()
                .order_by("pk")
            )
        return cached[day]

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Forget the roles and principals read before, too."""
        self.forget_standing()
        super().refresh_from_db(*args, **kwargs)

    def forget_standing(self) -> Self:
        """Drop what `holds` and `principals` remember, after an operation changed it."""
        self.__dict__.pop("_role_spans", None)
        self.__dict__.pop("_principals_by_day", None)
        return self

    def _roles(self) -> list[tuple[str, date, date | None]]:
        if self.pk is None:
            return []
        if "_role_spans" not in self.__dict__:
            self.__dict__["_role_spans"] = list(
                self.role_assignments.filter(revoked_at=None).values_list(
                    "role_id", "starts_on", "ends_on"
                )
            )
        spans: list[tuple[str, date, date | None]] = self.__dict__["_role_spans"]
        return spans


class PasswordHistory(models.Model):
    """Former password hashes, so that none of the last five is taken again."""

    user = models.ForeignKey(
        User,
        verbose_name=_("用户"),
        on_delete=models.CASCADE,
        related_name="former_passwords",
    )
    hash = models.CharField(_("密码散列"), max_length=255, editable=False)
    changed_at = models.DateTimeField(_("更换时间"))

    handover: ClassVar[dict[str, Q | None]] = {"user": None}

    class Meta:
        verbose_name = _("历史密码")
        verbose_name_plural = _("历史密码")
        ordering = ("-changed_at", "-pk")

    def __str__(self) -> str:
        return f"{self.user_id} {self.changed_at:%Y-%m-%d}"
