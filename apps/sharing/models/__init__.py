"""Requests and their handling inside departments, decisions, grants."""

from apps.sharing.models.copies import LandedCopy
from apps.sharing.models.decisions import DeadlineExtension, Decision
from apps.sharing.models.grants import Grant, ProvisioningLock
from apps.sharing.models.requests import Attachment, Mode, RequestedItem, SharingRequest
from apps.sharing.models.route import RouteStep

__all__ = [
    "Attachment",
    "DeadlineExtension",
    "Decision",
    "Grant",
    "LandedCopy",
    "Mode",
    "ProvisioningLock",
    "RequestedItem",
    "RouteStep",
    "SharingRequest",
]
