"""What is asked of database exchange: which grants a login is for, which logins must be shut."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import InformationSystem
from apps.sharing.models import DatabaseLogin, Grant, Mode

OPEN = ("in_force", "suspended")


def exchanges_of(system_id: int) -> "QuerySet[Grant]":
    """Return the system's grants for database exchange that are not over."""
    return Grant.objects.filter(system=system_id, mode=Mode.DATABASE, status__in=OPEN)


def logins_out_of_service() -> "QuerySet[DatabaseLogin]":
    """Return the open logins whose system is out of service, or that no grant is for any more."""
    exchanges = Grant.objects.filter(system=OuterRef("system"), mode=Mode.DATABASE, status__in=OPEN)
    return DatabaseLogin.objects.filter(status=DatabaseLogin.Status.OPEN).filter(
        ~Q(system__in=InformationSystem.objects.in_service()) | ~Exists(exchanges)
    )
