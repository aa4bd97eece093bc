"""The warehouse over the API."""

from apps.warehouse.api.batches import BatchViewSet
from apps.warehouse.api.confirmations import NoChangeViewSet
from apps.warehouse.api.nodes import FrontNodeViewSet
from apps.warehouse.api.normalised import NormalisedViewSet
from apps.warehouse.api.proposals import ProposalViewSet
from apps.warehouse.api.uploads import UploadViewSet

__all__ = [
    "BatchViewSet",
    "FrontNodeViewSet",
    "NoChangeViewSet",
    "NormalisedViewSet",
    "ProposalViewSet",
    "UploadViewSet",
]
