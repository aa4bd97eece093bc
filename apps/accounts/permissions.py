"""Who may do what with departments, people, roles and systems.

Three administrators are kept apart: the system administrator makes users and systems, the security
administrator gives roles to others, the audit administrator only reads.

Source: GB/T 22239-2019 第三级安全管理中心（三员分立）
"""

from django.db.models import Q

from apps.accounts.models import InformationSystem, User
from apps.core import access
from apps.core.access import EVERYBODY, NOBODY

AUTHORITY = ("authority_officer", "authority_leader")
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")


@access.scope("accounts.Region", "view", audience="public")
def everybody(_actor: object) -> Q:
    """Regions are no secret at all."""
    return EVERYBODY


@access.scope("accounts.Department", "view", audience="internal")
@access.scope("accounts.SharingOffice", "view", audience="internal")
@access.scope("accounts.Role", "view", audience="internal")
@access.scope("accounts.Succession", "view")
def everyone_inside(actor: User) -> Q:
    """The directory of the government is no secret inside it."""
    return NOBODY if actor.kind == User.Kind.CITIZEN else EVERYBODY


@access.scope("accounts.Department", "change_department", "change")
def keeper_of_departments(actor: User) -> Q:
    return EVERYBODY if actor.holds("system_admin", "authority_officer") else NOBODY


@access.ability("accounts.Department", "create")
def keeper_of_some_department(actor: User) -> bool:
    return actor.holds("system_admin", "authority_officer")


@access.scope("accounts.SharingOffice", "change")
def head_of_office(actor: User) -> Q:
    if actor.holds("system_admin", "authority_officer"):
        return EVERYBODY
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("accounts.Department", "name_sharing_office")
def head_of_department(actor: User) -> Q:
    if actor.holds("system_admin", "authority_officer"):
        return EVERYBODY
    return Q(pk=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.ability("accounts.SharingOffice", "create")
def may_name_an_office(actor: User) -> bool:
    return actor.holds("system_admin", "authority_officer", "department_approver")


@access.ability("accounts.Succession", "create", "succeed")
def carries_out_reforms(actor: User) -> bool:
    return actor.holds(*AUTHORITY)


@access.scope("accounts.User", "view")
def colleague(actor: User) -> Q:
    if actor.holds(*AUTHORITY, *ADMINISTRATORS):
        return EVERYBODY
    return Q(department=actor.department_id)


@access.scope("accounts.User", "change_user", "change")
def keeper_of_users(actor: User) -> Q:
    return ~Q(kind=User.Kind.SERVICE) if actor.holds("system_admin") else NOBODY


@access.scope("accounts.User", "move_user")
def keeper_of_staff(actor: User) -> Q:
    """Citizens and suppliers belong to no department."""
    return Q(kind=User.Kind.PERSON) if actor.holds("system_admin") else NOBODY


@access.scope("accounts.User", "disable_user", "enable_user", "issue_password")
def keeper_of_other_users(actor: User) -> Q:
    """Nobody shuts himself out or gives himself a password past the rules."""
    if not actor.holds("system_admin"):
        return NOBODY
    return ~Q(kind=User.Kind.SERVICE) & ~Q(pk=actor.pk)


@access.ability("accounts.User", "create")
def registers_users(actor: User) -> bool:
    return actor.holds("system_admin")


@access.scope("accounts.User", "hand_over")
def hands_over(actor: User) -> Q:
    """His own matters; the head those of his department; the system administrator anybody's."""
    if actor.holds("system_admin"):
        return Q(kind=User.Kind.PERSON)
    if actor.holds("department_approver"):
        return Q(kind=User.Kind.PERSON, department=actor.department_id)
    return Q(pk=actor.pk)


@access.scope("accounts.User", "assign_role")
def gives_roles_to(actor: User) -> Q:
    """Somebody else, always: nobody gives himself a role."""
    if not actor.holds("security_admin"):
        return NOBODY
    return Q(kind=User.Kind.PERSON) & ~Q(pk=actor.pk)


@access.ability("accounts.RoleAssignment", "create")
def gives_roles(actor: User) -> bool:
    return actor.holds("security_admin")


@access.scope("accounts.RoleAssignment", "view")
def sees_roles_of(actor: User) -> Q:
    if actor.holds(*AUTHORITY, *ADMINISTRATORS):
        return EVERYBODY
    return Q(user__department=actor.department_id)


@access.scope("accounts.RoleAssignment", "revoke_role")
def takes_roles_from(actor: User) -> Q:
    if not actor.holds("security_admin"):
        return NOBODY
    return Q(revoked_at=None) & ~Q(user=actor.pk)


@access.scope("accounts.User", "delegate")
def names_stand_in_of(actor: User) -> Q:
    """Oneself; the security administrator for somebody who is away."""
    own = Q(pk=actor.pk)
    return own | Q(kind=User.Kind.PERSON) if actor.holds("security_admin") else own


@access.ability("accounts.Delegation", "create")
def names_a_stand_in(actor: User) -> bool:
    return actor.kind == User.Kind.PERSON


@access.scope("accounts.Delegation", "view")
def sees_delegations_of(actor: User) -> Q:
    own = Q(principal=actor.pk) | Q(deputy=actor.pk)
    if actor.holds(*ADMINISTRATORS):
        return EVERYBODY
    if actor.holds("department_approver"):
        return own | Q(principal__department=actor.department_id)
    return own


@access.scope("accounts.Delegation", "revoke_delegation")
def party_of_delegation(actor: User) -> Q:
    own = Q(principal=actor.pk) | Q(deputy=actor.pk)
    return Q(revoked_at=None) & (EVERYBODY if actor.holds("security_admin") else own)


@access.scope("accounts.InformationSystem", "view")
def department_of_system(actor: User) -> Q:
    if actor.holds(*AUTHORITY, *ADMINISTRATORS):
        return EVERYBODY
    return Q(department=actor.department_id)


@access.scope("accounts.Department", "register_system")
def registers_systems_of(actor: User) -> Q:
    if actor.holds("system_admin"):
        return EVERYBODY
    editor = actor.holds("department_editor", "department_approver")
    return Q(pk=actor.department_id) if editor else NOBODY


@access.ability("accounts.InformationSystem", "create")
def registers_some_system(actor: User) -> bool:
    return actor.holds("system_admin", "department_editor", "department_approver")


@access.scope("accounts.InformationSystem", "change_system", "change")
def keeper_of_system(actor: User) -> Q:
    if actor.holds("system_admin"):
        return EVERYBODY
    editor = actor.holds("department_editor", "department_approver")
    return Q(department=actor.department_id) if editor else NOBODY


@access.scope("accounts.InformationSystem", "launch", "retire", "reinstate")
def head_of_system(actor: User) -> Q:
    if actor.holds("system_admin"):
        return EVERYBODY
    return Q(department=actor.department_id) if actor.holds("department_approver") else NOBODY


@access.scope("accounts.InformationSystem", "open_supplier")
def head_of_system_in_service(actor: User) -> Q:
    """Whom of a firm the department lets look at its system, its head answers for himself."""
    if not actor.holds("department_approver"):
        return NOBODY
    in_service = InformationSystem.objects.in_service()
    return Q(department=actor.department_id, pk__in=in_service)
