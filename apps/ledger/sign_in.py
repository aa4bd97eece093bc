"""Signing in and out is recorded, the failed attempts and lock-outs too.

django-axes already hears all of them, from every sign-in page; this is its handler, so that no
signal receiver of ours is needed.

Source: GB/T 22239-2019 第三级安全审计
"""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.lockout import FiveInFive
from apps.accounts.models import User
from apps.ledger import operations as ledger


class RecordedSignIn(FiveInFive):
    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        ledger.record(user, "ledger.sign_in", user, at=timezone.now(), details=_origin(request))

    def user_logged_out(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        super().user_logged_out(sender, request, user, **kwargs)
        if user is not None and user.pk is not None:
            ledger.record(
                user, "ledger.sign_out", user, at=timezone.now(), details=_origin(request)
            )

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        super().user_login_failed(sender, credentials, request, **kwargs)
        name = str(credentials.get("username", ""))[:150]
        ledger.record_failed_sign_in(
            User.objects.filter(username=name).first(),
            name=name,
            at=timezone.now(),
            details={"message": _("用户名或密码不正确，或账户已锁定"), **_origin(request)},
        )


def _origin(request: HttpRequest | None) -> dict[str, Any]:
    if request is None:
        return {}
    return {
        "address": getattr(request, "axes_ip_address", None) or request.META.get("REMOTE_ADDR"),
        "agent": request.META.get("HTTP_USER_AGENT", "")[:200],
        "path": request.path,
    }
