"""What is asked about catalogue entries."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.catalog.models import Dataset, DatasetVersion, SharingAttribute
from apps.core import access
from apps.core.contracts import Contract
from apps.core.errors import NotFound


def published() -> QuerySet[Dataset]:
    """Return the entries in force."""
    entries: QuerySet[Dataset] = Dataset.objects.published()
    return entries


def to_be_had_by(department_id: int) -> QuerySet[Dataset]:
    """Return the entries that a department can ask for: in force, shared, not its own."""
    return (
        published()
        .exclude(sharing_attribute=SharingAttribute.NOT_SHARED)
        .exclude(department=department_id)
    )


def visible_to(actor: User) -> QuerySet[Dataset]:
    """Return the entries that the person may read about."""
    return access.rows(actor, "view", Dataset)


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


def departments_using(dataset: Dataset) -> list[Department]:
    """Return the departments that hold `use_dataset` on the entry, by a delivered grant."""
    return list(
        Department.objects.filter(
            group__datasetgrouppermission__content_object=dataset,
            group__datasetgrouppermission__permission__codename="use_dataset",
        )
        .distinct()
        .order_by("code")
    )
