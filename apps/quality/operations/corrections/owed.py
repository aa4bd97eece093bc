"""Who is owed next after each move of a correction, who is told, how its clock runs."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department, User
from apps.accounts.queries import authority, members_with
from apps.clocks import operations as clocks
from apps.clocks import queries as clock_queries
from apps.ledger import operations as ledger
from apps.quality.models import Correction, CorrectionStatus

HANDLERS: Final = ("department_editor", "department_approver")
TOLD: Final = (*HANDLERS, "authority_officer")
CLOCK: Final = "correction.verify"


@dataclass(frozen=True, slots=True)
class Owed:
    """The next step of a status: whose side, which role, what the to-do says."""

    side: Literal["raiser", "handler", "provider", "authority"]
    role: str
    title: str | Promise


NEXT: Final[dict[str, Owed]] = {
    CorrectionStatus.RAISED: Owed("handler", "department_editor", _("受理校核：%(what)s")),
    CorrectionStatus.ACCEPTED: Owed("handler", "department_editor", _("核实校核：%(what)s")),
    CorrectionStatus.VERIFYING: Owed("handler", "department_approver", _("认定校核：%(what)s")),
    CorrectionStatus.CORRECTING: Owed("provider", "department_editor", _("更正数据：%(what)s")),
    CorrectionStatus.FEEDBACK: Owed("raiser", "department_editor", _("确认校核结果：%(what)s")),
    CorrectionStatus.CONTESTED: Owed("authority", "authority_officer", _("协调校核异议：%(what)s")),
}


def hand_on(correction: Correction, *, by: User | None, at: datetime) -> None:
    """Close the to-dos of the step that is done and open the next one's."""
    ledger.close_todos(correction, at=at, by=by)
    owed = NEXT.get(correction.status)
    if owed is None:
        return
    ledger.open_todo(
        correction,
        f"quality.correction_{correction.status}",
        title=owed.title % {"what": correction.subject_in_words},
        url=correction.get_absolute_url(),
        department=_department(correction, owed.side),
        role=owed.role,
        at=at,
        assignee=_raiser(correction) if owed.side == "raiser" else None,
        due_on=_due_on(correction),
    )


def start_clock(correction: Correction, *, received_at: datetime) -> None:
    """Let ten working days run from the receipt for the department that verifies.

    Source: 《政务数据共享条例》第二十六条
    """
    clocks.start(correction, CLOCK, department=correction.handler, at=received_at)


def stop_clock(correction: Correction, *, at: datetime) -> None:
    """Stop the clock if it runs; none is no error."""
    if clock_queries.running(correction).filter(policy__code=CLOCK).exists():
        clocks.stop(correction, CLOCK, at=at)


def tell(
    departments: list[Department],
    correction: Correction,
    title: str | Promise,
    body: str | Promise = "",
    *,
    at: datetime,
    url: str | None = None,
) -> None:
    """Tell those who handle corrections in these departments."""
    people = [person for each in departments for person in members_with(TOLD, each)]
    ledger.notify(
        people,
        title=title % {"what": correction.subject_in_words},
        body=body,
        url=correction.get_absolute_url() if url is None else url,
        at=at,
        subject=correction,
    )


def _due_on(correction: Correction) -> date | None:
    running = clock_queries.running(correction).first()
    return running.due_on if running is not None else None


def _raiser(correction: Correction) -> User | None:
    """The person who raised it; what a system raised is anybody's in its department."""
    person = correction.raised_by
    return person if person.kind == User.Kind.PERSON and person.is_active else None


def _department(correction: Correction, side: str) -> Department:
    match side:
        case "raiser":
            return correction.department
        case "handler":
            return correction.handler
        case "provider":
            return correction.dataset.department
        case _:
            return authority()
