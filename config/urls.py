"""Addresses: the portal, the work screens, the admin, the API."""

from importlib import import_module
from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from apps.core.api import no_such_address

PAGES = [
    "console",
    "clocks",
    "catalog",
    "warehouse",
    "quality",
    "sharing",
    "supervision",
    "ledger",
    "accounts",
]
PUBLIC_PAGES = ["opening"]
WITH_API = ["catalog", "warehouse", "quality", "sharing", "supervision", "clocks"]


def _patterns(app: str, name: str) -> list[URLPattern | URLResolver]:
    if find_spec(f"apps.{app}.urls") is None:
        return []
    return list(getattr(import_module(f"apps.{app}.urls"), name, []))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    *[path("api/v1/", include(_patterns(app, "api_urlpatterns"))) for app in WITH_API],
    re_path(r"^api/v1/", no_such_address),
    *[path("work/", include(_patterns(app, "urlpatterns"))) for app in PAGES],
    *[path("", include(_patterns(app, "urlpatterns"))) for app in PUBLIC_PAGES],
    *_patterns("sharing", "oauth_urlpatterns"),
    *_patterns("console", "health_urlpatterns"),
]
