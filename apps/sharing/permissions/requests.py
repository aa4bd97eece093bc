"""Requests, the steps inside a department, extensions, urgent orders."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import DistrictReview, RouteStep, SharingRequest
from apps.sharing.permissions.parties import (
    EVERY,
    NOBODY,
    WEIGHED_IN,
    answered_for_by,
    asked_by,
    is_overseer,
    put_to_district,
)


@access.scope("sharing.SharingRequest", "view")
def parties_and_overseers(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return asked_by(actor) | put_to_district(actor) | Q(received_at__isnull=False)
    return asked_by(actor) | put_to_district(actor) | answered_for_by(actor)


@access.scope("sharing.SharingRequest", "read_reply")
def whoever_sees_a_decision(actor: User) -> Q:
    return parties_and_overseers(actor) & Q(decided_at__isnull=False)


@access.scope("sharing.SharingRequest", "read_opinions")
def whoever_answers_or_oversees(actor: User) -> Q:
    """Opinions that are not signed, and what was said about them, stay on the provider's side."""
    if is_overseer(actor) or actor.holds("audit_admin"):
        return Q(received_at__isnull=False) & ~asked_by(actor)
    return answered_for_by(actor)


@access.ability("sharing.SharingRequest", "create")
def editor_of_some_department(actor: User) -> bool:
    return actor.holds("department_editor")


@access.scope("sharing.SharingRequest", "change", "revise")
def consumer_editor_of_unsent(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return asked_by(actor) & Q(status__in=("draft", "head_returned", "supplement"))


@access.scope("sharing.SharingRequest", "submit", "recall", "ask_again")
def consumer_editor(actor: User) -> Q:
    return asked_by(actor) if actor.holds("department_editor") else NOBODY


@access.scope(
    "sharing.SharingRequest", "approve_by_head", "return_by_head", "accept_offer", "decline_offer"
)
def consumer_head(actor: User) -> Q:
    return asked_by(actor) if actor.holds("department_approver") else NOBODY


@access.scope("sharing.SharingRequest", "withdraw", "supplement")
def consumer_editor_or_head(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return asked_by(actor)


@access.scope("sharing.SharingRequest", "route")
def handlers_of_either_side(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    open_ones = ~Q(status__in=("delivered", "refused", "withdrawn"))
    return (asked_by(actor) | answered_for_by(actor)) & open_ones


@access.scope("sharing.SharingRequest", "attach")
def handlers_and_who_owes_papers(actor: User) -> Q:
    return handlers_of_either_side(actor) | consumer_lacking_papers(actor)


@access.scope(
    "sharing.SharingRequest",
    "accept_form",
    "ask_supplement",
    "propose",
    "offer",
    "retract_offer",
    "preview",
    "extend",
)
def provider_reviewer(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return answered_for_by(actor)


@access.scope("sharing.SharingRequest", "confirm", "opine")
def second_person(actor: User) -> Q:
    """The second review is another person's, not that of the proposer or of who stands in for him.

    Source: house rule (issue 5)
    """
    return provider_reviewer(actor) & ~Q(proposed_by=actor.pk)


@access.scope("sharing.SharingRequest", "weigh")
def whoever_decides_or_oversees(actor: User) -> Q:
    """The provider's people who have a hand in the decision, and the authority."""
    ahead = Q(received_at__isnull=False, status__in=WEIGHED_IN)
    if is_overseer(actor):
        return ahead & ~asked_by(actor)
    in_hand = RouteStep.objects.filter(
        side="provider", assignee=actor.pk, opened_at__isnull=False, done_at=None
    )
    has_step = answered_for_by(actor) & Q(pk__in=in_hand.values("request"))
    return ahead & (provider_reviewer(actor) | has_step)


@access.scope("sharing.SharingRequest", "agree")
def provider_head_with_agreement(actor: User) -> Q:
    """The head signs what was proposed; a refusal cannot become an agreement in the signing."""
    return _provider_head(actor) & Q(proposal__in=("agree", "narrow"))


@access.scope("sharing.SharingRequest", "refuse")
def provider_head_with_refusal(actor: User) -> Q:
    return _provider_head(actor) & Q(proposal="refuse")


@access.scope("sharing.SharingRequest", "send_back_proposal")
def second_person_or_head(actor: User) -> Q:
    """Whoever the opinion lies with returns it: the second person first, then the head."""
    with_second = Q(status="awaiting_second_review")
    return with_second & second_person(actor) | ~with_second & _provider_head(actor)


@access.scope("sharing.SharingRequest", "retract_proposal")
def reviewer_who_proposed(actor: User) -> Q:
    """Who gave the opinion, in his own name or that of the actor.

    The operation then asks for the very person: nobody takes back what another wrote.
    """
    standing_in = User.objects.filter(
        delegations_held__principal=actor.pk, delegations_held__revoked_at=None
    )
    own = Q(proposed_by=actor.pk) | Q(proposed_by__in=standing_in.values("pk"))
    return provider_reviewer(actor) & own


def _provider_head(actor: User) -> Q:
    return answered_for_by(actor) if actor.holds("department_approver") else NOBODY


@access.scope(
    "sharing.SharingRequest",
    "grant_automatically",
    "send_to_district",
    "propose_for_confirmation",
    "deliver",
    "drop_agreed",
    "delete",
)
def nobody_by_hand(actor: User) -> Q:
    """What the platform does by itself once its conditions hold."""
    return NOBODY


@access.scope("sharing.SharingRequest", "mark_urgent")
def authority_over_others_requests(actor: User) -> Q:
    if not is_overseer(actor):
        return NOBODY
    return Q(received_at__isnull=False) & ~asked_by(actor)


@access.scope("sharing.SharingRequest", "review_urgent")
def authority_but_who_ordered(actor: User) -> Q:
    """What was urgent is looked at afterwards by another person of the authority.

    Source: house rule (issue 5)
    """
    if not is_overseer(actor):
        return NOBODY
    decided = Q(status__in=("agreed", "delivered", "refused", "withdrawn"))
    return decided & Q(urgency__isnull=False) & ~Q(urgency__ordered_by=actor.pk)


def _lacking_papers() -> Q:
    """Urgent requests whose papers are still owed, as long as the temporary grant lasts."""
    return Q(
        status="delivered",
        urgency__missing_papers__gt="",
        urgency__papers_at=None,
        grant__status__in=("in_force", "suspended"),
    )


@access.scope("sharing.SharingRequest", "backfill")
def consumer_lacking_papers(actor: User) -> Q:
    return consumer_editor_or_head(actor) & _lacking_papers()


@access.scope("sharing.SharingRequest", "pass_on", "return_by_district")
def district_authority(actor: User) -> Q:
    """Editor or head of the authority with which the request lies, never of who asks."""
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    lying = DistrictReview.objects.filter(authority=actor.department_id, outcome="")
    return Q(pk__in=lying.values("request")) & ~asked_by(actor)


@access.scope("sharing.DeadlineExtension", "view")
def parties_of_extension(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(request__consumer=actor.department_id) | Q(
        request__dataset__department=actor.department_id
    )


@access.scope("sharing.DeadlineExtension", "consent_extension")
def authority_over_extensions(actor: User) -> Q:
    """Another person than who asked for the time."""
    return ~Q(asked_by=actor.pk) if is_overseer(actor) else NOBODY


@access.scope("sharing.Offer", "view")
def parties_of_offer(actor: User) -> Q:
    """Whoever may see the request sees what was offered, and what became of it."""
    seen = SharingRequest.objects.filter(parties_and_overseers(actor))
    return Q(request__in=seen.values("pk"))


@access.scope("sharing.Offer", "change", "delete")
def no_offer_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.Offer", "create")
def nobody_creates_offers_alone(actor: User) -> bool:
    """An offer is made about a request: `offer` on the request says who may."""
    return False


@access.scope("sharing.RouteStep", "view")
def department_of_step(actor: User) -> Q:
    return Q(department=actor.department_id)


@access.scope("sharing.RouteStep", "handle_step")
def assignee_of_step(actor: User) -> Q:
    return Q(assignee=actor.pk, done_at=None, opened_at__isnull=False)


@access.scope("sharing.RouteStep", "recall_step")
def whoever_passed_it_on(actor: User) -> Q:
    """Who handled a step may call it back, as long as nobody after him has acted."""
    return Q(done_by=actor.pk)


@access.scope("sharing.Urgency", "view")
def parties_of_urgency(actor: User) -> Q:
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    return Q(request__consumer=actor.department_id) | Q(
        request__dataset__department=actor.department_id
    )
