"""What can be done with departments, people, roles and systems; each function is one use case."""

from apps.accounts.operations.departments import (
    change_department,
    name_sharing_office,
    register_department,
)
from apps.accounts.operations.people import (
    change_user,
    disable_user,
    enable_user,
    hand_over,
    issue_password,
    move_user,
    register_supplier,
    register_user,
    shut_supplier,
)
from apps.accounts.operations.reforms import preview_succession, rename_department, succeed
from apps.accounts.operations.roles import (
    assign_role,
    delegate,
    revoke_delegation,
    revoke_role,
)
from apps.accounts.operations.systems import (
    change_system,
    launch,
    register_system,
    reinstate,
    retire,
)

__all__ = [
    "assign_role",
    "change_department",
    "change_system",
    "change_user",
    "delegate",
    "disable_user",
    "enable_user",
    "hand_over",
    "issue_password",
    "launch",
    "move_user",
    "name_sharing_office",
    "preview_succession",
    "register_department",
    "register_supplier",
    "register_system",
    "register_user",
    "reinstate",
    "rename_department",
    "retire",
    "revoke_delegation",
    "revoke_role",
    "shut_supplier",
    "succeed",
]
