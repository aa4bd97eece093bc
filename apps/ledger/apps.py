from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = _("台账")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.ledger import permissions  # noqa: F401, PLC0415
