"""The names under which a grant exists in the database."""

from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from apps.sharing import naming
from apps.sharing.models import Grant


@dataclass(frozen=True, slots=True)
class Place:
    """Roles, policy, views and table of one grant.

    role owns the views; reader may read them: the consumer's system, or, where the grant is for
    verification only, a role that the gateway alone may take. Such a grant has no view over the
    past. schema and table are empty until the grant was provisioned once.
    """

    role: str
    reader: str
    readers: str
    policy: str
    view: str
    past_view: str
    schema: str
    table: str
    is_verify_only: bool = False

    @property
    def table_names(self) -> tuple[str, ...]:
        names = (self.table, naming.past_table(self.table))
        return names[:1] if self.is_verify_only else names

    @property
    def tables(self) -> tuple[sql.Identifier, ...]:
        return tuple(sql.Identifier(self.schema, name) for name in self.table_names)

    @property
    def view_names(self) -> tuple[str, ...]:
        return (self.view,) if self.is_verify_only else (self.view, self.past_view)

    @property
    def views(self) -> tuple[sql.Identifier, ...]:
        return tuple(sql.Identifier(naming.SHARE_SCHEMA, name) for name in self.view_names)


def database() -> str:
    """Return the live database's name, the prefix of every role."""
    return str(connection.settings_dict["NAME"])


def place_of(grant: Grant) -> Place:
    """Return the names of a grant."""
    return place_numbered(
        grant.pk,
        reader=naming.role_of_reader(
            database(),
            system_id=grant.system_id,
            grant_id=grant.pk,
            is_verify_only=grant.is_verify_only,
        ),
        schema=grant.table_schema,
        table=grant.table_name,
        is_verify_only=grant.is_verify_only,
    )


def place_numbered(
    number: int, *, reader: str, schema: str, table: str, is_verify_only: bool = False
) -> Place:
    """Return the names under a grant's number, whether or not there is such a grant."""
    return Place(
        role=naming.role_of_grant(database(), number),
        reader=reader,
        readers=naming.readers_role(database()),
        policy=naming.view_of_grant(number),
        view=naming.view_of_grant(number),
        past_view=naming.past_view_of_grant(number),
        schema=schema,
        table=table,
        is_verify_only=is_verify_only,
    )
