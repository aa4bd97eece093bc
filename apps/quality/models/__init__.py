"""How good the landed rows are: rules, runs over them, what failed, who mends it, and the scores.

Nothing here points into a data table: a finding names its row by `_id` and key.
"""

from apps.quality.models.corrections import (
    CORRECTION_OVER,
    Correction,
    CorrectionOutcome,
    CorrectionScope,
    CorrectionStatus,
)
from apps.quality.models.findings import Finding, WorkOrder
from apps.quality.models.profiles import ColumnProfile
from apps.quality.models.rules import (
    AT_LANDING_KINDS,
    DELIVERED_KINDS,
    ROW_KINDS,
    SET_KINDS,
    TIMED_KINDS,
    Dimension,
    Indicator,
    QualityRule,
    RuleKind,
    Severity,
)
from apps.quality.models.runs import Basis, QualityRun, RuleResult
from apps.quality.models.scores import DimensionWeights, Score

__all__ = [
    "AT_LANDING_KINDS",
    "CORRECTION_OVER",
    "DELIVERED_KINDS",
    "ROW_KINDS",
    "SET_KINDS",
    "TIMED_KINDS",
    "Basis",
    "ColumnProfile",
    "Correction",
    "CorrectionOutcome",
    "CorrectionScope",
    "CorrectionStatus",
    "Dimension",
    "DimensionWeights",
    "Finding",
    "Indicator",
    "QualityRule",
    "QualityRun",
    "RuleKind",
    "RuleResult",
    "Score",
    "Severity",
    "WorkOrder",
]
