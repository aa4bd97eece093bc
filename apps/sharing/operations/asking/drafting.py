"""The asking department writes a request, changes it, sends it on, takes it back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import InformationSystem, User
from apps.catalog.models import Dataset, Demand
from apps.clocks import operations as clocks
from apps.core import access
from apps.core.copying import draw_keys
from apps.core.errors import NotAllowed, StaleRevision
from apps.ledger import operations as ledger
from apps.sharing.lifecycle import REQUEST
from apps.sharing.models import RequestPackage, SharingRequest
from apps.sharing.operations import owed
from apps.sharing.operations.asking import contents, return_flow_terms
from apps.sharing.operations.asking.demand_news import give_back
from apps.sharing.operations.asking.district import drop_district
from apps.sharing.operations.attempts import attempt
from apps.sharing.operations.deciding import internal_route, urgent_terms
from apps.sharing.operations.deciding.open_offers import close_open_offer
from apps.sharing.operations.deciding.opinions import drop_sealed, said
from apps.sharing.operations.deciding.widening import refuse_grown
from apps.sharing.operations.versions import save_version


@attempt("sharing.draft_request", "dataset")
def draft_request(
    *,
    dataset: Dataset,
    system: InformationSystem,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] = (),
    **written: Any,
) -> SharingRequest:
    """Begin a request of the actor's department for one of its systems.

    items: column names, or column names with the mask asked for; all shareable items when absent.
    Sensitive items come with their mask unless another is named.
    written: basis, scenario, scope, mode, starts_on, ends_on, vouched; may be completed later.

    Source: 《政务数据共享条例》第二十条
    Raises:
        InvalidInput: the dataset or an item is not to be had, the system is another department's.
    """
    standing = access.require(actor, "create", SharingRequest, at=at)
    contents.refuse_unmeetable(dataset, row_condition)
    request = begin(
        standing,
        dataset=dataset,
        system=system,
        at=at,
        items=items,
        row_condition=row_condition,
        written=written,
    )
    ledger.record(standing, "sharing.draft_request", request, at=at)
    return request


def begin(
    standing: access.Standing,
    *,
    dataset: Dataset,
    system: InformationSystem,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None,
    written: Mapping[str, Any],
    row_condition: Sequence[dict[str, Any]] = (),
    demand: Demand | None = None,
    package: RequestPackage | None = None,
    previous: SharingRequest | None = None,
) -> SharingRequest:
    """Write a new request down; who drafts it has been allowed to, and records it.

    Raises:
        InvalidInput: as in `draft_request`.
    """
    actor: User = standing.actor
    consumer = (standing.principal or actor).department
    assert consumer is not None  # only members may draft
    contents.refuse_unavailable(dataset, consumer)
    contents.refuse_unfit_system(system, consumer)
    request = SharingRequest(
        dataset=dataset,
        consumer=consumer,
        system=system,
        applicant=actor,
        demand=demand,
        package=package,
        previous=previous,
        created_at=at,
        updated_at=at,
    )
    draw_keys([request])
    request.number = f"SQ-{timezone.localtime(at).year}-{request.pk:06d}"
    contents.write(request, written)
    request.row_condition = contents.checked_condition(request, row_condition)
    save_version(request, actor=actor, at=at, reason=_("起草"), insert=True)
    contents.choose_items(request, items)
    return request


@attempt("sharing.revise", "request")
def revise(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    items: Sequence[str] | Mapping[str, str] | None = None,
    row_condition: Sequence[dict[str, Any]] | None = None,
    revision: int | None = None,
    **written: Any,
) -> SharingRequest:
    """Change a request that is still, or again, with its author.

    What is not given stays as it is; what is given as it stands leaves no version.

    Raises:
        StaleRevision: somebody changed it after the page was opened.
    """
    standing = access.require(actor, "revise", request, at=at)
    request = _locked(request, revision)
    before = contents.written_down(request)
    contents.write(request, written)
    if row_condition is not None:
        return_flow_terms.refuse_other_rows(request, row_condition)
        contents.refuse_unmeetable(request.dataset, row_condition)
        request.row_condition = contents.checked_condition(request, row_condition)
    turned = [] if items is None else contents.choose_anew(request, items)
    after = contents.written_down(request)
    changed = [name for name, value in after.items() if value != before[name]]
    if not changed and not turned:
        return request
    request.revision += 1
    request.updated_at = at
    words = "；".join(turned)
    save_version(request, actor=actor, at=at, reason=words or _("修改"))
    details = {"changed": sorted(changed), "reason": words}
    ledger.record(standing, "sharing.revise", request, at=at, details=details)
    return request


@attempt("sharing.submit", "request")
def submit(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Send the request to the own sharing office's head, by the internal route if there is one.

    Source: 《政务数据共享条例》第二十条
    Raises:
        InvalidInput: one of the five mandatory statements is missing, or nobody vouches for it.
    """
    standing = access.require(actor, "submit", request, at=at)
    _hold(request)
    contents.refuse_incomplete(request, at)
    REQUEST.apply(
        request, "submit", actor=actor, at=at, reason=reason, revision=revision, submitted_at=at
    )
    if not internal_route.open_first(request, "consumer", at=at):
        owed.hand_on(request, by=standing, at=at)
    ledger.record(standing, "sharing.submit", request, at=at, details=said(reason))
    return request


@attempt("sharing.recall", "request")
def recall(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Take the request back from the own department's route to change it."""
    standing = access.require(actor, "recall", request, at=at)
    REQUEST.apply(request, "recall", actor=actor, at=at, reason=reason, revision=revision)
    internal_route.drop_open(request, "consumer", actor=actor, at=at)
    owed.hand_on(request, by=standing, at=at)
    ledger.record(standing, "sharing.recall", request, at=at, details=said(reason))
    return request


@attempt("sharing.supplement", "request")
def supplement(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Hand in what the provider found missing; `reason` says what was supplemented.

    The provider's clock runs on, from the receipt of the supplement.

    Source: 《政务数据共享条例》第二十一条
    Raises:
        InvalidInput: it is incomplete; or it asks for more than the own head sent, and the actor
            is not the head (`head_must_supplement`); or than the district passed on
            (`asks_for_more`).
    """
    standing = access.require(actor, "supplement", request, at=at)
    _hold(request)
    contents.refuse_incomplete(request, at)
    refuse_grown(request, by_head=access.allowed(actor, "approve_by_head", request, at=at))
    REQUEST.apply(
        request,
        "supplement",
        actor=actor,
        at=at,
        reason=reason,
        revision=revision,
        supplement_answer=reason.strip(),
    )
    contents.record_asked(request, actor=actor, at=at)
    clock = clocks.resume(request, "request.conditional", at=at)
    owed.hand_on(request, by=standing, at=at, due_on=clock.due_on)
    owed.tell_provider(
        request,
        _("共享申请 %(number)s 已补正") % {"number": request.number},
        reason.strip(),
        at=at,
    )
    ledger.record(standing, "sharing.supplement", request, at=at, details=said(reason))
    return request


@attempt("sharing.withdraw", "request")
def withdraw(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str,
    revision: int | None = None,
) -> SharingRequest:
    """Give the request up; nothing is owed on it any more."""
    standing = access.require(actor, "withdraw", request, at=at)
    REQUEST.apply(request, "withdraw", actor=actor, at=at, reason=reason, revision=revision)
    drop_district(request, actor=actor, at=at)
    drop_sealed(request, at)
    clocks.cancel(request, at=at)
    close_open_offer(request, actor=actor, at=at, why=_("申请已撤回"))
    for side in ("consumer", "provider"):
        internal_route.drop_open(request, side, actor=actor, at=at)
    owed.hand_on(request, by=standing, at=at)
    urgent_terms.ask_review(request, at=at)
    give_back(request, _("共享申请 %(number)s 已撤回"), at=at)
    if request.received_at is not None:
        owed.tell_provider(
            request,
            _("共享申请 %(number)s 已由使用部门撤回") % {"number": request.number},
            reason.strip(),
            at=at,
        )
    ledger.record(standing, "sharing.withdraw", request, at=at, details=said(reason))
    return request


def _hold(request: SharingRequest) -> None:
    """See the request as it is now, until the transaction ends: what is checked is what is sent."""
    request.refresh_from_db(from_queryset=SharingRequest.objects.select_for_update(of=("self",)))


def _locked(request: SharingRequest, revision: int | None) -> SharingRequest:
    current = SharingRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if revision is not None and current.revision != revision:
        raise StaleRevision
    if current.status not in ("draft", "head_returned", "supplement"):
        raise NotAllowed(_("申请已提交，不能修改"), code="already_submitted")
    return current
