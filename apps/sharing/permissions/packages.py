"""Requests of one matter, and what a person put aside."""

from django.db.models import Q

from apps.accounts.models import User
from apps.core import access
from apps.sharing.models import SharingRequest
from apps.sharing.permissions.parties import NOBODY, asked_by
from apps.sharing.permissions.requests import parties_and_overseers


@access.scope("sharing.RequestPackage", "view")
def whoever_sees_a_part(actor: User) -> Q:
    """The asking department sees the package before it has parts; the others with one of them."""
    seen = SharingRequest.objects.filter(parties_and_overseers(actor), package__isnull=False)
    return asked_by(actor) | Q(pk__in=seen.values("package"))


@access.scope(
    "sharing.RequestPackage",
    "revise_package",
    "add_to_package",
    "attach_to_package",
    "submit_package",
)
def consumer_editor(actor: User) -> Q:
    if not actor.holds("department_editor"):
        return NOBODY
    return asked_by(actor)


@access.scope("sharing.RequestPackage", "change", "delete")
def no_package_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.RequestPackage", "create")
def editor_of_some_department(actor: User) -> bool:
    return actor.holds("department_editor")


@access.scope("sharing.BasketEntry", "view", "take_out")
def own_entries(actor: User) -> Q:
    return Q(owner=actor.pk)


@access.ability("sharing.BasketEntry", "create")
def whoever_may_draft(actor: User) -> bool:
    return actor.holds("department_editor")
