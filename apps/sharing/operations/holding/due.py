"""What the platform itself carries out when its time has come; every step may come twice."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.catalog.models import Dataset
from apps.clocks import operations as clocks
from apps.core.errors import DomainError
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.models import Grant
from apps.sharing.operations.asking.district import pass_on_own
from apps.sharing.operations.deciding.second_review import look_for_second_person
from apps.sharing.operations.deciding.urgent import suspend_without_papers
from apps.sharing.operations.holding.delivering import deliver, open_instead
from apps.sharing.operations.holding.grants import close_grant, expire, tear_down
from apps.sharing.operations.one_by_one import each_by_itself


def carry_out_due(at: datetime) -> list[DomainError]:
    """Deliver, expire, wind down and tear down whatever is due; return what could not be done.

    Where a second review waits for somebody who can do it, that is said too.
    """
    problems: list[DomainError] = []
    tried: set[int] = set()  # what could not be delivered is not tried twice in a run

    def to_deliver() -> QuerySet[Grant]:
        due = queries.grants_to_deliver(at).exclude(pk__in=list(tried))
        tried.update(due.values_list("pk", flat=True))
        return due

    # Each list is read when its turn comes. What follows on the last day of a grant is written
    # before it expires; what was to become its next version later is then a grant of its own.
    steps: list[tuple[Callable[[], QuerySet[Any]], Callable[..., object], str]] = [
        (lambda: queries.grants_out_of_service(at), end_service, "grant"),
        (to_deliver, deliver, "grant"),
        (lambda: queries.grants_to_expire(at), expire, "grant"),
        (lambda: queries.versions_without_grant(at), open_instead, "request"),
        (to_deliver, deliver, "grant"),
        (lambda: queries.grants_without_papers(at), suspend_without_papers, "grant"),
        (queries.grants_to_tear_down, tear_down, "grant"),
        (queries.awaiting_second_review, look_for_second_person, "request"),
        (queries.reviews_of_own_requests, pass_on_own, "request"),
        (queries.datasets_wound_down, end_wind_down, "dataset"),
    ]
    for due, step, name in steps:
        problems += each_by_itself(due(), partial(_carry_out, step, name, at))[1]
    return problems


def _carry_out(step: Callable[..., object], name: str, at: datetime, row: Model) -> None:
    step(**{name: row}, at=at)


@transaction.atomic
def end_service(*, grant: Grant, at: datetime) -> Grant:
    """End a grant on a withdrawn entry, when the time of further service is over.

    Source: comparator (黑龙江)
    """
    was_served = grant.status != Grant.Status.DELIVERING
    reason = _("目录已撤回，延续服务期满") if was_served else _("目录在交付之前已撤回")
    platform = accounts.platform_user()
    close_grant(grant, "end", actor=platform, at=at, reason=str(reason))
    details = {"reason": str(reason)}
    ledger.record(platform, "sharing.end", grant, at=at, department=grant.provider, details=details)
    return grant


@transaction.atomic
def end_wind_down(*, dataset: Dataset, at: datetime) -> None:
    """Stop the clock of further service: nobody is served on a withdrawn entry any more.

    Source: comparator (黑龙江)
    """
    clocks.stop(dataset, queries.WIND_DOWN, at=at, met=True)
    platform = accounts.platform_user()
    ledger.record(platform, "sharing.end_wind_down", dataset, at=at, department=dataset.department)
