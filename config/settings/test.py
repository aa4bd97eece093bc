"""The test suite: a throw-away server, no job queue, quick password hashes."""

from config.settings.base import *  # noqa: F403

HUILIU_JOBS = False
HUILIU_PROPOSAL_WAIT_SECONDS = 0
HUILIU_SECOND_FACTOR_REQUIRED = False
HUILIU_PASSWORD_DAYS = None
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
AXES_ENABLED = False
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise.")]
