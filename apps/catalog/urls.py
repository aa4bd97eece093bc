"""Addresses of the catalogue: pages under /work/, the API under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.catalog.api import DatasetViewSet, DemandViewSet, SavedFilterViewSet
from apps.catalog.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

router = SimpleRouter(trailing_slash=False)
router.register("demands", DemandViewSet, basename="api-demand")

api_urlpatterns = [
    path(
        "saved-filters",
        SavedFilterViewSet.as_view({"get": "list", "post": "create"}),
        name="api-saved-filters",
    ),
    path(
        "saved-filters/<int:pk>",
        SavedFilterViewSet.as_view({"delete": "destroy"}),
        name="api-saved-filter",
    ),
    path("datasets", DatasetViewSet.as_view({"get": "list"}), name="api-datasets"),
    path(
        "datasets/<dashed_code:code>",
        DatasetViewSet.as_view({"get": "retrieve"}),
        name="api-dataset",
    ),
    *router.urls,
]
