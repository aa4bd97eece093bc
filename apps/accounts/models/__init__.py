"""Regions, departments, systems and people: who acts, for whom, and since when."""

from apps.accounts.models.departments import Department, SharingOffice
from apps.accounts.models.people import PasswordHistory, User
from apps.accounts.models.regions import Region
from apps.accounts.models.roles import SEPARATED_ROLES, Delegation, Role, RoleAssignment
from apps.accounts.models.succession import Succession
from apps.accounts.models.systems import InformationSystem

__all__ = [
    "SEPARATED_ROLES",
    "Delegation",
    "Department",
    "InformationSystem",
    "PasswordHistory",
    "Region",
    "Role",
    "RoleAssignment",
    "SharingOffice",
    "Succession",
    "User",
]
