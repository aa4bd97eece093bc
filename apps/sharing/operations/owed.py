"""Who is owed next after each move, and who is told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.core.access import Standing
from apps.core.templatetags.dates import minute
from apps.ledger import operations as ledger
from apps.ledger import queries as ledger_queries
from apps.sharing import queries
from apps.sharing.models import (
    Credential,
    Disposal,
    Grant,
    Offer,
    ServiceChange,
    SharingRequest,
    Urgency,
    UsageReport,
)
from apps.sharing.queries.offers import ANSWER_OWED

Status = SharingRequest.Status
MOST_OF_NAME: Final = 60  # characters of an entry's name in a to-do
RECERTIFY_PAGE: Final = "/work/grants/recertify/"


@dataclass(frozen=True, slots=True)
class Owed:
    """The next step of a status: whose department, which role, and what the to-do says."""

    side: Literal["consumer", "provider", "district"]
    role: str
    title: str | Promise
    to_applicant: bool = False


NEXT: Final[dict[str, Owed]] = {
    Status.AWAITING_HEAD: Owed(
        "consumer", "department_approver", _("审批本部门的共享申请 %(number)s")
    ),
    Status.DISTRICT_REVIEW: Owed(
        "district", "department_approver", _("审核本区县的共享申请 %(number)s，转报或者退回")
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


NOBODY_CONFIRMS: Final = _(
    "除提出处理意见的人和签发的负责人外，提供部门没有第三人可以复核；时限照常计算。"
    "给另一名工作人员授予经办或者负责人角色，或者办理代办委托，即可复核。"
)
SECOND_ASKED: Final = "sharing.awaiting_second_review"
SECOND_MISSING: Final = "sharing.second_missing"


def page_of(request: SharingRequest) -> str:
    return f"/work/requests/{request.pk}/"


def offer_page(offer: Offer) -> str:
    """Where the consumer answers an offer, and the provider takes it back."""
    return f"/work/requests/{offer.request_id}/offers/{offer.version}/"


def change_page(change: ServiceChange) -> str:
    return f"/work/grants/changes/{change.pk}/"


def disposal_page(disposal: Disposal) -> str:
    return f"/work/grants/disposals/{disposal.pk}/"


def page_of_grant(grant: Grant) -> str:
    return f"/work/grants/{grant.pk}/"


def login_page_of(grant: Grant) -> str:
    """Where the operator opens the database login of a grant's system."""
    return f"/work/grants/{grant.pk}/login/"


def page_of_credential(credential: Credential) -> str:
    return f"/work/credentials/{credential.pk}/"


def need_page_of(grant: Grant) -> str:
    """Where the consumer says whether it still needs the grant."""
    return f"/work/grants/{grant.pk}/need/"


def usage_report_page(report: UsageReport) -> str:
    return f"/work/grants/usage-reports/{report.pk}/"


def provider_of(request: SharingRequest) -> Department:
    return request.dataset.department


def _named(title: str | Promise, request: SharingRequest) -> str:
    """Say which request, and of which entry, so that a desk full of them can be told apart."""
    step = title % {"number": request.number}
    name = Truncator(request.dataset.name).chars(MOST_OF_NAME)
    return str(_("%(step)s：%(name)s") % {"step": step, "name": name})


def _of_side(request: SharingRequest, side: str) -> Department:
    if side == "district":
        review = queries.open_district_review(request)
        assert review is not None  # opened with the status
        return review.authority
    return request.consumer if side == "consumer" else provider_of(request)


def hand_on(
    request: SharingRequest,
    *,
    by: Standing | User,
    at: datetime,
    due_on: date | None = None,
) -> None:
    """Close the to-dos of the step that is done and open the next one's.

    The answer to an open offer is the consumer's: it is done when the offer is closed.
    """
    ledger.close_todos(request, at=at, by=_person(by), but=ANSWER_OWED)
    if request.status == Status.AWAITING_SECOND_REVIEW:
        ask_second_person(request, at=at, due_on=due_on)
        return
    owed = NEXT.get(request.status)
    if owed is None:
        return
    department = _of_side(request, owed.side)
    ledger.open_todo(
        request,
        f"sharing.{request.status}",
        title=_named(owed.title, request),
        url=page_of(request),
        department=department,
        role=owed.role,
        at=at,
        assignee=request.applicant if owed.to_applicant and request.applicant.is_active else None,
        due_on=due_on,
    )


def ask_second_person(request: SharingRequest, *, at: datetime, due_on: date | None = None) -> None:
    """Put the second review on the desks of those who can do it, or say at once that nobody can.

    Repeat-safe. Who was told that nobody can is told no more once somebody can.

    Source: house rule (issue 5)
    """
    people = queries.second_reviewers(request, at)
    if not people:
        _say_nobody_confirms(request, at=at, due_on=due_on)
        return
    ledger.close_todos(request, at=at, by=None, kind=SECOND_MISSING)
    for person in people:
        ledger.open_todo(
            request,
            SECOND_ASKED,
            title=_named(_("复核共享申请 %(number)s"), request),
            url=page_of(request),
            department=person.department,
            role="",
            at=at,
            assignee=person,
            due_on=due_on,
        )


def _say_nobody_confirms(request: SharingRequest, *, at: datetime, due_on: date | None) -> None:
    """Head and authority owe a second person; the clock goes on meanwhile."""
    if ledger_queries.open_todos_of(request).filter(kind=SECOND_MISSING).exists():
        return
    provider, authority = provider_of(request), accounts.authority()
    title = _("共享申请 %(number)s 无人可以复核，须落实复核人") % {"number": request.number}
    for department, role in (
        (provider, "department_approver"),
        (authority, "authority_officer"),
    ):
        ledger.open_todo(
            request,
            SECOND_MISSING,
            title=title,
            url=page_of(request),
            department=department,
            role=role,
            at=at,
            due_on=due_on,
        )
    people = {*heads_and_stand_ins(provider, at), *accounts.holders_of("authority_officer")}
    tell_people(people, request, title, NOBODY_CONFIRMS, at=at)


def tell_urgent(
    request: SharingRequest, urgency: Urgency, *, due_at: datetime, at: datetime
) -> None:
    """Tell the provider's head, his stand-ins and reviewers at once; the head owes it, too.

    Source: house rule (issue 5)
    """
    provider = provider_of(request)
    names = {"number": request.number, "kind": urgency.get_kind_display(), "due": minute(due_at)}
    title = _("急件（%(kind)s）：%(due)s前答复共享申请 %(number)s") % names
    ledger.open_todo(
        request,
        "sharing.urgent",
        title=title,
        url=page_of(request),
        department=provider,
        role="department_approver",
        at=at,
        due_on=timezone.localdate(due_at),
    )
    people = {*heads_and_stand_ins(provider, at), *handlers_of(provider)}
    tell_people(people, request, title, urgency.basis, at=at)
    tell_consumer(
        request,
        _("共享申请 %(number)s 已列为急件") % names,
        _("提供部门须在 %(due)s前答复；授权至多 %(days)s 日，到期自动终止。")
        % {**names, "days": urgency.grant_days},
        at=at,
    )


def heads_and_stand_ins(department: Department, at: datetime) -> list[User]:
    """Return the heads of the department's sharing office and those who stand in for them."""
    heads = list(accounts.approvers_of(department))
    day = timezone.localtime(at).date()
    stand_ins = accounts.stand_ins(heads, day).select_related("deputy")
    return [*heads, *(row.deputy for row in stand_ins)]


def tell_consumer(
    request: SharingRequest, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell the applicant and the heads of the asking department."""
    people = {request.applicant, *accounts.approvers_of(request.consumer)}
    tell_people(people, request, title, body, at=at)


def tell_provider(
    request: SharingRequest, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell the editors and heads of the providing department."""
    tell_people(set(handlers_of(provider_of(request))), request, title, body, at=at)


def tell_about_grant(
    grant: Grant, title: str | Promise, body: str | Promise, *, at: datetime
) -> None:
    """Tell both departments, and the authority, which keeps an eye on every live service."""
    people = {
        *handlers_of(grant.consumer),
        *handlers_of(grant.provider),
        *accounts.holders_of("authority_officer"),
    }
    tell_people(people, grant.request, title, body, at=at)


def handlers_of(department: Department) -> list[User]:
    """Return the editors and heads of a department."""
    return list(accounts.members_with(["department_editor", "department_approver"], department))


def tell_people(
    people: set[User],
    request: SharingRequest,
    title: str | Promise,
    body: str | Promise,
    *,
    at: datetime,
) -> None:
    """Tell those of the people who may still sign in."""
    recipients = sorted((p for p in people if p.is_active), key=lambda person: person.pk)
    ledger.notify(
        recipients, title=str(title), body=str(body), url=page_of(request), at=at, subject=request
    )


def _person(by: Standing | User) -> User:
    person: User = by.actor if isinstance(by, Standing) else by
    return person
