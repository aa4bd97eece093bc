"""Addresses of quality: screens under /work/, the API under /api/v1/."""

from django.urls import include, path

from apps.quality.api.corrections.routes import PATHS as CORRECTION_API
from apps.quality.views.corrections.routes import PATHS as CORRECTION_PAGES

urlpatterns = [path("", include((CORRECTION_PAGES, "quality")))]
api_urlpatterns = [*CORRECTION_API]
