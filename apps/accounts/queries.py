"""Questions about departments and people that other apps ask."""

from collections.abc import Iterable
from datetime import date

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.accounts.models import (
    SEPARATED_ROLES,
    Delegation,
    Department,
    InformationSystem,
    Region,
    RoleAssignment,
    User,
)

PLATFORM = "huiliu"


def authority(region: Region | None = None) -> Department:
    """Return the data authority of the region; of the city, unless one is named.

    Raises:
        Department.DoesNotExist: none is in force.
    """
    place = Q(region=region) if region else Q(region__kind=Region.Kind.CITY)
    in_force = Department.objects.select_related("region").filter(valid_to=None)
    found: Department = in_force.get(place, is_authority=True)
    return found


def members_with(
    role: str | Iterable[str], department: Department, on: date | None = None
) -> QuerySet[User]:
    """Return the active people of the department who hold one of the roles that day (today)."""
    codes = [role] if isinstance(role, str) else list(role)
    return User.objects.filter(
        pk__in=held(codes, on).values("user"), department=department, is_active=True
    )


def holders_of(*roles: str, on: date | None = None) -> QuerySet[User]:
    """Return all active people who hold one of the roles that day (today)."""
    return User.objects.filter(pk__in=held(roles, on).values("user"), is_active=True)


def approvers_of(department: Department) -> QuerySet[User]:
    """Return those who sign for the department: the heads of its sharing office.

    Source: 《政务数据共享条例》第二十条
    """
    return members_with("department_approver", department)


def stand_ins(principals: Iterable[User | int], on: date) -> QuerySet[Delegation]:
    """Return by which delegations an active person stands in that day for one of these people."""
    return Delegation.objects.filter(
        principal__in=list(principals),
        deputy__is_active=True,
        revoked_at=None,
        starts_on__lte=on,
        ends_on__gte=on,
    )


def held(roles: Iterable[str], on: date | None = None) -> QuerySet[RoleAssignment]:
    """Return the assignments of these roles in force that day (today)."""
    day = on or timezone.localdate()
    return RoleAssignment.objects.filter(
        Q(ends_on=None) | Q(ends_on__gte=day),
        role__in=list(roles),
        revoked_at=None,
        starts_on__lte=day,
    )


def separated_roles_of(users: Iterable[User]) -> set[str]:
    """Return which of the three administrators' roles these people hold, now or from a later day.

    Together: what one person could do who acts for all of them.
    """
    today = timezone.localdate()
    return set(
        RoleAssignment.objects.filter(
            Q(ends_on=None) | Q(ends_on__gte=today),
            user__in=list(users),
            role__in=SEPARATED_ROLES,
            revoked_at=None,
        ).values_list("role_id", flat=True)
    )


def acting_circle(user: User) -> dict[User, set[User]]:
    """Return, for the user and each of his deputies, everybody in whose name he could act.

    Delegations that have ended or were revoked do not count; those still to begin do.
    """
    deputies = User.objects.filter(
        delegations_held__in=user.delegations_given.filter(_unexpired())
    ).distinct()
    return {person: {person, *_principals_of(person)} for person in (user, *deputies)}


def _principals_of(user: User) -> QuerySet[User]:
    return User.objects.filter(
        delegations_given__in=user.delegations_held.filter(_unexpired())
    ).distinct()


def _unexpired() -> Q:
    return Q(revoked_at=None, ends_on__gte=timezone.localdate())


def lineage_of(department: Department) -> set[int]:
    """Return the keys of the department and of all it grew from: past figures summed under it.

    What only a function was moved from stays a department of its own and is not counted.
    """
    found = {department.pk}
    edge = {department.pk}
    while edge:
        edge = (
            set(
                Department.objects.filter(
                    successions_out__successors__in=edge,
                    successions_out__kind__in=("renamed", "merged", "split", "abolished"),
                ).values_list("pk", flat=True)
            )
            - found
        )
        found |= edge
    return found


def subtree_of(department: Department) -> set[int]:
    """Return the keys of the department and of everything below it."""
    found = {department.pk}
    edge = {department.pk}
    while edge:
        children = Department.objects.filter(parent__in=edge).values_list("pk", flat=True)
        edge = set(children) - found
        found |= edge
    return found


def region_lineage_of(region: Region) -> set[int]:
    """Return the keys of the region and of the regions it succeeded."""
    found = {region.pk}
    edge = {region.pk}
    while edge:
        older = Region.objects.filter(successors__in=edge).values_list("pk", flat=True)
        edge = set(older) - found
        found |= edge
    return found


def next_system_number() -> int:
    """Draw a number for a system's code; one that was drawn is never drawn again."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('accounts_informationsystem', 'id'))"
            )
            (number,) = cursor.fetchone()
        if not InformationSystem.objects.filter(code=f"S-{number:04d}").exists():
            return int(number)


def platform_user() -> User:
    """Return the user in whose name the platform carries out what is due."""
    user, _made = User.objects.get_or_create(
        username=PLATFORM,
        defaults={"name": "平台", "kind": User.Kind.SERVICE, "password": make_password(None)},
    )
    return user
