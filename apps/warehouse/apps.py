from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WarehouseConfig(AppConfig):
    name = "apps.warehouse"
    label = "warehouse"
    verbose_name = _("数据资源中心")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.warehouse import permissions  # noqa: F401
