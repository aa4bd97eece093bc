"""Requests and their handling inside departments, decisions, grants."""

from apps.sharing.models.blind_review import BlindReviewOrder, SealedOpinion
from apps.sharing.models.console import ConsoleToken
from apps.sharing.models.continuing import IdleNotice, Recertification
from apps.sharing.models.copies import LandedCopy
from apps.sharing.models.credentials import Credential, TrialSample
from apps.sharing.models.database_logins import DatabaseLogin
from apps.sharing.models.decisions import DeadlineExtension, Decision
from apps.sharing.models.disposals import Disposal
from apps.sharing.models.district import DistrictReview
from apps.sharing.models.exports import Export
from apps.sharing.models.grants import Grant, ProvisioningLock
from apps.sharing.models.interfaces import Interface, InterfaceCall
from apps.sharing.models.limits import COUNTED, LIMIT_FIELDS, Limited, limits_of
from apps.sharing.models.metering import ColumnUse, DailyUse, MeteredDay, QuotaUse, VerifiedKey
from apps.sharing.models.offers import Offer
from apps.sharing.models.packages import BasketEntry, RequestPackage
from apps.sharing.models.planned_stops import PlannedStop
from apps.sharing.models.requests import Attachment, Mode, RequestedItem, SharingRequest
from apps.sharing.models.return_flow import RegionItem, ReturnFlow
from apps.sharing.models.route import RouteStep
from apps.sharing.models.service_changes import ServiceChange
from apps.sharing.models.suppliers import SupplierAccount
from apps.sharing.models.terms_templates import TermsTemplate
from apps.sharing.models.urgency import Urgency
from apps.sharing.models.usage_reports import UsageReport
from apps.sharing.models.webhooks import Webhook, WebhookDelivery, WebhookEvent
from apps.sharing.models.written_terms import terms_of, wanted_of

__all__ = [
    "COUNTED",
    "LIMIT_FIELDS",
    "Attachment",
    "BasketEntry",
    "BlindReviewOrder",
    "ColumnUse",
    "ConsoleToken",
    "Credential",
    "DailyUse",
    "DatabaseLogin",
    "DeadlineExtension",
    "Decision",
    "Disposal",
    "DistrictReview",
    "Export",
    "Grant",
    "IdleNotice",
    "Interface",
    "InterfaceCall",
    "LandedCopy",
    "Limited",
    "MeteredDay",
    "Mode",
    "Offer",
    "PlannedStop",
    "ProvisioningLock",
    "QuotaUse",
    "Recertification",
    "RegionItem",
    "RequestPackage",
    "RequestedItem",
    "ReturnFlow",
    "RouteStep",
    "SealedOpinion",
    "ServiceChange",
    "SharingRequest",
    "SupplierAccount",
    "TermsTemplate",
    "TrialSample",
    "Urgency",
    "UsageReport",
    "VerifiedKey",
    "Webhook",
    "WebhookDelivery",
    "WebhookEvent",
    "limits_of",
    "terms_of",
    "wanted_of",
]
