"""What is asked of credentials: which systems were tried, what an end of them would hit."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.accounts.models import InformationSystem, User
from apps.sharing.models import Credential, Grant


@dataclass(frozen=True, slots=True)
class Hit:
    """What stops when these credentials are void: systems without another one, and their grants.

    spared: systems that still have another credential for production.
    """

    credentials: Sequence[Credential]
    systems: Sequence[InformationSystem]
    spared: Sequence[InformationSystem]
    grants: Sequence[Grant]


def members_of(system: InformationSystem) -> "QuerySet[User]":
    """Return the people of the system's department, who may keep or answer for its credentials."""
    return User.objects.filter(
        department=system.department, is_active=True, kind=User.Kind.PERSON
    ).order_by("name", "pk")


def keepers_of(credentials: "QuerySet[Credential]") -> "QuerySet[User]":
    """Return the holders and the security contacts of these credentials: who is told of them."""
    kept = Q(pk__in=credentials.values("holder")) | Q(pk__in=credentials.values("security_contact"))
    return User.objects.filter(kept, is_active=True).order_by("pk")


def was_tried(system: InformationSystem) -> bool:
    """Say whether the system has read invented rows with a credential for tests, or live ones."""
    tried = Credential.objects.filter(system=system)
    return (
        tried.filter(tried_at__isnull=False).exists()
        or tried.filter(
            environment=Credential.Environment.PRODUCTION, collected_at__isnull=False
        ).exists()
    )


def hit_by(credentials: "QuerySet[Credential]") -> Hit:
    """Return what making these void would stop."""
    chosen = list(credentials.select_related("system__department", "holder").order_by("pk"))
    systems = sorted({row.system for row in chosen}, key=lambda system: system.code)
    live = Credential.objects.filter(
        environment=Credential.Environment.PRODUCTION, status=Credential.Status.ACTIVE
    ).exclude(pk__in=[row.pk for row in chosen])
    keep = set(live.filter(system__in=systems).values_list("system", flat=True))
    in_production = {
        row.system_id for row in chosen if row.environment == Credential.Environment.PRODUCTION
    }
    grants = (
        Grant.objects.filter(system__in=in_production, status__in=("in_force", "suspended"))
        .select_related("dataset", "provider", "system")
        .order_by("system", "pk")
    )
    return Hit(chosen, systems, [system for system in systems if system.pk in keep], list(grants))
