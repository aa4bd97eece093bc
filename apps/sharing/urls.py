"""Addresses of the sharing system: screens under /work/, the API under /api/v1/, tokens."""

from apps.sharing.api.routes import api_urlpatterns, oauth_urlpatterns
from apps.sharing.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "oauth_urlpatterns", "urlpatterns"]
