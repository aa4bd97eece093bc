from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "apps.accounts"
    label = "accounts"
    verbose_name = _("部门与用户")

    def ready(self) -> None:
        """Register who may do what, before anybody asks."""
        from apps.accounts import permissions  # noqa: F401
