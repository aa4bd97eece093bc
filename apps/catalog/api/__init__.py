"""The catalogue over the API."""

from apps.catalog.api.datasets import DatasetViewSet
from apps.catalog.api.demands import DemandViewSet
from apps.catalog.api.imports import ExportViewSet, ImportViewSet
from apps.catalog.api.saved_filters import SavedFilterViewSet
from apps.catalog.api.sources import DuplicateViewSet, SourceDesignationViewSet

__all__ = [
    "DatasetViewSet",
    "DemandViewSet",
    "DuplicateViewSet",
    "ExportViewSet",
    "ImportViewSet",
    "SavedFilterViewSet",
    "SourceDesignationViewSet",
]
