"""The demonstration: one machine, invented data, known passwords. Never for real data.

Only here may the demonstration accounts pass password classes, second factor and ageing; a system
check refuses the demonstration city under production settings.
"""

from config.settings.base import *  # noqa: F403

HUILIU_DEMO = True
HUILIU_SECOND_FACTOR_REQUIRED = False
HUILIU_PASSWORD_DAYS = None
AUTH_PASSWORD_VALIDATORS: list[dict[str, str]] = []
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
