"""Which requests need a second person of the provider (复核), and who can be that person."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.catalog.models import DataItem, DatasetGroupPermission
from apps.sharing.models import RequestedItem, SharingRequest
from apps.sharing.queries.terms import asked_terms_of_each

HIGH_GRADES: Final = ("3", "4", "important", "core")
REVIEWERS: Final = ("department_editor", "department_approver")
SIGNERS: Final = ("department_approver",)


@dataclass(frozen=True, slots=True)
class _Hand:
    """Somebody who can act, and in whose name: his own, or that of whom he stands in for."""

    who: int
    name: int


def needs_second_review(request: SharingRequest) -> bool:
    """Say whether two people in turn form the provider's opinion before it is signed.

    So it is from grade 3 on, of the entry or of an item that is asked for, and for sensitive
    personal information among what is asked for; also where an entry that holds such information
    does not say in which items.

    Source: house rule (issue 5); GB/T 45574-2025
    """
    return request.pk in needing_second_review([request])


def needing_second_review(requests: Collection[SharingRequest]) -> set[int]:
    """Return the keys of those of the requests for which it is so, in a few statements."""
    high = {each.pk for each in requests if each.dataset.grade in HIGH_GRADES}
    others = [each for each in requests if each.pk not in high]
    unclear = {each.dataset_id for each in others if each.dataset.contains_sensitive}
    if unclear:
        told = DataItem.ever.filter(dataset__in=unclear, sensitive=True)
        unclear -= set(told.values_list("dataset", flat=True))
    return (
        high | _asking_for_high(others) | {each.pk for each in others if each.dataset_id in unclear}
    )


def _asking_for_high(requests: Collection[SharingRequest]) -> set[int]:
    """Return which ask for an item of high grade or sensitive, going by what was last handed in.

    That is what is granted. What its author is writing, a supplement half done, counts only before
    the request was received.
    """
    if not requests:
        return set()
    is_high = Q(sensitive=True) | Q(grade__in=HIGH_GRADES)
    high = DataItem.ever.filter(is_high, dataset__in={each.dataset_id for each in requests})
    columns = set(high.values_list("dataset", "column_name"))
    terms = asked_terms_of_each(requests)
    unsent = [each.pk for each in requests if each.pk not in terms]
    written = RequestedItem.objects.filter(request__in=unsent, item__in=high)
    return set(written.values_list("request", flat=True)) | {
        each.pk
        for each in requests
        if each.pk in terms
        and any((each.dataset_id, entry["name"]) in columns for entry in terms[each.pk].items)
    }


def awaiting_second_review() -> QuerySet[SharingRequest]:
    """Return what lies with a second person now."""
    return SharingRequest.objects.filter(status="awaiting_second_review").select_related(
        "dataset__department", "consumer", "applicant"
    )


def second_reviewers(request: SharingRequest, at: datetime) -> list[User]:
    """Return on whose desks the second review lies; a stand-in finds it on his principal's.

    Not the proposer's, nor that of the only one who could sign afterwards. Empty when nobody can.
    """
    signing = _signing(request, at)
    names = {
        hand.name
        for hand in _hands(request, REVIEWERS, at)
        if request.proposed_by_id not in (hand.who, hand.name) and _leaves_signer(hand.who, signing)
    }
    return list(User.objects.filter(pk__in=names).select_related("department").order_by("pk"))


def leaves_signer(request: SharingRequest, person: User, at: datetime) -> bool:
    """Say whether somebody else can sign once this person has confirmed."""
    return _leaves_signer(person.pk, _signing(request, at))


def _leaves_signer(person: int, signing: list[_Hand]) -> bool:
    return any(person not in (hand.who, hand.name) for hand in signing)


def _signing(request: SharingRequest, at: datetime) -> list[_Hand]:
    hands = _hands(request, SIGNERS, at)
    return [hand for hand in hands if hand.who != request.proposed_by_id]


def _hands(request: SharingRequest, roles: tuple[str, ...], at: datetime) -> list[_Hand]:
    """Everybody who holds one of the roles for the provider that day, and those standing in."""
    day: date = timezone.localtime(at).date()
    members = User.objects.filter(
        pk__in=accounts.held(roles, day).values("user"),
        department__in=answering_departments(request),
        is_active=True,
    )
    names = list(members.values_list("pk", flat=True))
    stand_ins = accounts.stand_ins(names, day).exclude(deputy__department=request.consumer_id)
    own = [_Hand(name, name) for name in names]
    return own + [_Hand(*pair) for pair in stand_ins.values_list("deputy", "principal")]


def answering_departments(request: SharingRequest) -> QuerySet[Department]:
    """The department of the dataset and those to which reviewing was delegated, never the asker."""
    delegated = DatasetGroupPermission.objects.filter(
        content_object=request.dataset_id, permission__codename="review_requests"
    )
    own = Department.objects.filter(pk=request.dataset.department_id)
    answering: QuerySet[Department] = own | Department.objects.filter(
        group__in=delegated.values("group")
    )
    return answering.exclude(pk=request.consumer_id)
