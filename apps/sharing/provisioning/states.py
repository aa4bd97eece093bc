"""What the database holds for a grant, so that any change by whatever hand is noticed."""

import hashlib
from collections.abc import Collection
from typing import Final, NamedTuple

from django.db import connection
from psycopg import sql

from apps.sharing import naming
from apps.sharing.provisioning.places import Place
from apps.sharing.provisioning.statements import acting_as, run

_ON_COLUMNS: Final = ("SELECT", "INSERT", "UPDATE", "REFERENCES", "SELECT WITH GRANT OPTION")
_ON_TABLES: Final = (*_ON_COLUMNS, "DELETE", "TRUNCATE", "TRIGGER")

# Views with owners and texts, every policy that lets the role or its reader see a row, what the
# role may do to columns and tables by whatever grant, memberships, attributes of the role. The
# rights are asked for and not listed: a table of a thousand grants has lists of a thousand. Who may
# read the views is left out: that comes and goes with suspension (`is_read_by`).
_STATE: Final = """
WITH r AS (SELECT * FROM pg_roles WHERE rolname = %(role)s),
t AS (SELECT oid, relname, relacl, relrowsecurity FROM pg_class
       WHERE relnamespace = to_regnamespace(%(schema)s) AND relname = ANY(%(tables)s)),
lookers AS (SELECT array_agg(oid) || 0::oid AS oids FROM pg_roles
             WHERE rolname IN (%(role)s, %(reader)s, %(readers)s))
SELECT concat_ws('|',
  (SELECT string_agg(concat_ws(':', relname, pg_get_userbyid(relowner), pg_get_viewdef(oid)),
          '|' ORDER BY relname)
     FROM pg_class WHERE relnamespace = to_regnamespace(%(share)s) AND relname = ANY(%(views)s)),
  (SELECT string_agg(concat_ws(':', t.relname, p.polname, p.polcmd, p.polpermissive,
          p.polroles::text, pg_get_expr(p.polqual, p.polrelid)), '|' ORDER BY t.relname, p.polname)
     FROM pg_policy p JOIN t ON t.oid = p.polrelid
    WHERE p.polname = %(policy)s OR p.polroles && (SELECT oids FROM lookers)),
  (SELECT string_agg(concat_ws(':', t.relname, a.attname, p.kind), '|'
          ORDER BY t.relname, a.attname, p.kind)
     FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped,
          unnest(%(column_kinds)s::text[]) p (kind)
    WHERE has_column_privilege(r.oid, t.oid, a.attnum, p.kind)),
  (SELECT string_agg(concat_ws(':', t.relname, p.kind), '|' ORDER BY t.relname, p.kind)
     FROM t, unnest(%(table_kinds)s::text[]) p (kind)
    WHERE has_table_privilege(r.oid, t.oid, p.kind)),
  (SELECT string_agg(concat_ws(':', g.rolname, m.inherit_option, m.set_option), '|'
          ORDER BY g.rolname)
     FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid),
  (SELECT string_agg(concat_ws(':', u.rolname, m.inherit_option, m.set_option), '|'
          ORDER BY u.rolname, m.inherit_option, m.set_option)
     FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member WHERE m.roleid = r.oid),
  (SELECT bool_and(t.relrowsecurity) FROM t),
  r.rolcanlogin, r.rolsuper, r.rolbypassrls, r.rolcreaterole)
FROM r
"""

_TABLES_WITH_POLICY: Final = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid IN (
    SELECT polrelid FROM pg_policy WHERE polname = %(policy)s
     UNION
    SELECT d.objid FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
     WHERE r.rolname = %(role)s AND d.refclassid = 'pg_authid'::regclass
       AND d.classid = 'pg_class'::regclass AND d.deptype = 'a'
       AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND c.relkind IN ('r', 'p')
 ORDER BY 1, 2
"""

_STRANGE_POLICIES: Final = """
SELECT c.relname, p.polname
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relname = ANY(%(tables)s)
   AND p.polpermissive AND p.polname <> %(policy)s
   AND p.polroles && (SELECT array_agg(oid) || 0::oid FROM pg_roles
                       WHERE rolname IN (%(role)s, %(reader)s, %(readers)s))
"""

# Also of a single column. The owner's own rights are left out; PUBLIC has no name.
_RIGHTS_ON_VIEWS: Final = """
SELECT DISTINCT c.relname, pg_get_userbyid(c.relowner), COALESCE(r.rolname, ''),
       concat_ws(' ', a.privilege_type, CASE WHEN a.is_grantable THEN 'WITH GRANT OPTION' END)
  FROM pg_class c
  LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attacl IS NOT NULL
 CROSS JOIN LATERAL aclexplode(c.relacl || t.attacl) a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 WHERE c.relnamespace = to_regnamespace(%(share)s) AND c.relname = ANY(%(views)s)
   AND a.grantee <> c.relowner
 ORDER BY 1, 2, 3, 4
"""


class Right(NamedTuple):
    """What a role may do to a view; role is "" for everybody."""

    view: str
    owner: str
    role: str
    privilege: str


def state(place: Place) -> str:
    """Return the fingerprint of what the database holds for a grant; "" without its role."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STATE,
            {
                "share": naming.SHARE_SCHEMA,
                "views": list(place.view_names),
                "policy": place.policy,
                "schema": place.schema,
                "tables": list(place.table_names),
                "role": place.role,
                "reader": place.reader,
                "readers": place.readers,
                "column_kinds": list(_ON_COLUMNS),
                "table_kinds": list(_ON_TABLES),
            },
        )
        found = cursor.fetchone()
    return hashlib.sha256(found[0].encode()).hexdigest() if found else ""


def remember_state(place: Place) -> None:
    """Write the fingerprint on the grant's view, where a foreign one lacks it."""
    (view, *_past), found = place.views, state(place)
    with acting_as(place.role):
        run(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(found)))


def remembered_state(place: Place) -> str:
    """Return the fingerprint written when the grant was made; "" without its view."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(to_regclass(format('%%I.%%I', %s::text, %s::text)),"
            " 'pg_class')",
            [naming.SHARE_SCHEMA, place.view],
        )
        (found,) = cursor.fetchone()
    return str(found or "")


def is_read_by(place: Place, roles: Collection[str]) -> bool:
    """Say whether these roles may read the grant's views, and nobody else do anything to them."""
    found = {(right.view, right.role, right.privilege) for right in rights_on_views(place)}
    return found == {(view, role, "SELECT") for view in place.view_names for role in roles}


def rights_on_views(place: Place) -> list[Right]:
    """Return what others than its owner may do to a view under the grant's number."""
    views = [place.view, place.past_view]
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS_ON_VIEWS, {"share": naming.SHARE_SCHEMA, "views": views})
        return [Right(*row) for row in cursor.fetchall()]


def open_tables(place: Place) -> list[str]:
    """Return those of the grant's tables that show every row, for they lack row security."""
    question = (
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)"
        " AND relname = ANY(%s) AND NOT relrowsecurity"
    )
    with connection.cursor() as cursor:
        cursor.execute(question, [place.schema, list(place.table_names)])
        return [str(name) for (name,) in cursor.fetchall()]


def strange_policies(place: Place) -> list[tuple[str, str]]:
    """Return (table, policy) of what lets the grant's roles see more than its own policy does."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STRANGE_POLICIES,
            {
                "schema": place.schema,
                "tables": list(place.table_names),
                "policy": place.policy,
                "role": place.role,
                "reader": place.reader,
                "readers": place.readers,
            },
        )
        return list(cursor.fetchall())


def tables_under(policy: str, role: str) -> list[tuple[str, str]]:
    """Return (schema, table) of every table with a policy of that name or a right of that role."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES_WITH_POLICY, {"policy": policy, "role": role})
        return list(cursor.fetchall())


def grants_on(schema: str, table: str) -> int:
    """Count the grants that a table carries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_policy WHERE polrelid = to_regclass(format('%%I.%%I',"
            " %s::text, %s::text))",
            [schema, table],
        )
        (count,) = cursor.fetchone()
    return int(count)
