from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    label = "catalog"
    verbose_name = _("数据目录")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.catalog import permissions  # noqa: F401
