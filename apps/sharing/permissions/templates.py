"""Terms that are kept ready for a dataset."""

from django.db.models import Q

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core import access
from apps.sharing.permissions.parties import (
    EVERY,
    NOBODY,
    entries_answered_for,
    is_overseer,
)


@access.scope("catalog.Dataset", "keep_templates", "declare_region_item")
def provider_of_dataset(actor: User) -> Q:
    if not actor.holds("department_editor", "department_approver"):
        return NOBODY
    return entries_answered_for(actor)


@access.scope("sharing.TermsTemplate", "retire_template")
def keeper_of_templates(actor: User) -> Q:
    return Q(dataset__in=Dataset.objects.filter(provider_of_dataset(actor)))


@access.scope("sharing.TermsTemplate", "view")
def provider_and_whoever_may_draft(actor: User) -> Q:
    """A consumer sees what is recommended to it; what else the provider thinks of is its own."""
    if is_overseer(actor) or actor.holds("audit_admin"):
        return EVERY
    offered = Q(status="in_use", is_recommended=True)
    return Q(dataset__in=Dataset.objects.filter(entries_answered_for(actor))) | offered


@access.scope("sharing.TermsTemplate", "change", "delete")
def no_template_by_hand(actor: User) -> Q:
    return NOBODY


@access.ability("sharing.TermsTemplate", "create")
def keeper_of_some_dataset(actor: User) -> bool:
    return actor.holds("department_editor", "department_approver")
