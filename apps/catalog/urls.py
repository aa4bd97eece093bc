"""Addresses of the catalogue: pages under /work/, the API under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.catalog.api import (
    DatasetViewSet,
    DemandViewSet,
    DuplicateViewSet,
    ExportViewSet,
    ImportViewSet,
    SavedFilterViewSet,
    SourceDesignationViewSet,
)
from apps.catalog.api.changes import DatasetChangeViewSet
from apps.catalog.api.demands import DemandMatchViewSet
from apps.catalog.api.duties import DutyViewSet, ResponsibilityListViewSet
from apps.catalog.api.law import LegalDutyViewSet, ServiceItemViewSet
from apps.catalog.api.packages import UpwardPackageViewSet
from apps.catalog.api.upward import UpperDatasetViewSet, UpperRequestViewSet
from apps.catalog.api.versions import DatasetVersionViewSet
from apps.catalog.views.routes import urlpatterns

__all__ = ["api_urlpatterns", "urlpatterns"]

router = SimpleRouter(trailing_slash=False)
router.register("demands", DemandViewSet, basename="api-demand")
router.register("upper-datasets", UpperDatasetViewSet, basename="api-upper-dataset")
router.register("upper-requests", UpperRequestViewSet, basename="api-upper-request")
router.register("upward-packages", UpwardPackageViewSet, basename="api-upward-package")

api_urlpatterns = [
    path("duplicates", DuplicateViewSet.as_view({"get": "list"}), name="api-duplicates"),
    path(
        "duplicates/<int:pk>",
        DuplicateViewSet.as_view({"get": "retrieve"}),
        name="api-duplicate",
    ),
    path(
        "duplicates/<int:pk>/<slug:move>",
        DuplicateViewSet.as_view({"post": "move"}),
        name="api-duplicate-move",
    ),
    path(
        "source-designations",
        SourceDesignationViewSet.as_view({"get": "list"}),
        name="api-source-designations",
    ),
    path(
        "source-designations/<int:pk>",
        SourceDesignationViewSet.as_view({"get": "retrieve"}),
        name="api-source-designation",
    ),
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
    path("datasets.xlsx", ExportViewSet.as_view({"get": "xlsx"}), name="api-datasets-xlsx"),
    path("datasets.csv", ExportViewSet.as_view({"get": "csv"}), name="api-datasets-csv"),
    path(
        "catalog-imports",
        ImportViewSet.as_view({"get": "list", "post": "receive"}),
        name="api-catalog-imports",
    ),
    path(
        "catalog-imports/<int:pk>",
        ImportViewSet.as_view({"get": "retrieve"}),
        name="api-catalog-import",
    ),
    path(
        "catalog-imports/<int:pk>/entries",
        ImportViewSet.as_view({"get": "entries"}),
        name="api-catalog-import-entries",
    ),
    path(
        "catalog-imports/<int:pk>/adopt",
        ImportViewSet.as_view({"post": "adopt"}),
        name="api-catalog-import-adopt",
    ),
    path(
        "catalog-imports/<int:pk>/discard",
        ImportViewSet.as_view({"post": "discard"}),
        name="api-catalog-import-discard",
    ),
    path(
        "datasets",
        DatasetViewSet.as_view({"get": "list", "post": "create"}),
        name="api-datasets",
    ),
    path(
        "datasets/<dashed_code:code>",
        DatasetViewSet.as_view({"get": "retrieve"}),
        name="api-dataset",
    ),
    path(
        "datasets/<dashed_code:code>/<move:move>",
        DatasetViewSet.as_view({"post": "move"}),
        name="api-dataset-move",
    ),
    path(
        "dataset-changes",
        DatasetChangeViewSet.as_view({"get": "list", "post": "create"}),
        name="api-dataset-changes",
    ),
    path(
        "dataset-changes/<int:pk>",
        DatasetChangeViewSet.as_view({"get": "retrieve"}),
        name="api-dataset-change",
    ),
    path(
        "dataset-changes/<int:pk>/<slug:move>",
        DatasetChangeViewSet.as_view({"post": "move"}),
        name="api-dataset-change-move",
    ),
    path(
        "datasets/<dashed_code:code>/versions/<int:number>",
        DatasetVersionViewSet.as_view({"get": "version"}),
        name="api-dataset-version",
    ),
    path(
        "datasets/<dashed_code:code>/on/<str:day>",
        DatasetVersionViewSet.as_view({"get": "on_day"}),
        name="api-dataset-on-day",
    ),
    path("duties", DutyViewSet.as_view({"get": "list"}), name="api-duties"),
    path("duties/<int:pk>", DutyViewSet.as_view({"get": "retrieve"}), name="api-duty"),
    path(
        "duties/<int:pk>/<slug:move>", DutyViewSet.as_view({"post": "move"}), name="api-duty-move"
    ),
    path(
        "responsibility-lists",
        ResponsibilityListViewSet.as_view({"get": "list", "post": "create"}),
        name="api-responsibility-lists",
    ),
    path(
        "responsibility-lists/<int:pk>",
        ResponsibilityListViewSet.as_view({"get": "retrieve"}),
        name="api-responsibility-list",
    ),
    path(
        "responsibility-lists/<int:pk>/<slug:move>",
        ResponsibilityListViewSet.as_view({"post": "move"}),
        name="api-responsibility-list-move",
    ),
    path("legal-duties", LegalDutyViewSet.as_view({"get": "list"}), name="api-legal-duties"),
    path("service-items", ServiceItemViewSet.as_view({"get": "list"}), name="api-service-items"),
    path(
        "demands/<int:pk>/matches",
        DemandMatchViewSet.as_view({"get": "list"}),
        name="api-demand-matches",
    ),
    path(
        "demands/<int:pk>/matches/<int:match>/decline",
        DemandMatchViewSet.as_view({"post": "decline"}),
        name="api-demand-match-decline",
    ),
    *router.urls,
]
