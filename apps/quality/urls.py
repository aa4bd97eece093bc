"""Addresses of quality: pages under /work/, the API under /api/v1/."""

from apps.quality.api.corrections.routes import PATHS as CORRECTION_API
from apps.quality.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

api_urlpatterns = [*CORRECTION_API]
