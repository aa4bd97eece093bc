"""Who is owed next after each move of a demand, who is told, which clocks end."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.accounts.queries import authority, members_with
from apps.catalog.models import Demand, DemandStatus
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.ledger import operations as ledger

HANDLERS: Final = ("department_editor", "department_approver")


@dataclass(frozen=True, slots=True)
class Owed:
    """The next step of a status: whose side, which role, what the to-do says."""

    side: Literal["department", "provider", "authority"]
    role: str
    title: str | Promise
    to_drafter: bool = False


NEXT: Final[dict[str, Owed]] = {
    DemandStatus.AWAITING_HEAD: Owed(
        "department", "department_approver", _("审批本部门的数据需求：%(title)s")
    ),
    DemandStatus.RETURNED: Owed(
        "department", "department_editor", _("修改退回的数据需求：%(title)s"), to_drafter=True
    ),
    DemandStatus.SUBMITTED: Owed("authority", "authority_officer", _("审核数据需求：%(title)s")),
    DemandStatus.FORWARDED: Owed("provider", "department_editor", _("答复数据需求：%(title)s")),
    DemandStatus.AWAITING_SIGNATURE: Owed(
        "provider", "department_approver", _("签发数据需求的答复：%(title)s")
    ),
    DemandStatus.AGREED: Owed("provider", "department_editor", _("落实数据需求：%(title)s")),
    DemandStatus.FULFILLED: Owed(
        "department", "department_editor", _("申请或者确认需求的数据：%(title)s"), to_drafter=True
    ),
    DemandStatus.REFUSED: Owed(
        "department", "department_editor", _("办结未获提供的数据需求：%(title)s"), to_drafter=True
    ),
}


def hand_on(demand: Demand, *, by: User | None, at: datetime, due_on: date | None = None) -> None:
    """Close the to-dos of the step that is done and open the next one's."""
    ledger.close_todos(demand, at=at, by=by)
    owed = NEXT.get(demand.status)
    if owed is None:
        return
    drafter = demand.drafted_by if owed.to_drafter and demand.drafted_by.is_active else None
    ledger.open_todo(
        demand,
        f"catalog.demand_{demand.status}",
        title=owed.title % {"title": demand.title},
        url=demand.get_absolute_url(),
        department=_department(demand, owed.side),
        role=owed.role,
        at=at,
        assignee=drafter,
        due_on=due_on,
    )


def open_review(demand: Demand, *, by: User, at: datetime) -> None:
    """Start the authority's clock and give it the to-do."""
    clock = clocks.start(demand, "demand.review", department=authority(), at=at)
    hand_on(demand, by=by, at=at, due_on=clock.due_on)


def tell(
    department: Department | None,
    demand: Demand,
    title: str | Promise,
    body: str | Promise = "",
    *,
    at: datetime,
) -> None:
    """Tell those who handle demands in a department; nobody where there is none."""
    if department is None:
        return
    ledger.notify(
        members_with(HANDLERS, department),
        title=title % {"title": demand.title},
        body=body,
        url=demand.get_absolute_url(),
        at=at,
        subject=demand,
    )


def stop(demand: Demand, code: str, *, at: datetime) -> None:
    """Stop a clock that runs; none is no error."""
    if clock_queries.running(demand).filter(policy__code=code).exists():
        clocks.stop(demand, code, at=at)


def _department(demand: Demand, side: str) -> Department | None:
    match side:
        case "department":
            return demand.department
        case "provider":
            return demand.provider
        case _:
            return authority()
