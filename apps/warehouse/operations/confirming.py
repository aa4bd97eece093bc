"""Confirm that a dataset did not change in a period (无变化确认)."""

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.accounts.queries import members_with
from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import Conflict, InvalidInput
from apps.ledger import operations as ledger
from apps.warehouse import queries
from apps.warehouse.models import NoChange


@transaction.atomic
def confirm_no_change(
    *,
    dataset: Dataset,
    period_from: date,
    period_to: date,
    actor: User,
    at: datetime,
    note: str = "",
) -> NoChange:
    """Give the provider's word that nothing changed from one day to another, both included.

    The period counts as delivered: a table confirmed up to today is as fresh as one landed today.

    Source: house rule (统计口径: 更新及时率)
    Raises:
        NotAllowed: the actor does not act for the providing department.
        InvalidInput: the days are in disorder or in the future, nothing ever landed, or rows
            changed in that period.
        Conflict: this period was confirmed before.
    """
    standing = access.require(actor, "confirm_no_change", dataset, at=at)
    _check_period(period_from, period_to, timezone.localdate(at))
    _check_facts(dataset, period_from, period_to)
    confirmation = NoChange(
        dataset=dataset,
        period_from=period_from,
        period_to=period_to,
        confirmed_by=actor,
        confirmed_at=at,
        note=note.strip()[:300],
    )
    try:
        with transaction.atomic():
            confirmation.save()
    except IntegrityError as error:
        raise Conflict(_("这个期间已经确认过"), code="period_confirmed") from error
    _tell(confirmation, at)
    ledger.close_todos(dataset, at=at, by=actor, kind="warehouse.deliver")
    ledger.record(
        standing,
        "warehouse.confirm_no_change",
        dataset,
        at=at,
        details={
            "period_from": period_from.isoformat(),
            "period_to": period_to.isoformat(),
            "reason": confirmation.note,
        },
    )
    return confirmation


def _check_period(begin: date, end: date, today: date) -> None:
    if end < begin:
        raise InvalidInput(_("期间止不能早于期间起"), code="period_invalid", field="period_to")
    if end > today:
        raise InvalidInput(
            _("还没有过去的日子不能确认，期间止最晚为今天"),
            code="period_invalid",
            field="period_to",
        )


def _check_facts(dataset: Dataset, begin: date, end: date) -> None:
    if not catalog.published().filter(pk=dataset.pk).exists():
        raise InvalidInput(_("目录尚未发布或者已经撤回，不能确认"), code="dataset_not_published")
    if not queries.has_landed(dataset):
        raise InvalidInput(
            _("还没有数据入库，无从确认无变化；先提交一批数据"), code="nothing_landed"
        )
    changing = queries.changing_batches(dataset, begin, end).first()
    if changing is not None:
        raise InvalidInput(
            _("批次 %(batch)s 在这个期间改动了数据，不能确认无变化") % {"batch": changing},
            code="period_changed",
            batch=changing.pk,
        )


def _tell(confirmation: NoChange, at: datetime) -> None:
    """Tell the head of the provider, and those who use the data and may have waited for it."""
    dataset = confirmation.dataset
    for department in (dataset.department, *catalog.departments_using(dataset)):
        ledger.notify(
            members_with("department_approver", department),
            title=_("确认无变化：%(name)s") % {"name": dataset.name},
            body=str(confirmation),
            url=dataset.get_absolute_url(),
            at=at,
            subject=dataset,
        )
