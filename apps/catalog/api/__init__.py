"""The catalogue over the API."""

from apps.catalog.api.datasets import DatasetViewSet

__all__ = ["DatasetViewSet"]
