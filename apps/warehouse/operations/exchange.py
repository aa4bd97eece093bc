"""Open an exchange table for a dataset, take what was written there, close it again."""

import secrets
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access, files
from apps.core.errors import Conflict, DomainError, InvalidInput
from apps.ledger import operations as ledger
from apps.warehouse import exchanging, queries
from apps.warehouse.lifecycle import EXCHANGE
from apps.warehouse.models import Batch, ExchangeTable
from apps.warehouse.operations.receiving import check_terms, receive

MOST_ROWS: Final = 100_000
MODES: Final = (Batch.Mode.UPSERT, Batch.Mode.APPEND, Batch.Mode.DELETE)


class Login(NamedTuple):
    """What the department's system needs; the password is told this one time."""

    table: ExchangeTable
    name: str
    password: str


@transaction.atomic
def open_exchange(
    *, dataset: Dataset, system: InformationSystem, mode: str, actor: User, at: datetime
) -> Login:
    """Make the exchange table of a dataset, with a login that may only insert into it.

    One that was closed is opened again; one that is open gets a new password.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        InvalidInput: not published, a mode that rows cannot have, or another department's system.
    """
    standing = access.require(actor, "open_exchange", dataset, at=at)
    check_terms(dataset, mode, "", None)
    if mode not in MODES:
        raise InvalidInput(_("交换表逐行写入，不能全量替换"), code="mode_unfit", field="mode")
    if system.department_id != dataset.department_id:
        raise InvalidInput(_("来源系统须是提供部门自己的"), code="foreign_system", field="system")
    columns = _columns_of(dataset)
    table = ExchangeTable.objects.select_for_update().filter(dataset=dataset).first()
    if table is None:
        table = ExchangeTable(dataset=dataset, created_at=at)
    elif table.status == ExchangeTable.Status.CLOSED:
        EXCHANGE.apply(table, "reopen", actor=actor, at=at)
    table.system, table.mode, table.opened_by = system, mode, actor
    table.column_names, table.updated_at = columns, at
    table.save()
    password = secrets.token_urlsafe(24)
    exchanging.make(table, columns, password)
    _record(standing, "warehouse.open_exchange", table, at)
    return Login(table, exchanging.login_of(dataset.pk), password)


def close_exchange(*, table: ExchangeTable, actor: User, at: datetime) -> ExchangeTable:
    """Shut the login out, take what is left as a last batch, and drop table and login.

    Source: house rule (design §5)
    Raises:
        NotAllowed: the actor does not edit for the providing department.
        IllegalMove: it is closed already.
        ExchangeBusy: a transaction that writes there is open; the login is shut out all the same.
        Conflict: what is left there cannot be handed in.
    """
    standing = access.require(actor, "close_exchange", table, at=at)
    with transaction.atomic():
        exchanging.shut_out(table.dataset_id)
    while drain(table=table, at=at) is not None:
        pass
    with transaction.atomic():
        table = ExchangeTable.objects.select_for_update(of=("self",)).get(pk=table.pk)
        EXCHANGE.apply(table, "close", actor=actor, at=at)
        if exchanging.is_made(table):
            exchanging.lock(table)
            if exchanging.waiting_rows(table):
                raise Conflict(_("交换表里又写入了数据，再关闭一次"), code="table_busy")
        exchanging.tear_down(table)
        _record(standing, "warehouse.close_exchange", table, at)
    return table


def drain_due(*, at: datetime) -> int:
    """Take what was written to every open exchange table; return how many batches it made.

    Repeat-safe; a table whose rows cannot be handed in keeps them.
    """
    made = 0
    open_tables = ExchangeTable.objects.filter(
        status=ExchangeTable.Status.OPEN, dataset__in=catalog.published()
    )
    for table in open_tables.order_by("pk"):
        try:
            while drain(table=table, at=at) is not None:
                made += 1
        except DomainError:
            continue  # receive() left its evidence; the rows are still there
    return made


@transaction.atomic
def drain(*, table: ExchangeTable, at: datetime) -> Batch | None:
    """Take up to a hundred thousand rows out, as one batch; None when there are none.

    Deleting them and receiving the batch is one transaction: each row lands exactly once.

    Source: house rule (design §5)
    Raises:
        DomainError: the batch cannot be received; the rows stay.
    """
    locked = ExchangeTable.objects.select_for_update(of=("self",)).select_related(
        "dataset__department", "system__service_user"
    )
    table = locked.get(pk=table.pk)
    if table.status != ExchangeTable.Status.OPEN or not exchanging.waiting_rows(table):
        return None
    workplace = files.make_workplace(f"exchange-{table.pk}")
    try:
        return _handed_in(table, workplace, at)
    finally:
        files.clear_workplace(workplace)


def _handed_in(table: ExchangeTable, workplace: Path, at: datetime) -> Batch:
    _follow_contract(table)
    path = workplace / f"{table.name}.csv"
    count, first, last = exchanging.take_out(table, path, most_rows=MOST_ROWS)
    with path.open("rb") as file:
        batch = receive(
            dataset=table.dataset,
            file=file,
            file_name=path.name,
            mode=table.mode,
            actor=table.system.service_user,
            at=max(at, timezone.now()),
            idempotency_key=f"exchange-{table.pk}:{first}..{last}:{at:%Y%m%d%H%M%S%f}",
            declared=count,
        )
    ExchangeTable.objects.filter(pk=table.pk).update(
        last_batch=batch, drained_at=max(at, timezone.now()), column_names=table.column_names
    )
    return batch


def _follow_contract(table: ExchangeTable) -> None:
    """Add the columns that the contract gained; those that it lost are passed over."""
    columns = _columns_of(table.dataset)
    if columns != table.column_names:
        exchanging.widen(table, columns)
        table.column_names = columns


def _columns_of(dataset: Dataset) -> list[str]:
    contract = queries.contract_of(dataset)
    if contract is None:
        raise InvalidInput(_("目录尚未发布或者已经撤回，不能归集"), code="dataset_not_published")
    return [column.name for column in contract.columns]


def _record(by: access.Standing, verb: str, table: ExchangeTable, at: datetime) -> None:
    facts: dict[str, Any] = {"dataset": table.dataset.code, "mode": table.mode}
    ledger.record(by, verb, table, at=at, department=table.dataset.department, details=facts)
