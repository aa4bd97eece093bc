"""Catalogue entries, their items, assessments, versions and rights."""

from apps.catalog.models.change import OPEN_CHANGE, DatasetChange
from apps.catalog.models.choices import (
    AssessmentKind,
    ChangeChannel,
    ChangeStatus,
    Conclusion,
    DatasetStatus,
    DirtyLimitAction,
    FormatClass,
    Grade,
    ModeClass,
    ModeType,
    OpeningAttribute,
    RoundOutcome,
    SharingAttribute,
    TriggerKind,
    UpdateCycle,
)
from apps.catalog.models.classification import Classification
from apps.catalog.models.dataset import Dataset, SplitPart
from apps.catalog.models.delegation import DatasetGroupPermission, DatasetUserPermission
from apps.catalog.models.demand import (
    DEMAND_OVER,
    Demand,
    DemandMatch,
    DemandOutcome,
    DemandReply,
    DemandStatus,
)
from apps.catalog.models.duty import (
    Duty,
    DutyOrigin,
    DutyStatus,
    ResponsibilityList,
    ResponsibilityListStatus,
)
from apps.catalog.models.imports import CatalogImport, CensusFigures, ImportEntry
from apps.catalog.models.item import DataItem
from apps.catalog.models.law import LegalDuty, LegalDutyKind, ServiceItem
from apps.catalog.models.review import (
    DatasetAssessment,
    DatasetVersion,
    ReviewRemark,
    ReviewRound,
)
from apps.catalog.models.search import SavedFilter, SearchEntry, Synonym
from apps.catalog.models.sources import DECIDED, Duplicate, DuplicateStatus, SourceDesignation
from apps.catalog.models.upward import (
    UpperDataset,
    UpperLevel,
    UpperRequest,
    UpperRequestStatus,
    UpwardEntry,
    UpwardMapping,
    UpwardPackage,
    UpwardValue,
)

__all__ = [
    "DECIDED",
    "DEMAND_OVER",
    "OPEN_CHANGE",
    "AssessmentKind",
    "CatalogImport",
    "CensusFigures",
    "ChangeChannel",
    "ChangeStatus",
    "Classification",
    "Conclusion",
    "DataItem",
    "Dataset",
    "DatasetAssessment",
    "DatasetChange",
    "DatasetGroupPermission",
    "DatasetStatus",
    "DatasetUserPermission",
    "DatasetVersion",
    "Demand",
    "DemandMatch",
    "DemandOutcome",
    "DemandReply",
    "DemandStatus",
    "DirtyLimitAction",
    "Duplicate",
    "DuplicateStatus",
    "Duty",
    "DutyOrigin",
    "DutyStatus",
    "FormatClass",
    "Grade",
    "ImportEntry",
    "LegalDuty",
    "LegalDutyKind",
    "ModeClass",
    "ModeType",
    "OpeningAttribute",
    "ResponsibilityList",
    "ResponsibilityListStatus",
    "ReviewRemark",
    "ReviewRound",
    "RoundOutcome",
    "SavedFilter",
    "SearchEntry",
    "ServiceItem",
    "SharingAttribute",
    "SourceDesignation",
    "SplitPart",
    "Synonym",
    "TriggerKind",
    "UpdateCycle",
    "UpperDataset",
    "UpperLevel",
    "UpperRequest",
    "UpperRequestStatus",
    "UpwardEntry",
    "UpwardMapping",
    "UpwardPackage",
    "UpwardValue",
]
