"""Addresses of the catalogue: pages under /work/, the API under /api/v1/."""

from django.urls import path

from apps.catalog.api import DatasetViewSet
from apps.catalog.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

api_urlpatterns = [
    path("datasets", DatasetViewSet.as_view({"get": "list"}), name="api-datasets"),
    path(
        "datasets/<dashed_code:code>",
        DatasetViewSet.as_view({"get": "retrieve"}),
        name="api-dataset",
    ),
]
