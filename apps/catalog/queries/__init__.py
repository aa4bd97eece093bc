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
from apps.catalog.queries.similar import Similar, similar_to

__all__ = [
    "Proposal",
    "Similar",
    "awaiting",
    "changes_visible_to",
    "contract_of",
    "current_version",
    "departments_using",
    "open_change_of",
    "open_round",
    "proposal_of",
    "published",
    "reasons_of_versions",
    "remarks_on_change",
    "remarks_on_proposal",
    "rounds_of",
    "similar_to",
    "unsettled",
    "version_on",
    "visible_to",
]
