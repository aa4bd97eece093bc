"""Requests and their handling inside departments, decisions, grants."""

from apps.sharing.models.copies import LandedCopy
from apps.sharing.models.decisions import DeadlineExtension, Decision
from apps.sharing.models.grants import Grant, ProvisioningLock
from apps.sharing.models.limits import COUNTED, LIMIT_FIELDS, Limited, limits_of
from apps.sharing.models.metering import DailyUse, MeteredDay, QuotaUse, VerifiedKey
from apps.sharing.models.requests import Attachment, Mode, RequestedItem, SharingRequest
from apps.sharing.models.route import RouteStep
from apps.sharing.models.urgency import Urgency

__all__ = [
    "COUNTED",
    "LIMIT_FIELDS",
    "Attachment",
    "DailyUse",
    "DeadlineExtension",
    "Decision",
    "Grant",
    "LandedCopy",
    "Limited",
    "MeteredDay",
    "Mode",
    "ProvisioningLock",
    "QuotaUse",
    "RequestedItem",
    "RouteStep",
    "SharingRequest",
    "Urgency",
    "VerifiedKey",
    "limits_of",
]
