"""Requests and their handling inside departments, decisions, grants."""

from apps.sharing.models.continuing import IdleNotice, Recertification
from apps.sharing.models.copies import LandedCopy
from apps.sharing.models.decisions import DeadlineExtension, Decision
from apps.sharing.models.exports import Export
from apps.sharing.models.grants import Grant, ProvisioningLock
from apps.sharing.models.limits import COUNTED, LIMIT_FIELDS, Limited, limits_of
from apps.sharing.models.metering import ColumnUse, DailyUse, MeteredDay, QuotaUse, VerifiedKey
from apps.sharing.models.requests import Attachment, Mode, RequestedItem, SharingRequest
from apps.sharing.models.route import RouteStep
from apps.sharing.models.terms_templates import TermsTemplate
from apps.sharing.models.urgency import Urgency
from apps.sharing.models.usage_reports import UsageReport

__all__ = [
    "COUNTED",
    "LIMIT_FIELDS",
    "Attachment",
    "ColumnUse",
    "DailyUse",
    "DeadlineExtension",
    "Decision",
    "Export",
    "Grant",
    "IdleNotice",
    "LandedCopy",
    "Limited",
    "MeteredDay",
    "Mode",
    "ProvisioningLock",
    "QuotaUse",
    "Recertification",
    "RequestedItem",
    "RouteStep",
    "SharingRequest",
    "TermsTemplate",
    "Urgency",
    "UsageReport",
    "VerifiedKey",
    "limits_of",
]
