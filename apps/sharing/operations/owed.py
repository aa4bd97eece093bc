"""Who is owed next after each move, and who is told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.core.access import Standing
from apps.ledger import operations as ledger
from apps.sharing.models import Grant, SharingRequest

Status = SharingRequest.Status


@dataclass(frozen=True, slots=True)
class Owed:
    """The next step of a status: whose department, which role, and what the to-do says."""

    side: Literal["consumer", "provider"]
    role: str
    title: str | Promise
    to_applicant: bool = False


NEXT: Final[dict[str, Owed]] = {
    Status.AWAITING_HEAD: Owed(
        "consumer", "department_approver", _("审批本部门的共享申请 %(number)s")
    ),
    Status.HEAD_RETURNED: Owed(
        "consumer", "department_editor", _("修改退回的共享申请 %(number)s"), to_applicant=True
    ),
    Status.SUPPLEMENT: Owed(
        "consumer", "department_editor", _("补正共享申请 %(number)s"), to_applicant=True
    ),
    Status.FORM_CHECK: Owed("provider", "department_editor", _("审查共享申请 %(number)s 的材料")),
    Status.REVIEWING: Owed("provider", "department_editor", _("审核共享申请 %(number)s")),
    Status.AWAITING_SIGNATURE: Owed(
        "provider", "department_approver", _("签发共享申请 %(number)s 的答复")
    ),
}


def page_of(request: SharingRequest) -> str:
    return f"/work/requests/{request.pk}/"


def provider_of(request: SharingRequest) -> Department:
    return request.dataset.department


def hand_on(
    request: SharingRequest,
    *,
    by: Standing | User,
    at: datetime,
    due_on: date | None = None,
) -> None:
    """Close the to-dos of the step that is done and open the next one's."""
    ledger.close_todos(request, at=at, by=_person(by))
    owed = NEXT.get(request.status)
    if owed is None:
        return
    department = request.consumer if owed.side == "consumer" else provider_of(request)
    ledger.open_todo(
        request,
        f"sharing.{request.status}",
        title=owed.title % {"number": request.number},
        url=page_of(request),
        department=department,
        role=owed.role,
        at=at,
        assignee=request.applicant if owed.to_applicant and request.applicant.is_active else None,
        due_on=due_on,
    )


def tell_consumer(
    request: SharingRequest, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell the applicant and the heads of the asking department."""
    people = {request.applicant, *accounts.approvers_of(request.consumer)}
    _tell(people, request, title, body, at=at)


def tell_provider(
    request: SharingRequest, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell the editors and heads of the providing department."""
    _tell(set(_handlers(provider_of(request))), request, title, body, at=at)


def tell_about_grant(
    grant: Grant, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell both departments, and the authority, which keeps an eye on every live service."""
    people = {
        *_handlers(grant.consumer),
        *_handlers(grant.provider),
        *accounts.holders_of("authority_officer"),
    }
    _tell(people, grant.request, title, body, at=at)


def _handlers(department: Department) -> list[User]:
    return list(accounts.members_with(["department_editor", "department_approver"], department))


def _tell(
    people: set[User],
    request: SharingRequest,
    title: str | Promise,
    body: str | Promise,
    *,
    at: datetime,
) -> None:
    recipients = sorted((p for p in people if p.is_active), key=lambda person: person.pk)
    ledger.notify(
        recipients, title=str(title), body=str(body), url=page_of(request), at=at, subject=request
    )


def _person(by: Standing | User) -> User:
    person: User = by.actor if isinstance(by, Standing) else by
    return person
