from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StandardsConfig(AppConfig):
    name = "apps.standards"
    label = "standards"
    verbose_name = _("标准规范")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.standards import permissions  # noqa: F401
