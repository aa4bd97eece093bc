"""Secrets of other systems, kept encrypted: a copy of the database alone does not give them away.

The key is derived from the installation's own secret; after that was changed, what was kept under
the former one is still read as long as it stands in SECRET_KEY_FALLBACKS.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError


class SecretUnreadable(DomainError):
    """The installation's secret is another one than when this was kept."""

    code = "secret_unreadable"
    default_message = _("平台密钥已更换，原来保存的口令不能再用；重新填写口令")


def seal(text: str) -> str:
    """Return the text encrypted; empty stays empty."""
    return _fernet().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """Return the text again.

    Raises:
        SecretUnreadable: it was sealed under a secret that is no longer known.
    """
    try:
        return _fernet().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        raise SecretUnreadable from None


def _fernet() -> MultiFernet:
    known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(str(secret))) for secret in known])


def _derived(secret: str) -> bytes:
    derivation = HKDF(hashes.SHA256(), length=32, salt=None, info=b"huiliu.core.secrets")
    return base64.urlsafe_b64encode(derivation.derive(secret.encode()))
