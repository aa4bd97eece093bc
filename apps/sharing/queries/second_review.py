"""Which requests need a second person of the provider (复核), and who can be that person."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts import queries as accounts
from apps.accounts.models import Department, User
from apps.catalog.models import DatasetGroupPermission
from apps.sharing.models import SharingRequest

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
    dataset = request.dataset
    if dataset.grade in HIGH_GRADES:
        return True
    asked = [row.item for row in request.requested_items.select_related("item")]
    if any(item.sensitive or item.grade in HIGH_GRADES for item in asked):
        return True
    return dataset.contains_sensitive and not dataset.items.filter(sensitive=True).exists()


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
        department__in=_answering(request),
        is_active=True,
    )
    names = list(members.values_list("pk", flat=True))
    stand_ins = accounts.stand_ins(names, day).exclude(deputy__department=request.consumer_id)
    own = [_Hand(name, name) for name in names]
    return own + [_Hand(*pair) for pair in stand_ins.values_list("deputy", "principal")]


def _answering(request: SharingRequest) -> QuerySet[Department]:
    """The department of the dataset and those to which reviewing was delegated, never the asker."""
    delegated = DatasetGroupPermission.objects.filter(
        content_object=request.dataset_id, permission__codename="review_requests"
    )
    own = Department.objects.filter(pk=request.dataset.department_id)
    answering: QuerySet[Department] = own | Department.objects.filter(
        group__in=delegated.values("group")
    )
    return answering.exclude(pk=request.consumer_id)
