"""What a password must be: long enough, mixed, not one of the last five.

Source: GB/T 22239-2019 第三级身份鉴别
"""

from typing import Any

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import PasswordHistory, User

REMEMBERED = 5


class LongEnough:
    """At least eight characters."""

    def __init__(self, minimum: int = 8) -> None:
        self.minimum = minimum

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < self.minimum:
            raise ValidationError(
                _("密码至少 %(minimum)d 位") % {"minimum": self.minimum}, code="password_too_short"
            )

    def get_help_text(self) -> str:
        return _("至少 %(minimum)d 位") % {"minimum": self.minimum}


class ThreeClasses:
    """At least three of: capitals, small letters, digits, other characters."""

    def validate(self, password: str, user: Any = None) -> None:
        if len({_class_of(character) for character in password}) < 3:
            raise ValidationError(str(self.get_help_text()), code="password_too_plain")

    def get_help_text(self) -> str | Promise:
        return gettext_lazy("须包含大写字母、小写字母、数字、其他符号中的至少三类")


def _class_of(character: str) -> str:
    if character.isupper():
        return "upper"
    if character.islower():
        return "lower"
    return "digit" if character.isdigit() else "other"


class NotTheLastFive:
    """None of the last five passwords; keeps the hashes and the day of the change.

    Django calls `password_changed` after every change that went through `set_password` and `save`,
    whichever page or command made it. It hands over no time, so the clock is read here.
    """

    def validate(self, password: str, user: Any = None) -> None:
        if not isinstance(user, User) or not user.pk:
            return
        hashes = list(user.former_passwords.values_list("hash", flat=True)[:REMEMBERED])
        if any(check_password(password, former) for former in {user.password, *hashes} if former):
            raise ValidationError(str(self.get_help_text()), code="password_used_before")

    def password_changed(self, password: str, user: Any = None) -> None:
        if not isinstance(user, User) or not user.has_usable_password():
            return
        at = timezone.now()
        PasswordHistory.objects.create(user=user, hash=user.password, changed_at=at)
        kept = user.former_passwords.values_list("pk", flat=True)[:REMEMBERED]
        user.former_passwords.exclude(pk__in=list(kept)).delete()
        User.objects.filter(pk=user.pk).update(password_changed_at=at)
        user.password_changed_at = at

    def get_help_text(self) -> str:
        return _("不得与最近 %(count)d 次使用过的密码相同") % {"count": REMEMBERED}
