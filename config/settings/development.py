"""A developer's machine: nothing leaves it, everything explains itself."""

from config.settings.base import *  # noqa: F403

DEBUG = True
HUILIU_SECOND_FACTOR_REQUIRED = False
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
