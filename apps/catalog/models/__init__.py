"""Catalogue entries, their items, assessments, versions and rights."""

from apps.catalog.models.choices import (
    AssessmentKind,
    Conclusion,
    DatasetStatus,
    FormatClass,
    Grade,
    ModeClass,
    ModeType,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.catalog.models.classification import Classification
from apps.catalog.models.dataset import Dataset, SplitPart
from apps.catalog.models.delegation import DatasetGroupPermission, DatasetUserPermission
from apps.catalog.models.item import DataItem
from apps.catalog.models.review import DatasetAssessment, DatasetVersion
from apps.catalog.models.search import SearchEntry

__all__ = [
    "AssessmentKind",
    "Classification",
    "Conclusion",
    "DataItem",
    "Dataset",
    "DatasetAssessment",
    "DatasetGroupPermission",
    "DatasetStatus",
    "DatasetUserPermission",
    "DatasetVersion",
    "FormatClass",
    "Grade",
    "ModeClass",
    "ModeType",
    "OpeningAttribute",
    "SearchEntry",
    "SharingAttribute",
    "SplitPart",
    "UpdateCycle",
]
