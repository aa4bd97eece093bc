"""A fingerprint of the whole database: what a refusal must leave exactly as it was.

Every row of every table in every schema of ours, and everything the server lets whom do: roles,
memberships, owners, rights on tables and columns, policies, views. Only the events that say
"refused" are left out: those a refusal must write.
"""

from django.db import connection
from psycopg import sql

from apps.sharing import provisioning

_TABLES = """
SELECT n.nspname, c.relname
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY 1, 2
"""
_ROWS = (
    "SELECT {label}::text, count(*), md5(string_agg(md5(t::text), '' ORDER BY t::text))"
    " FROM {table} t"
)
_RIGHTS = {
    "roles": "SELECT md5(string_agg(r::text, '|' ORDER BY rolname)) FROM pg_roles r"
    " WHERE starts_with(rolname, %(prefix)s) OR rolname IN ('huiliu', 'huiliu_gateway')",
    "memberships": "SELECT md5(string_agg(concat_ws(':', m.roleid::regrole, m.member::regrole,"
    " m.admin_option, m.inherit_option, m.set_option), '|' ORDER BY m.oid))"
    " FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
    " WHERE starts_with(r.rolname, %(prefix)s)",
    "schemas": "SELECT md5(string_agg(concat_ws(':', nspname, nspowner, nspacl), '|'"
    " ORDER BY nspname)) FROM pg_namespace WHERE nspname !~ '^pg_'",
    "relations": "SELECT md5(string_agg(concat_ws(':', relnamespace, relname, relkind, relowner,"
    " relacl, relrowsecurity), '|' ORDER BY oid)) FROM pg_class"
    " WHERE relnamespace::regnamespace::text !~ '^pg_'",
    "columns": "SELECT md5(string_agg(concat_ws(':', attrelid, attname, attacl), '|'"
    " ORDER BY attrelid, attnum)) FROM pg_attribute WHERE attacl IS NOT NULL",
    "policies": "SELECT md5(string_agg(p::text, '|' ORDER BY schemaname, tablename, policyname))"
    " FROM pg_policies p",
    "views": "SELECT md5(string_agg(v::text, '|' ORDER BY schemaname, viewname)) FROM pg_views v"
    " WHERE schemaname !~ '^pg_'",
    "functions": "SELECT md5(string_agg(concat_ws(':', proname, proowner, proacl), '|'"
    " ORDER BY oid)) FROM pg_proc WHERE pronamespace::regnamespace::text !~ '^pg_'",
}


def fingerprint() -> dict[str, object]:
    """Return one entry per table (rows and their hash) and per kind of right."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        cursor.execute(sql.SQL(" UNION ALL ").join(_rows_of(*table) for table in tables))
        found: dict[str, object] = {
            name: (rows, digest) for name, rows, digest in cursor.fetchall()
        }
        for kind, question in _RIGHTS.items():
            cursor.execute(question, {"prefix": f"{provisioning.database()}_"})
            found[kind] = cursor.fetchone()
    return found


def _rows_of(schema: str, table: str) -> sql.Composable:
    rows = sql.SQL(_ROWS).format(
        label=sql.Literal(f"{schema}.{table}"), table=sql.Identifier(schema, table)
    )
    if (schema, table) == ("public", "ledger_event"):
        return sql.SQL("{} WHERE t.outcome <> 'refused'").format(rows)
    return rows
