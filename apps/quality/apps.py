from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QualityConfig(AppConfig):
    name = "apps.quality"
    label = "quality"
    verbose_name = _("数据质量")

    def ready(self) -> None:
        """Register who may do what, and the rules that landing asks."""
        from apps.quality import lifecycle, permissions  # noqa: F401
        from apps.quality.queries.rules import rules_for_landing
        from apps.warehouse import added_rules

        added_rules.register(rules_for_landing)
