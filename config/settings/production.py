"""A server that serves a city: transport security, two factors, no demonstration data."""

from config import environment
from config.settings.base import *  # noqa: F403

ALLOWED_HOSTS = environment.allowed_hosts()
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
