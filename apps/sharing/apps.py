from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SharingConfig(AppConfig):
    name = "apps.sharing"
    label = "sharing"
    verbose_name = _("共享系统")

    def ready(self) -> None:
        """Register who may do what and who reads what, before anybody asks."""
        from apps.quality import readership
        from apps.sharing import permissions  # noqa: F401
        from apps.sharing.gateway.single_rows import GrantReader

        readership.register(GrantReader())
