from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LedgerConfig(AppConfig):
    name = "apps.ledger"
    label = "ledger"
    verbose_name = _("台账")

    def ready(self) -> None:
        """Register who may do what before anybody asks, and hear what accounts reports."""
        from apps.accounts import evidence
        from apps.ledger import operations, permissions, phrases  # noqa: F401

        evidence.register(operations.record)
        phrases.register(evidence.PHRASES)
