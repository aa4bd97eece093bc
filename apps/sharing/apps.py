from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SharingConfig(AppConfig):
    name = "apps.sharing"
    label = "sharing"
    verbose_name = _("共享系统")

    def ready(self) -> None:
        """Register who may do what, who reads what, and what to rebuild when a table changes."""
        from apps.quality import readership
        from apps.sharing import permissions  # noqa: F401
        from apps.sharing.gateway.single_rows import GrantReader
        from apps.sharing.operations.holding.dropped_columns import told
        from apps.sharing.provisioning.reshaping import stood_aside
        from apps.sharing.queries.uses import bound_by_columns, uses_of_dataset
        from apps.warehouse import uses
        from apps.warehouse.physical import register_dependents

        readership.register(GrantReader())
        register_dependents(stood_aside)
        register_dependents(told)
        uses.register(uses_of_dataset)
        uses.register_bound(bound_by_columns)
