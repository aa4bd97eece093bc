"""Where the city's data lies: stores, the table of each dataset, and the batches that filled it.

The rows themselves are not here: they lie in tables of their own (`physical.py`), which no foreign
key of these models reaches.
"""

from apps.warehouse.models.batches import (
    Batch,
    FileLayout,
    NoChange,
    Normalisation,
    Rejection,
    StoredFile,
)
from apps.warehouse.models.exchange import ExchangeTable
from apps.warehouse.models.mending import MendedRecord
from apps.warehouse.models.nodes import FrontNode
from apps.warehouse.models.proposals import FileProposal, ProposalRun
from apps.warehouse.models.pulls import PullRun, PullSource
from apps.warehouse.models.stores import DataTable, Store
from apps.warehouse.models.ways_in import Upload

__all__ = [
    "Batch",
    "DataTable",
    "ExchangeTable",
    "FileLayout",
    "FileProposal",
    "FrontNode",
    "MendedRecord",
    "NoChange",
    "Normalisation",
    "ProposalRun",
    "PullRun",
    "PullSource",
    "Rejection",
    "Store",
    "StoredFile",
    "Upload",
]
