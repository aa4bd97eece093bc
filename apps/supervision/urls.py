"""Addresses of supervision: pages under /work/, the API under /api/v1/."""

from django.urls import URLPattern

from apps.supervision.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

api_urlpatterns: list[URLPattern] = []
