"""A server that serves a city: transport security, two factors, no demonstration data.

Behind a reverse proxy that ends TLS, sets X-Forwarded-Proto itself and passes the Host on
(docs/install.md).
"""

from config import environment
from config.settings.served import *  # noqa: F403

ALLOWED_HOSTS = environment.allowed_hosts()

SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health/"]  # probes come from this machine, without TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True

# The prefix makes browsers refuse cookies of these names from sibling hosts or without TLS.
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
LANGUAGE_COOKIE_SECURE = True
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

vars().update(environment.mail_settings())  # EMAIL_HOST and its kin
HUILIU_NOTICE_WEBHOOK = environment.webhook_settings()
HUILIU_NOTICE_CHANNELS = (
    "in_site",
    *(("mail",) if environment.mail_settings() else ()),
    *(("webhook",) if HUILIU_NOTICE_WEBHOOK["url"] else ()),
)
