"""Make way while a table's columns change: what grants stand on it is taken down and built again.

The consumer's reads before the transaction find the old views, those after it the new ones.

Source: house rule (design §4: grants are data, roles and views are derived)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.sharing import provisioning
from apps.sharing.models import Grant
from apps.warehouse.models import DataTable

_OPEN: Final = (Grant.Status.IN_FORCE, Grant.Status.SUSPENDED)


@contextmanager
def stood_aside(table: DataTable) -> Iterator[None]:
    """Remove the views, policies and roles of the table's grants, and make them anew at the end.

    Raises:
        Conflict: a grant cannot be read under the new contract, with its name and why.
    """
    provisioning.hold_lock()
    grants = list(
        Grant.objects.select_for_update(of=("self",))
        .filter(dataset=table.dataset_id, status__in=_OPEN)
        .select_related("dataset", "system")
        .order_by("pk")
    )
    for grant in grants:
        provisioning.tear_down(grant)
    yield
    for grant in grants:
        try:
            provisioning.provision(grant)
        except DomainError as error:
            raise Conflict(
                _("授权 %(grant)s 不能按新的目录提供：%(why)s；先变更或者终止这项授权")
                % {"grant": grant, "why": error},
                code="grant_cannot_follow",
                grant=grant.pk,
            ) from error
        if grant.status == Grant.Status.SUSPENDED:
            provisioning.revoke(grant)
