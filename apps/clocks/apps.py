from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClocksConfig(AppConfig):
    name = "apps.clocks"
    label = "clocks"
    verbose_name = _("时限")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.clocks import permissions  # noqa: F401
