"""Five failures in five minutes lock an account for ten.

django-axes counts failures within its cool-off time, which is also how long it locks. Here the two
differ: an unlocked account forgets failures older than the window before it counts.

Source: GB/T 22239-2019 第三级身份鉴别; numbers [CLOUD]
"""

from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.http import HttpRequest

WINDOW = timedelta(minutes=5)


class FiveInFive(AxesDatabaseHandler):
    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        if request is not None and not self.is_locked(request, credentials):
            self._forget_old(request, credentials)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def _forget_old(self, request: HttpRequest, credentials: dict[str, Any]) -> None:
        edge = request.axes_attempt_time - WINDOW  # type: ignore[attr-defined]
        AccessAttempt.objects.filter(
            username=credentials.get("username"),
            attempt_time__lt=edge,
        ).delete()
