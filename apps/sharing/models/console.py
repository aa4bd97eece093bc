"""A person's short-lived token to try an interface in the browser (在线调试)."""

from datetime import timedelta
from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

LONGEST: Final = timedelta(minutes=5)


class ConsoleToken(models.Model):
    """What a person tries a grant with, from one address, for minutes. Only its digest is kept.

    digest: SHA-256 of the token, hexadecimal. address: from which alone it is taken; empty where
    the server listens on a socket and knows none.

    Source: house rule (issue 5: a console with a short-lived token)
    """

    handover: ClassVar[dict[str, Q | None]] = {"user": None}

    grant = models.ForeignKey(
        "sharing.Grant", on_delete=models.CASCADE, related_name="+", verbose_name=_("授权")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("调试人"),
    )
    digest = models.CharField(max_length=64)
    address = models.GenericIPAddressField(_("来源地址"), null=True, blank=True)
    created_at = models.DateTimeField(_("签发时间"))
    expires_at = models.DateTimeField(_("失效时间"))

    class Meta:
        verbose_name = _("调试令牌")
        verbose_name_plural = _("调试令牌")
        constraints = (
            models.UniqueConstraint(fields=("digest",), name="sharing_consoletoken_digest_once"),
            models.CheckConstraint(
                name="sharing_consoletoken_short_lived",
                condition=Q(expires_at__gt=F("created_at"))
                & Q(expires_at__lte=F("created_at") + LONGEST),
            ),
        )
        indexes = (models.Index(fields=("expires_at",), name="sharing_consoletoken_expiry"),)

    def __str__(self) -> str:
        return f"{self.grant} {self.user}"
