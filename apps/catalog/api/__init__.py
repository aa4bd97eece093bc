"""The catalogue over the API."""

from apps.catalog.api.datasets import DatasetViewSet
from apps.catalog.api.demands import DemandViewSet
from apps.catalog.api.saved_filters import SavedFilterViewSet

__all__ = [
    "DatasetViewSet",
    "DemandViewSet",
    "ExportViewSet",
    "ImportViewSet",
    "SavedFilterViewSet",
]
from apps.catalog.api.imports import ExportViewSet, ImportViewSet
