"""What is asked of the catalogue."""

from apps.catalog.queries.datasets import (
    contract_of,
    current_version,
    departments_using,
    published,
    visible_to,
)
from apps.catalog.queries.similar import Similar, similar_to

__all__ = [
    "Similar",
    "contract_of",
    "current_version",
    "departments_using",
    "published",
    "similar_to",
    "visible_to",
]
