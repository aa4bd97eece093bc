"""A district's authority passes its departments' requests on to the city, or returns them."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.access import Standing
from apps.core.errors import IllegalMove, NotAllowed
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import DistrictReview, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking import contents
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import receiving
from apps.sharing.operations.deciding.opinions import said


@attempt("sharing.pass_on", "request")
def pass_on(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Pass the request on: the provider receives it and its legal clock starts.

    `reason` is a remark for the provider.

    Source: comparator (西安第三十三条); 《政务数据共享条例》第二十一条
    Raises:
        NotAllowed: the actor does not work for the district's authority, or asked for it himself.
        InvalidInput: the entry was withdrawn meanwhile, or the period is over.
    """
    standing, review = _held(request, actor, "pass_on", at)
    contents.refuse_incomplete(request, at)
    REQUEST.apply(
        request,
        "pass_on",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        received_at=at,
    )
    _close(review, "passed", actor=actor, at=at, opinion=reason)
    clocks.stop(request, queries.DISTRICT, at=at)
    ledger.record(standing, "sharing.pass_on", request, at=at, details=said(reason))
    receiving.receive(request, by=standing, at=at)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 已由%(authority)s转报")
        % {"number": request.number, "authority": review.authority},
        reason.strip(),
        at=at,
    )
    return request


@transaction.atomic
def pass_on_own(*, request: SharingRequest, at: datetime) -> None:
    """Pass on what an authority would have to review for itself. Repeat-safe.

    A reform made the asking department one with its district's authority, which asks directly.

    Source: house rule
    Raises:
        InvalidInput: the entry was withdrawn meanwhile, or the period is over.
    """
    request = SharingRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    review = queries.open_district_review(request)
    if review is None or review.authority_id != request.consumer_id:
        return
    platform = accounts.platform_user()
    contents.refuse_incomplete(request, at)
    REQUEST.apply(request, "pass_on", actor=platform, at=at, received_at=at)
    _close(review, "passed", actor=platform, at=at, opinion="")
    clocks.stop(request, queries.DISTRICT, at=at)
    ledger.record(platform, "sharing.pass_on", request, at=at, department=request.consumer)
    receiving.receive(request, by=Standing(platform), at=at)


@attempt("sharing.return_by_district", "request")
def return_by_district(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Return the request to its author in the district's department, with a reason.

    Source: comparator (西安第三十三条)
    """
    standing, review = _held(request, actor, "return_by_district", at)
    REQUEST.apply(
        request, "return_by_district", actor=actor, at=at, reason=reason, revision=revision
    )
    _close(review, "returned", actor=actor, at=at, opinion=reason)
    clocks.stop(request, queries.DISTRICT, at=at)
    owed.hand_on(request, by=standing, at=at)
    owed.tell_consumer(
        request,
        _("共享申请 %(number)s 被%(authority)s退回")
        % {"number": request.number, "authority": review.authority},
        reason.strip(),
        at=at,
    )
    ledger.record(standing, "sharing.return_by_district", request, at=at, details=said(reason))
    return request


def ask_district(
    request: SharingRequest, authority: Department, *, by: Standing, at: datetime
) -> None:
    """Put the request on the desk of the district's authority; its day starts to run.

    Called by the approval of the own head, which has asked permission and writes the event.
    """
    DistrictReview.objects.create(request=request, authority=authority, asked_at=at)
    clock = clocks.start(request, queries.DISTRICT, department=authority, at=at)
    owed.hand_on(request, by=by, at=at, due_on=clock.due_on)


def drop_district(request: SharingRequest, *, actor: User, at: datetime) -> None:
    """Nobody reviews what was withdrawn; its clock is the withdrawal's to cancel."""
    review = queries.open_district_review(request)
    if review is not None:
        _close(review, "withdrawn", actor=actor, at=at, opinion="")


def _held(
    request: SharingRequest, actor: User, action: str, at: datetime
) -> tuple[Standing, DistrictReview]:
    """Hold the request, then ask who may: of two who act at once the second finds it done."""
    list(SharingRequest.objects.select_for_update(of=("self",)).filter(pk=request.pk))
    review = queries.open_district_review(request)
    if review is None:
        access.require(actor, "view", request, at=at)
        raise IllegalMove(_("申请不在区县主管部门审核"))
    standing = access.require(actor, action, request, at=at)
    if request.applicant_id == actor.pk or actor.department_id == request.consumer_id:
        raise NotAllowed(_("不能办理本部门提出的申请的审核和答复"), code="own_request")
    return standing, review


def _close(
    review: DistrictReview, outcome: str, *, actor: User, at: datetime, opinion: str
) -> None:
    review.outcome, review.opinion = outcome, opinion.strip()
    review.done_by, review.done_at = actor, at
    review.save(update_fields=["outcome", "opinion", "done_by", "done_at"])
