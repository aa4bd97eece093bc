"""Derive roles, policies and views from grants. Grants are data; everything here can be rebuilt.

Every statement that touches roles or privileges runs under one lock, a row of ours: concurrent
GRANTs on one schema or table fail with "tuple concurrently updated". `CREATE POLICY` needs the
table to itself, so it waits 200 ms at most and is tried again: one long read in front of it would
otherwise freeze every reader behind it.

Source: house rule (design §4)
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _
from psycopg import errors, sql

from apps.catalog import queries as catalog
from apps.core.errors import Conflict
from apps.sharing import naming, terms_sql
from apps.sharing.models import Grant, ProvisioningLock
from apps.sharing.terms_sql import Terms
from apps.warehouse import physical

MAXIMUM_GRANTS_A_TABLE: Final = 2000
LOCK_TIMEOUT: Final = "200ms"
OWN_LOCK_TIMEOUT: Final = "30s"
ATTEMPTS: Final = 8
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 2.0

ResultT = TypeVar("ResultT")


class TableBusy(Conflict):
    """The table was being read or written all the time; the task tries again later."""

    code = "table_busy"
    default_message = _("数据表正在被长时间读写，平台稍后自动重试")


@dataclass(frozen=True, slots=True)
class Place:
    """The names under which a grant exists in the database."""

    role: str
    reader: str
    readers: str
    policy: str
    view: str
    past_view: str
    schema: str
    table: str

    @property
    def tables(self) -> tuple[sql.Identifier, sql.Identifier]:
        return (
            sql.Identifier(self.schema, self.table),
            sql.Identifier(self.schema, naming.past_table(self.table)),
        )

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
    """Return the grant's names; the table's are empty until it was provisioned once."""
    return Place(
        role=naming.role_of_grant(database(), grant.pk),
        reader=naming.role_of_system(database(), grant.system_id),
        readers=naming.readers_role(database()),
        policy=naming.view_of_grant(grant.pk),
        view=naming.view_of_grant(grant.pk),
        past_view=naming.past_view_of_grant(grant.pk),
        schema=grant.table_schema,
        table=grant.table_name,
    )


def terms_of(grant: Grant) -> Terms:
    """Return the grant's terms, checked against the contract in force."""
    return Terms.of(catalog.contract_of(grant.dataset), grant.columns, grant.row_condition)


def persistently(work: Callable[[], ResultT]) -> ResultT:
    """Run `work` in a transaction under the lock, again when a table was busy.

    Raises:
        TableBusy: it stayed busy through every attempt.
    """
    pause = FIRST_PAUSE_SECONDS
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                hold_lock()
                return work()
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable):
                raise
        if attempt < ATTEMPTS - 1:
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
    raise TableBusy


def hold_lock() -> None:
    """Take the one lock of all role and grant DDL, until the transaction ends."""
    _run(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(OWN_LOCK_TIMEOUT)))
    ProvisioningLock.objects.bulk_create([ProvisioningLock()], ignore_conflicts=True)
    ProvisioningLock.objects.select_for_update().get()
    _run(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_TIMEOUT)))


def provision(grant: Grant) -> None:
    """Make the grant readable: role, column rights, row policies, views, the consumer's right.

    Repeat-safe. Call under the lock, in `persistently`; sets the table's names on the row object.

    Raises:
        Conflict: the table carries as many grants as one can.
    """
    terms = terms_of(grant)
    table = physical.ensure_table(grant.dataset)
    grant.table_schema, grant.table_name = table.schema, table.name
    place = place_of(grant)
    ensure_foundation(place.schema)
    _ensure_reader(place)
    if _role_exists(place.role):
        _tear_down(place)
    _refuse_full_table(place)
    _make_role(place)
    _grant_columns(place, terms)
    _make_policies(place, grant, terms)
    _make_views(place, terms)
    allow(grant)
    _remember_state(place)


def allow(grant: Grant) -> None:
    """Give the consumer's role the views; its next read works."""
    _as_owner(place_of(grant), "GRANT SELECT ON {} TO {}")


def revoke(grant: Grant) -> None:
    """Take the views from the consumer's role; its next read fails. Needs no lock on a table."""
    place = place_of(grant)
    if _role_exists(place.role):
        _as_owner(place, "REVOKE SELECT ON {} FROM {}")


def tear_down(grant: Grant) -> None:
    """Remove everything that was derived from the grant. Repeat-safe; call under the lock."""
    place = place_of(grant)
    if _role_exists(place.role):
        _tear_down(place)


def ensure_foundation(schema: str = "") -> None:
    """Make what every grant stands on: schema `share`, the readers' role and its few rights."""
    readers = naming.readers_role(database())
    if not _role_exists(readers):
        _run(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(readers)))
    _run(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(naming.SHARE_SCHEMA)))
    for name in (naming.SHARE_SCHEMA, naming.MASK_SCHEMA, schema):
        if name and not _asks("SELECT has_schema_privilege(%s, %s, 'USAGE')", readers, name):
            _run(
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(
                    sql.Identifier(name), sql.Identifier(readers)
                )
            )
    if _asks(_MASKS_CLOSED_TO_READERS, naming.MASK_SCHEMA, readers):
        _run(
            sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {} TO {}").format(
                sql.Identifier(naming.MASK_SCHEMA), sql.Identifier(readers)
            )
        )
    # A consumer that is given a login must not leave temporary objects in front of ours.
    if _asks("SELECT has_database_privilege(%s, %s, 'TEMP')", readers, database()):
        _run(sql.SQL("REVOKE TEMP ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database())))


def _ensure_reader(place: Place) -> None:
    reader, gateway = sql.Identifier(place.reader), sql.Identifier(naming.GATEWAY_ROLE)
    if not _role_exists(place.reader):
        _run(sql.SQL("CREATE ROLE {} NOLOGIN").format(reader))
    if not _asks(_IS_MEMBER, place.readers, place.reader):
        _run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(place.readers), reader))
    if not _asks(_IS_MEMBER, place.reader, naming.GATEWAY_ROLE):
        _run(sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(reader, gateway))


def _make_role(place: Place) -> None:
    role = sql.Identifier(place.role)
    _run(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    # Needed to hand the views over and to act on them as their owner; inherits nothing.
    _run(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(role))
    _run(sql.SQL("GRANT {} TO {}").format(sql.Identifier(place.readers), role))


def _grant_columns(place: Place, terms: Terms) -> None:
    for past, table in enumerate(place.tables):
        _run(
            sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(
                terms_sql.granted_columns(terms, past=bool(past)),
                table,
                sql.Identifier(place.role),
            )
        )


def _make_policies(place: Place, grant: Grant, terms: Terms) -> None:
    expression = terms_sql.policy(terms, starts_at=grant.starts_at, expires_at=grant.expires_at)
    for table in place.tables:
        _run(
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
    _run(sql.SQL("GRANT CREATE ON SCHEMA {} TO {}").format(share, role))
    for view, text in zip(place.views, texts, strict=True):
        _run(sql.SQL("CREATE VIEW {} AS {}").format(view, text))
        _run(sql.SQL("ALTER VIEW {} OWNER TO {}").format(view, role))
    _run(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM {}").format(share, role))


def _as_owner(place: Place, statement: str) -> None:
    """Change who may read the views as their owner: nobody else can."""
    _run(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(place.role)))
    for view in place.views:
        _run(sql.SQL(statement).format(view, sql.Identifier(place.reader)))
    _run(sql.SQL("RESET ROLE"))


def _tear_down(place: Place) -> None:
    role = sql.Identifier(place.role)
    for view in place.views:
        _run(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    if place.table:
        for name, table in zip(
            (place.table, naming.past_table(place.table)), place.tables, strict=True
        ):
            if _asks(
                "SELECT to_regclass(format('%%I.%%I', %s::text, %s::text)) IS NULL",
                place.schema,
                name,
            ):
                continue
            _run(
                sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(
                    sql.Identifier(place.policy), table
                )
            )
            _run(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, role))
    _run(
        sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(sql.Identifier(naming.SHARE_SCHEMA), role)
    )
    _run(sql.SQL("DROP ROLE {}").format(role))


def _refuse_full_table(place: Place) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_policy WHERE polrelid = format('%%I.%%I', %s::text, %s::text)"
            "::regclass",
            [place.schema, place.table],
        )
        (existing,) = cursor.fetchone()
    if existing >= MAXIMUM_GRANTS_A_TABLE:
        raise Conflict(
            _("一张数据表最多承载 %(limit)s 个授权，本表已满；终止不再使用的授权后再交付")
            % {"limit": MAXIMUM_GRANTS_A_TABLE},
            code="too_many_grants",
        )


# What a grant looks like in the catalogues, hashed: reconciliation compares it with what it was
# when it was made, and so notices a change by whatever hand.
_STATE: Final = """
SELECT concat_ws('|',
  (SELECT string_agg(concat_ws(':', c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid)),
          '|' ORDER BY c.relname)
     FROM pg_class c WHERE c.relnamespace = %(share)s::regnamespace AND c.relname = ANY(%(views)s)),
  (SELECT string_agg(concat_ws(':', p.polrelid::regclass, p.polcmd, p.polpermissive, p.polroles,
          pg_get_expr(p.polqual, p.polrelid)), '|' ORDER BY p.polrelid::regclass::text)
     FROM pg_policy p WHERE p.polname = %(policy)s
      AND p.polrelid IN (SELECT oid FROM pg_class WHERE relnamespace = %(schema)s::regnamespace
                          AND relname = ANY(%(tables)s))),
  (SELECT string_agg(concat_ws(':', a.attrelid::regclass, a.attname, x.privilege_type),
          '|' ORDER BY a.attrelid::regclass::text, a.attname, x.privilege_type)
     FROM pg_attribute a, aclexplode(a.attacl) x
    WHERE x.grantee = r.oid AND a.attrelid IN (SELECT oid FROM pg_class
          WHERE relnamespace = %(schema)s::regnamespace AND relname = ANY(%(tables)s))),
  (SELECT string_agg(concat_ws(':', c.relname, x.privilege_type), '|' ORDER BY c.relname)
     FROM pg_class c, aclexplode(c.relacl) x
    WHERE x.grantee = r.oid AND c.relnamespace = %(schema)s::regnamespace),
  (SELECT string_agg(concat_ws(':', g.rolname, m.inherit_option, m.set_option), '|'
          ORDER BY g.rolname)
     FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid),
  (SELECT bool_and(c.relrowsecurity) FROM pg_class c
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relname = ANY(%(tables)s)),
  r.rolcanlogin, r.rolsuper, r.rolbypassrls, r.rolcreaterole)
FROM pg_roles r WHERE r.rolname = %(role)s
"""
_IS_MEMBER: Final = (
    "SELECT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
    " JOIN pg_roles u ON u.oid = m.member WHERE r.rolname = %s AND u.rolname = %s)"
)
_MASKS_CLOSED_TO_READERS: Final = (
    "SELECT EXISTS (SELECT FROM pg_proc WHERE pronamespace = %s::regnamespace"
    " AND NOT has_function_privilege(%s, oid, 'EXECUTE'))"
)


def state(place: Place) -> str:
    """Return the fingerprint of what the database holds for a grant; "" without its role."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STATE,
            {
                "share": naming.SHARE_SCHEMA,
                "views": [place.view, place.past_view],
                "policy": place.policy,
                "schema": place.schema,
                "tables": [place.table, naming.past_table(place.table)],
                "role": place.role,
            },
        )
        found = cursor.fetchone()
    return hashlib.sha256(found[0].encode()).hexdigest() if found else ""


def remembered_state(place: Place) -> str:
    """Return the fingerprint written when the grant was made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s",
            [place.role],
        )
        found = cursor.fetchone()
    return str(found[0] or "") if found else ""


def _remember_state(place: Place) -> None:
    _run(
        sql.SQL("COMMENT ON ROLE {} IS {}").format(
            sql.Identifier(place.role), sql.Literal(state(place))
        )
    )


def _role_exists(role: str) -> bool:
    return _asks("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", role)


def _asks(question: str, *values: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        (answer,) = cursor.fetchone()
    return bool(answer)


def _run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)  # type: ignore[arg-type]
