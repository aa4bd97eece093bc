"""The head of the asking department's sharing office lets a request go out, or returns it."""

from datetime import datetime
from typing import Any

from apps.accounts.models import User
from apps.core import access
from apps.ledger import operations as ledger
from apps.sharing import queries
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking import contents, district
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import internal_route, receiving
from apps.sharing.operations.deciding.opinions import said


@attempt("sharing.approve_by_head", "request")
def approve_by_head(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Approve the own department's request: the provider receives it and its clock starts.

    Unconditional data is granted by the platform in the same breath, with a record of it. What
    crosses levels goes to the district's own authority first, and nobody else has received it yet.

    Source: 《政务数据共享条例》第二十条、第二十一条; comparator (西安第三十三条)
    Raises:
        NotAllowed: the actor does not sign for the asking department.
        Conflict: a step of the internal route is still open.
    """
    standing = access.require(actor, "approve_by_head", request, at=at)
    internal_route.refuse_unfinished(request, "consumer")
    contents.refuse_incomplete(request, at)
    authority = queries.district_authority_of(request)
    moved: dict[str, Any] = (
        {"approved_by": actor} if authority else {"approved_by": actor, "received_at": at}
    )
    REQUEST.apply(
        request,
        "send_to_district" if authority else "approve_by_head",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        **moved,
    )
    ledger.record(standing, "sharing.approve_by_head", request, at=at, details=said(reason))
    if authority is None:
        receiving.receive(request, by=standing, at=at)
    else:
        district.ask_district(request, authority, by=standing, at=at)
    return request


@attempt("sharing.return_by_head", "request")
def return_by_head(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Return the request to its author inside the asking department."""
    standing = access.require(actor, "return_by_head", request, at=at)
    REQUEST.apply(request, "return_by_head", actor=actor, at=at, reason=reason, revision=revision)
    internal_route.drop_open(request, "consumer", actor=actor, at=at)
    owed.hand_on(request, by=standing, at=at)
    ledger.record(standing, "sharing.return_by_head", request, at=at, details=said(reason))
    return request
