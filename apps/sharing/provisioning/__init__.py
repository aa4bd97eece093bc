"""Derive roles, policies and views from grants. Grants are data; everything here can be rebuilt.

Every statement that touches roles or privileges runs under one lock, a row of ours: concurrent
GRANTs on one schema or table fail with "tuple concurrently updated". `CREATE POLICY` needs the
table to itself, so it waits 200 ms at most and is tried again: one long read in front of it would
otherwise freeze every reader behind it. No statement here runs as a superuser.

Source: house rule (design §4)
"""

from typing import Final

from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.core.errors import Conflict
from apps.sharing import naming, terms_sql
from apps.sharing.models import Grant, Mode
from apps.sharing.provisioning.copies import (
    close_copies,
    close_to_reader,
    drop_table,
    ensure_schema,
    is_open,
    open_to_reader,
)
from apps.sharing.provisioning.foundation import (
    ensure_foundation,
    ensure_reader,
    reader_is_ready,
)
from apps.sharing.provisioning.locking import TableBusy, hold_lock, persistently
from apps.sharing.provisioning.logins import (
    MOST_CONNECTIONS,
    MOST_SECONDS,
    allow_login,
    close_login,
    end_overdue,
    end_reads,
    login_of,
    open_login,
    suits_login,
)
from apps.sharing.provisioning.places import Place, database, place_numbered, place_of
from apps.sharing.provisioning.roles import is_blank, last_number, make_owners, reserve_roles
from apps.sharing.provisioning.served import new_terms_of, refuse_absent, terms_of
from apps.sharing.provisioning.statements import acting_as, role_exists, run
from apps.sharing.provisioning.states import (
    grants_on,
    is_read_by,
    open_tables,
    remember_state,
    remembered_state,
    rights_on_views,
    state,
    strange_policies,
    tables_under,
)
from apps.sharing.terms_sql import Terms
from apps.warehouse import physical

__all__ = [
    "MAXIMUM_GRANTS_A_TABLE",
    "MOST_CONNECTIONS",
    "MOST_SECONDS",
    "Place",
    "TableBusy",
    "allow",
    "allow_login",
    "close_copies",
    "close_login",
    "close_to_reader",
    "database",
    "drop_table",
    "end_overdue",
    "ensure_foundation",
    "ensure_schema",
    "hold_lock",
    "is_blank",
    "is_open",
    "is_read_by",
    "last_number",
    "new_terms_of",
    "open_login",
    "open_to_reader",
    "persistently",
    "place_of",
    "provision",
    "reader_is_ready",
    "readers_of",
    "remembered_state",
    "remove_numbered",
    "reserve_roles",
    "revoke",
    "state",
    "suits_login",
    "tear_down",
    "terms_of",
]

MAXIMUM_GRANTS_A_TABLE: Final = 2000


def provision(grant: Grant) -> None:
    """Make the grant readable: role, column rights, row policies, views, the consumer's right.

    Repeat-safe. Call under the lock, in `persistently`; writes the table's names on the row object.

    Raises:
        Conflict: the table carries as many grants as one can, or lacks a column.
    """
    terms = terms_of(grant)
    table = physical.ensure_table(grant.dataset)
    refuse_absent(grant, table)
    grant.table_schema, grant.table_name = table.schema, table.name
    place = place_of(grant)
    ensure_foundation(place.schema)
    if not is_blank(place.role):
        _make_blank(grant.pk)
    ensure_reader(place)
    _refuse_full_table(place)
    _close_tables(place)
    _grant_columns(place, terms)
    _make_policies(place, grant, terms)
    _make_views(place, terms)
    allow(grant)
    remember_state(place)


def allow(grant: Grant) -> None:
    """Give the consumer's role the views; its next read works."""
    _as_owner(place_of(grant), "GRANT SELECT ON {} TO {}")
    if grant.mode == Mode.DATABASE:
        allow_login(grant)


def revoke(grant: Grant) -> None:
    """Take the views from everybody who may read them; the next read fails. Repeat-safe.

    Needs no lock on a table. There may be no view yet, though the role was made ahead.
    """
    rights = rights_on_views(place_of(grant))
    for right in rights:
        view = sql.Identifier(naming.SHARE_SCHEMA, right.view)
        role = sql.Identifier(right.role) if right.role else sql.SQL("PUBLIC")
        with acting_as(right.owner):
            run(sql.SQL("REVOKE ALL ON {} FROM {} CASCADE").format(view, role))
    login = naming.role_of_login(database(), grant.system_id)
    if login in {right.role for right in rights}:
        end_reads(login)
    close_copies(grant)


def readers_of(grant: Grant) -> set[str]:
    """Return the roles that are to read the grant's views: none unless it is in force."""
    if grant.status != Grant.Status.IN_FORCE:
        return set()
    login = login_of(grant) if grant.mode == Mode.DATABASE else ""
    return {place_of(grant).reader, login} - {""}


def tear_down(grant: Grant) -> None:
    """Remove everything that was derived from the grant. Repeat-safe; call under the lock."""
    remove_numbered(grant.pk)


def remove_numbered(number: int) -> None:
    """Remove whatever stands under a grant's number: views, policies, rights, then the role."""
    _clear(number)
    run(sql.SQL("DROP ROLE IF EXISTS {}").format(_role_numbered(number)))


def _make_blank(number: int) -> None:
    """Give the grant a role without anything: its own when it stands as it was made, or a new one.

    A grant that is provisioned again keeps its role: no membership changes.
    """
    _clear(number)
    role = naming.role_of_grant(database(), number)
    if not is_blank(role):
        run(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
        make_owners([role])


def _clear(number: int) -> None:
    """Remove views, policies and rights that stand under a grant's number, and its verifier."""
    bare = place_numbered(number, reader="", schema="", table="")
    role, is_there = _role_numbered(number), role_exists(bare.role)
    for view in bare.views:
        run(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    for schema, table in tables_under(bare.policy, bare.role):
        name = sql.Identifier(schema, table)
        run(sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(bare.policy), name))
        if is_there:
            run(sql.SQL("REVOKE ALL ON {} FROM {}").format(name, role))
    if is_there:
        share = sql.Identifier(naming.SHARE_SCHEMA)
        run(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(share, role))
    verifier = naming.role_of_verifier(database(), number)
    run(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(verifier)))


def _role_numbered(number: int) -> sql.Identifier:
    return sql.Identifier(naming.role_of_grant(database(), number))


def _close_tables(place: Place) -> None:
    """Let the grant's policy alone decide which rows are seen, whatever somebody opened by hand."""
    for table in open_tables(place):
        name = sql.Identifier(place.schema, table)
        run(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(name))
    for table, policy in strange_policies(place):
        name = sql.Identifier(place.schema, table)
        run(sql.SQL("DROP POLICY {} ON {}").format(sql.Identifier(policy), name))


def _grant_columns(place: Place, terms: Terms) -> None:
    role = sql.Identifier(place.role)
    grant = sql.SQL("GRANT SELECT ({}) ON {} TO {}")
    for table, is_past in zip(place.tables, (False, True), strict=False):
        run(grant.format(terms_sql.granted_columns(terms, past=is_past), table, role))


def _make_policies(place: Place, grant: Grant, terms: Terms) -> None:
    expression = terms_sql.policy(terms, starts_at=grant.starts_at, expires_at=grant.expires_at)
    for table in place.tables:
        run(
            sql.SQL("CREATE POLICY {} ON {} FOR SELECT TO {} USING ({})").format(
                sql.Identifier(place.policy), table, sql.Identifier(place.role), expression
            )
        )


def _make_views(place: Place, terms: Terms) -> None:
    role, share = sql.Identifier(place.role), sql.Identifier(naming.SHARE_SCHEMA)
    texts = (
        terms_sql.view(terms, schema=place.schema, table=place.table),
        terms_sql.past_view(terms, schema=place.schema, table=place.table),
    )
    # An owner must be able to create in the schema, but only while the view is handed over.
    run(sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(share, role))
    for view, text in zip(place.views, texts, strict=False):
        run(sql.SQL("CREATE VIEW {} AS {}").format(view, text))
        run(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view, role))
    run(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM {}").format(share, role))


def _as_owner(place: Place, statement: str) -> None:
    """Change who may read the views as their owner: nobody else can."""
    with acting_as(place.role):
        for view in place.views:
            run(sql.SQL(statement).format(view, sql.Identifier(place.reader)))


def _refuse_full_table(place: Place) -> None:
    if grants_on(place.schema, place.table) >= MAXIMUM_GRANTS_A_TABLE:
        raise Conflict(
            _("一张数据表最多承载 %(limit)s 个授权，本表已满；终止不再使用的授权后再交付")
            % {"limit": MAXIMUM_GRANTS_A_TABLE},
            code="too_many_grants",
        )
