"""The use cases of the catalogue."""

from apps.catalog.operations.delegation import delegate_manage, delegate_review, end_delegation
from apps.catalog.operations.drafting import create_dataset, record_assessment, revise_dataset
from apps.catalog.operations.indexing import refresh, refresh_many, refresh_stale
from apps.catalog.operations.review import approve, publish, send_back, submit, take_over
from apps.catalog.operations.withdrawal import decline_withdrawal, request_withdrawal, withdraw

__all__ = [
    "approve",
    "create_dataset",
    "decline_withdrawal",
    "delegate_manage",
    "delegate_review",
    "end_delegation",
    "publish",
    "record_assessment",
    "refresh",
    "refresh_many",
    "refresh_stale",
    "request_withdrawal",
    "revise_dataset",
    "send_back",
    "submit",
    "take_over",
    "withdraw",
]
