"""The names under which a grant exists in the database."""

from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from apps.sharing import naming
from apps.sharing.models import Grant


@dataclass(frozen=True, slots=True)
class Place:
    """Roles, policy, views and table of one grant.

    role owns the views; reader is the consumer's system. schema and table are empty until the grant
    was provisioned once.
    """

    role: str
    reader: str
    readers: str
    policy: str
    view: str
    past_view: str
    schema: str
    table: str

    @property
    def table_names(self) -> tuple[str, str]:
        return self.table, naming.past_table(self.table)

    @property
    def tables(self) -> tuple[sql.Identifier, sql.Identifier]:
        current, past = self.table_names
        return sql.Identifier(self.schema, current), sql.Identifier(self.schema, past)

    @property
    def views(self) -> tuple[sql.Identifier, sql.Identifier]:
        return (
            sql.Identifier(naming.SHARE_SCHEMA, self.view),
            sql.Identifier(naming.SHARE_SCHEMA, self.past_view),
        )


def database() -> str:
    """Return the live database's name, the prefix of every role."""
    return str(connection.settings_dict["NAME"])


def place_of(grant: Grant) -> Place:
    """Return the names of a grant."""
    return place_numbered(
        grant.pk,
        reader=naming.role_of_system(database(), grant.system_id),
        schema=grant.table_schema,
        table=grant.table_name,
    )


def place_numbered(number: int, *, reader: str, schema: str, table: str) -> Place:
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
    )
