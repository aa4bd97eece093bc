"""What is asked of the catalogue."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.catalog.models import Dataset, DatasetVersion
from apps.core.contracts import Contract
from apps.core.errors import NotFound


def published() -> QuerySet[Dataset]:
    """Return the entries in force."""
    return Dataset.objects.published()


def current_version(dataset: Dataset) -> DatasetVersion | None:
    """Return the version in force: the last one published."""
    return dataset.versions.order_by("-number").first()


def contract_of(dataset: Dataset) -> Contract:
    """Return the contract of the version in force.

    Raises:
        NotFound: the entry was never published, so nobody is promised anything yet.
    """
    version = current_version(dataset)
    if version is None:
        raise NotFound(_("目录尚未发布，还没有数据约定"), code="not_published")
    return Contract.from_json(version.contract)
