"""Names of the roles and views that are derived from grants and systems.

Roles belong to the whole server: their names begin with the database's name, so that two portals,
test databases and parallel workers never meet. The suffix is the primary key, which never changes.
"""

from typing import Final

SHARE_SCHEMA: Final = "share"
MASK_SCHEMA: Final = "mask"
GATEWAY_ROLE: Final = "huiliu_gateway"
# Columns that every view of a grant carries beside the granted ones.
SYSTEM_COLUMNS: Final = ("_id", "_batch")
PAST_SYSTEM_COLUMNS: Final = ("_id", "_batch", "_until_batch")


def role_of_grant(database: str, grant_id: int) -> str:
    """Return the role that owns the grant's views and to which its row policy applies."""
    return f"{database}_g_{grant_id}"


def role_of_system(database: str, system_id: int) -> str:
    """Return the role as which a consumer's information system reads."""
    return f"{database}_sys_{system_id}"


def role_of_verifier(database: str, grant_id: int) -> str:
    """Return the role as which the gateway compares under a verify-only grant.

    No consumer's role belongs to it: the rows are out of the consumer's reach in the database.
    """
    return f"{database}_v_{grant_id}"


def role_of_reader(database: str, *, system_id: int, grant_id: int, is_verify_only: bool) -> str:
    """Return who reads the views of a grant: the system, or who compares without showing."""
    if is_verify_only:
        return role_of_verifier(database, grant_id)
    return role_of_system(database, system_id)


def readers_role(database: str) -> str:
    """Return the group role that carries schema usage and the right to run masks."""
    return f"{database}_readers"


def recorder_role(database: str) -> str:
    """Return the role that may insert access records and nothing else."""
    return f"{database}_recorder"


def role_of_login(database: str, system_id: int) -> str:
    """Return the role as which a consumer's system logs in for database exchange."""
    return f"{database}_login_{system_id}"


def trial_role(database: str) -> str:
    """Return the role that may read invented rows and nothing else."""
    return f"{database}_trial"


def relation_of_grant(grant_id: int) -> str:
    """Return what stands after FROM to read a grant."""
    return f'"{SHARE_SCHEMA}"."{view_of_grant(grant_id)}"'


def past_relation_of_grant(grant_id: int) -> str:
    """Return what stands after FROM to read what a grant showed once."""
    return f'"{SHARE_SCHEMA}"."{past_view_of_grant(grant_id)}"'


def view_of_grant(grant_id: int) -> str:
    return f"g_{grant_id}"


def past_view_of_grant(grant_id: int) -> str:
    return f"g_{grant_id}__past"


def past_table(table: str) -> str:
    """Return the twin that keeps superseded and deleted versions of a table's rows."""
    return f"{table}__past"
