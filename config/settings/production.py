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

# Systems come with client credentials only; every other way in is closed by name (RFC 9700).
OAUTH2_PROVIDER = OAUTH2_PROVIDER | {
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_REFRESH_TOKEN": True,
    "COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME": True,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
}

vars().update(environment.mail_settings())  # EMAIL_HOST and its kin
HUILIU_NOTICE_WEBHOOK = environment.webhook_settings()
HUILIU_NOTICE_CHANNELS = (
    "in_site",
    *(("mail",) if environment.mail_settings() else ()),
    *(("webhook",) if HUILIU_NOTICE_WEBHOOK["url"] else ()),
)
