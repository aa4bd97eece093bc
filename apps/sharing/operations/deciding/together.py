"""One act on several requests: each by itself, through the very operation of a single one.

Source: house rule (issue 5: batch decisions)
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import access
from apps.core.errors import Conflict, InvalidInput
from apps.sharing import queries
from apps.sharing.models import Decision, SharingRequest, TermsTemplate
from apps.sharing.operations.asking import approval, district, drafting
from apps.sharing.operations.deciding import review
from apps.sharing.operations.deciding.narrowing import takes_away
from apps.sharing.operations.one_by_one import Tried, try_each
from apps.sharing.queries import weighing

MOST_TOGETHER: Final = 50
LOOK_ALONE: Final = _("审批参考有“高”的提示，须打开单独办理")


def act_together(
    *,
    requests: Iterable[SharingRequest],
    act: str,
    actor: User,
    at: datetime,
    revisions: Mapping[int, int] | None = None,
    **words: Any,
) -> list[Tried[SharingRequest]]:
    """Do the same with several requests of one entry, or of one matter.

    act: one of `ACTS`. words: what it takes beside; reason, and of `propose` also outcome,
    legal_basis and template. revisions: what the person saw, by key. Each is a transaction of its
    own with its own permission, second review and urgent order: one that cannot be done leaves
    the others done.

    What is to be agreed to and has something grave against it is looked at alone, on its own page.

    Raises:
        InvalidInput: no such act, nothing chosen, too many, or of several entries and matters.
    """
    chosen = list(requests)
    if act not in ACTS:
        raise InvalidInput(_("没有这种批量办理"), code="unknown_act", field="act")
    refuse_unlike(chosen)
    words.setdefault("reason", "")  # whether one is due is the operation's to say
    seen = revisions or {}
    return try_each(
        chosen,
        lambda request: ACTS[act](
            request=request, actor=actor, at=at, revision=seen.get(request.pk), **words
        ),
    )


def refuse_unlike(requests: list[SharingRequest]) -> None:
    """Keep apart what has nothing in common: it is to be looked at one by one.

    Raises:
        InvalidInput: nothing chosen, too many, or of several entries and matters.
    """
    if not requests:
        raise InvalidInput(_("先选择要办理的申请"), code="nothing_chosen")
    if len(requests) > MOST_TOGETHER:
        raise InvalidInput(
            _("一次至多办理 %(most)s 件") % {"most": MOST_TOGETHER}, code="too_many_chosen"
        )
    datasets = {request.dataset_id for request in requests}
    packages = {request.package_id for request in requests}
    if len(datasets) > 1 and (len(packages) > 1 or None in packages):
        raise InvalidInput(
            _("只有同一数据目录的申请，或者同一件事的各部分，才能一并办理"), code="not_alike"
        )


def propose_by_template(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    outcome: str = "agree",
    template: TermsTemplate | None = None,
    reason: str = "",
    legal_basis: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Propose to agree as asked, or under a template's terms, or to refuse.

    A template that takes nothing away from what was asked is an agreement as asked.

    Raises:
        InvalidInput: the template is another entry's, or leaves no item; as in `propose`.
    """
    narrowing: dict[str, Any] = {}
    asked = queries.asked_terms(request)
    if outcome == "narrow" and asked is not None:
        filled = _filled(template, request, asked)
        wanted = {
            "items": filled.items,
            "row_condition": filled.added,
            "mode": filled.mode,
            "ends_on": filled.ends_on,
        }
        if takes_away(request, asked, wanted=wanted, limits=filled.limits):
            narrowing = {**wanted, **filled.limits}
        else:
            outcome = "agree"
    if outcome != "refuse" and asked is not None:
        terms = weighing.weighed_terms(
            request,
            asked,
            items=narrowing.get("items"),
            mode=narrowing.get("mode"),
            ends_on=narrowing.get("ends_on"),
            has_condition=bool(asked.row_condition or narrowing.get("row_condition")),
        )
        _refuse_grave(terms, actor, at)
    return review.propose(
        request=request,
        outcome=outcome,
        actor=actor,
        at=at,
        reason=reason,
        legal_basis=legal_basis,
        revision=revision,
        **narrowing,
    )


def agree_unless_grave(
    *,
    request: SharingRequest,
    actor: User,
    at: datetime,
    reason: str = "",
    revision: int | None = None,
) -> SharingRequest:
    """Sign an agreement among others; what has something grave against it is signed alone.

    Raises:
        Conflict: there is; as in `agree`.
    """
    decision = queries.latest_decision(request)
    if decision is not None and access.allowed(actor, "agree", request, at=at):
        _refuse_grave(weighing.weighed_terms(request, decision), actor, at)
    return review.agree(request=request, actor=actor, at=at, reason=reason, revision=revision)


def _refuse_grave(terms: weighing.Weighed, actor: User, at: datetime) -> None:
    """Keep what weighs heavily out of a decision on many.

    Source: house rule (issue 5: batch decisions)
    """
    levels = [finding.level for finding in weighing.findings_of(terms)]
    levels.append(weighing.aggregation_of(terms, actor, at).level)
    if weighing.Level.HIGH in levels:
        raise Conflict(LOOK_ALONE, code="look_alone")


def _filled(
    template: TermsTemplate | None, request: SharingRequest, asked: Decision
) -> queries.Filled:
    if template is None:
        raise InvalidInput(_("选择授权条款模板"), code="no_template", field="template")
    if template.dataset_id != request.dataset_id or template.status != TermsTemplate.Status.IN_USE:
        raise InvalidInput(
            _("授权条款模板不是这项数据目录在用的模板"), code="unfit_template", field="template"
        )
    filled = queries.filled_from(template, asked)
    if not filled.items:
        raise InvalidInput(
            _("模板不提供所申请的数据项，须单独办理"), code="no_items", field="template"
        )
    return filled


ACTS: Final[Mapping[str, Callable[..., SharingRequest]]] = {
    "approve_by_head": approval.approve_by_head,
    "return_by_head": approval.return_by_head,
    "pass_on": district.pass_on,
    "return_by_district": district.return_by_district,
    "accept_form": review.accept_form,
    "propose": propose_by_template,
    "agree": agree_unless_grave,
    "refuse": review.refuse,
    "withdraw": drafting.withdraw,
}
