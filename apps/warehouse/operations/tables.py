"""Make the table of an entry that has come into force."""

from datetime import datetime

from django.utils.translation import gettext as _

from apps.accounts.queries import members_with
from apps.catalog.models import Dataset
from apps.core.errors import Conflict
from apps.ledger import operations as ledger
from apps.warehouse import physical
from apps.warehouse.models import DataTable


def make_table(*, dataset: Dataset, at: datetime) -> DataTable | None:
    """Make the entry's table from its contract, or bring it up to the version in force.

    Repeat-safe. A change that the table cannot follow leaves it as it was, and the provider is
    told; so does its next batch.

    Source: house rule (design §4)
    Raises:
        NotFound: the entry was never published.
    """
    try:
        return physical.ensure_table(dataset, at=at)
    except Conflict as refusal:
        ledger.notify(
            members_with(["department_editor", "department_approver"], dataset.department),
            title=_("数据表未能按新版目录调整：%(name)s") % {"name": dataset.name},
            body=str(refusal),
            url=dataset.get_absolute_url(),
            at=at,
            subject=dataset,
        )
        return None
