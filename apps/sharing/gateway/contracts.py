"""The contracts that calls are read under, each read once."""

from functools import lru_cache

from apps.catalog.models import DatasetVersion
from apps.core.contracts import Contract


@lru_cache(maxsize=1024)
def contract_of_version(pk: int) -> Contract:
    """Return the contract of a published version of an entry, which never changes."""
    stored = DatasetVersion.objects.values_list("contract", flat=True).get(pk=pk)
    return Contract.from_json(stored)
