"""Calls that the platform makes for a grant: of its own accord, or for a person at a screen.

They read as the role of the grant's system, like the system's own: what the database would refuse
the system it refuses them.
"""

from datetime import datetime

from apps.accounts.models import User
from apps.catalog.models import DatasetVersion
from apps.quality import queries as quality
from apps.sharing import naming
from apps.sharing.gateway import calls, pool
from apps.sharing.gateway.calls import Call, Quota
from apps.sharing.gateway.refusals import GrantRefused, PlannedStopped
from apps.sharing.models import Grant, PlannedStop
from apps.warehouse.models import DataTable


def call_of(
    grant: Grant,
    *,
    at: datetime,
    user: User | None = None,
    client_address: str | None = None,
    during_stops: bool = False,
) -> Call:
    """Admit a call under the grant as it now is; whatever stops the system stops it.

    user: who reads, the system's service user unless told. A person's address must be one that
    the grant allows. during_stops: also while a planned stop runs, for what has begun already.

    Raises:
        SystemDisabled, GrantRefused: with the reason as its code.
        PlannedStopped: the service stands still, as was announced.
    """
    current = Grant.objects.select_related("system", "dataset").get(pk=grant.pk)
    table = DataTable.objects.filter(dataset=current.dataset_id).first()
    newest = DatasetVersion.objects.filter(dataset=current.dataset_id).order_by("-number")
    contract_id = newest.values_list("pk", flat=True).first()
    assert contract_id is not None  # what was granted had been published
    limits = (current.calls_a_day, current.rows_a_day, current.calls_a_minute)
    call = Call(
        user_id=current.system.service_user_id if user is None else user.pk,
        system_id=current.system_id,
        dataset_id=current.dataset_id,
        dataset_code=current.dataset.code,
        grant_id=current.pk,
        grant_version=current.version,
        expires_at=current.expires_at,
        purpose=current.purpose[:300],
        table=f"{current.table_schema}.{current.table_name}",
        horizon=table.batch_counter if table else None,
        contract_id=contract_id,
        at=at,
        client_address=client_address,
        role=naming.role_of_system(pool.database(), current.system_id),
        has_marks=quality.has_marks(current.dataset_id),
        landed_contract_id=table.version_id if table else None,
        forgotten=table.forgotten_batch if table else 0,
        quota=Quota(*limits) if any(limits) else None,
    )
    refusal = calls.stopped(call, at=at)
    if refusal is not None:
        raise refusal
    if not during_stops:
        refuse_stopped(current, at=at)
    return call


def refuse_stopped(grant: Grant, *, at: datetime) -> None:
    """Refuse what would begin while the service stands still.

    Raises:
        PlannedStopped: until when.
    """
    running = PlannedStop.objects.running_at(at).stopping(grant.dataset).longest()
    if running is not None:
        raise PlannedStopped(until=running.ends_at, at=at)


def require_allowed_address(grant: Grant, client_address: str | None) -> None:
    """Refuse a person at an address from which the grant is not used.

    Raises:
        GrantRefused: `address_not_allowed`.
    """
    if not calls.comes_from(grant.allowed_addresses, client_address):
        raise GrantRefused.because("address_not_allowed", grant=grant.pk)
