"""What is asked of the catalogue."""

from apps.catalog.queries.changes import (
    Proposal,
    awaiting,
    changes_visible_to,
    open_change_of,
    open_round,
    proposal_of,
    reasons_of_versions,
    remarks_on_change,
    remarks_on_proposal,
    rounds_of,
    unsettled,
    version_on,
)
from apps.catalog.queries.datasets import (
    contract_of,
    current_version,
    departments_using,
    published,
    visible_to,
)
from apps.catalog.queries.demands import (
    MOST_COMPARED,
    Supply,
    demands_awaiting,
    items_named,
    similar_groups,
    supply_for,
    to_be_had_by,
    visible_demands,
)
from apps.catalog.queries.imports import (
    imports_to_adopt,
    imports_to_check,
    outcome_counts,
    undecided,
    verdict_counts,
)
from apps.catalog.queries.quality import DepartmentQuality, quality_by_department
from apps.catalog.queries.similar import Similar, similar_to
from apps.catalog.queries.sources import designations_of, duplicates_of, duplicates_visible_to

__all__ = [
    "MOST_COMPARED",
    "DepartmentQuality",
    "Proposal",
    "Similar",
    "Supply",
    "awaiting",
    "changes_visible_to",
    "contract_of",
    "current_version",
    "demands_awaiting",
    "departments_using",
    "designations_of",
    "duplicates_of",
    "duplicates_visible_to",
    "imports_to_adopt",
    "imports_to_check",
    "items_named",
    "open_change_of",
    "open_round",
    "outcome_counts",
    "proposal_of",
    "published",
    "quality_by_department",
    "reasons_of_versions",
    "remarks_on_change",
    "remarks_on_proposal",
    "rounds_of",
    "similar_groups",
    "similar_to",
    "supply_for",
    "to_be_had_by",
    "undecided",
    "unsettled",
    "verdict_counts",
    "version_on",
    "visible_demands",
    "visible_to",
]
