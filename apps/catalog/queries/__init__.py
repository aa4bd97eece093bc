"""What is asked of the catalogue."""

from apps.catalog.queries.datasets import (
    contract_of,
    current_version,
    departments_using,
    published,
    visible_to,
)

__all__ = ["contract_of", "current_version", "departments_using", "published", "visible_to"]
