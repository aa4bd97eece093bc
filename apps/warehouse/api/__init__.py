"""The warehouse over the API."""

from apps.warehouse.api.batches import BatchViewSet
from apps.warehouse.api.confirmations import NoChangeViewSet

__all__ = ["BatchViewSet", "NoChangeViewSet"]
