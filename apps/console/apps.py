from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsoleConfig(AppConfig):
    name = "apps.console"
    label = "console"
    verbose_name = _("工作台")

    def ready(self) -> None:
        """Put our admin site in place of unfold's, before Django collects the admin modules."""
        from django.contrib import admin
        from django.contrib.admin import sites

        from apps.console import checks  # noqa: F401  registers the system check
        from apps.console.site import HuiliuAdminSite

        site = HuiliuAdminSite()
        admin.site = site
        sites.site = site
