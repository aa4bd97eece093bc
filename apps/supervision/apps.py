from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupervisionConfig(AppConfig):
    name = "apps.supervision"
    label = "supervision"
    verbose_name = _("监督管理")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.supervision import permissions  # noqa: F401
