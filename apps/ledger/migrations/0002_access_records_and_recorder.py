"""Facts cannot be changed; access records lie in monthly partitions behind an insert-only role."""

from typing import Any

from django.conf import settings
from django.db import migrations
from django.utils import timezone
from psycopg import sql

from apps.ledger.partitions import make_months, months_from

MONTHS_BACK, MONTHS_AHEAD = 1, 4

APPEND_ONLY = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER ledger_event_append_only BEFORE UPDATE OR DELETE ON ledger_event
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""

TABLES = """
CREATE SEQUENCE ledger_accessrecord_id_seq;
CREATE TABLE ledger_accessrecord (
    id bigint NOT NULL DEFAULT nextval('ledger_accessrecord_id_seq'),
    opened_at timestamptz NOT NULL,
    grant_id bigint,
    grant_version integer,
    system_id bigint,
    user_id bigint,
    dataset_id bigint NOT NULL,
    "table" varchar(130) NOT NULL,
    kind varchar(10) NOT NULL,
    query jsonb NOT NULL,
    horizon bigint,
    rows bigint,
    bytes bigint,
    first_id bigint,
    last_id bigint,
    purpose varchar(300) NOT NULL,
    client_address inet,
    CONSTRAINT ledger_accessrecord_kind CHECK
        (kind IN ('page', 'record', 'export', 'feed', 'verify', 'preview')),
    CONSTRAINT ledger_accessrecord_somebody CHECK (num_nonnulls(system_id, user_id) > 0),
    PRIMARY KEY (id, opened_at)
) PARTITION BY RANGE (opened_at);
ALTER SEQUENCE ledger_accessrecord_id_seq OWNED BY ledger_accessrecord.id;
CREATE TABLE ledger_accessclose (
    record_id bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    first_id bigint,
    last_id bigint,
    outcome varchar(10) NOT NULL,
    CONSTRAINT ledger_accessclose_outcome CHECK (outcome IN ('complete', 'cut', 'failed')),
    PRIMARY KEY (record_id, opened_at)
) PARTITION BY RANGE (opened_at);
CREATE INDEX ledger_accessrecord_grant ON ledger_accessrecord (grant_id, opened_at);
CREATE INDEX ledger_accessrecord_dataset ON ledger_accessrecord (dataset_id, opened_at);
CREATE INDEX ledger_accessrecord_time ON ledger_accessrecord USING brin (opened_at);
CREATE TABLE ledger_accessrecord_default PARTITION OF ledger_accessrecord DEFAULT;
CREATE TABLE ledger_accessclose_default PARTITION OF ledger_accessclose DEFAULT;
CREATE TRIGGER ledger_accessrecord_append_only BEFORE UPDATE OR DELETE ON ledger_accessrecord
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_accessclose_append_only BEFORE UPDATE OR DELETE ON ledger_accessclose
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""

DROP = """
DROP TABLE ledger_accessclose;
DROP TABLE ledger_accessrecord;
"""

DROP_APPEND_ONLY = """
DROP TRIGGER ledger_event_append_only ON ledger_event;
DROP FUNCTION ledger_refuse_change();
"""


def make_first_months(apps: Any, schema_editor: Any) -> None:
    """Make the months around today; the task makes the later ones."""
    first = months_from(timezone.localdate(), 1)[0]
    year, month = divmod(first.year * 12 + first.month - 1 - MONTHS_BACK, 12)
    make_months(first.replace(year=year, month=month + 1), MONTHS_BACK + MONTHS_AHEAD)


def make_recorder(apps: Any, schema_editor: Any) -> None:
    """Make the role that may only insert; roles outlive databases, so it may exist already."""
    database = schema_editor.connection.settings_dict["NAME"]
    recorder = sql.Identifier(f"{database}_recorder")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [f"{database}_recorder"])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(recorder))
        for member in _members(cursor):
            cursor.execute(
                sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                    recorder, sql.Identifier(member)
                )
            )
        cursor.execute(
            sql.SQL(
                "GRANT INSERT ON ledger_accessrecord, ledger_accessclose TO {role};"
                "GRANT USAGE ON SEQUENCE ledger_accessrecord_id_seq TO {role};"
                "GRANT USAGE ON SCHEMA public TO {role}"
            ).format(role=recorder)
        )


def _members(cursor: Any) -> list[str]:
    """The application's own role and the gateway's login, where it exists yet."""
    gateway = settings.GATEWAY["user"]
    cursor.execute(
        "SELECT current_user UNION SELECT rolname FROM pg_roles WHERE rolname = %s", [gateway]
    )
    return [name for (name,) in cursor.fetchall()]


def drop_recorder(apps: Any, schema_editor: Any) -> None:
    database = schema_editor.connection.settings_dict["NAME"]
    recorder = sql.Identifier(f"{database}_recorder")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(sql.SQL("REVOKE USAGE ON SCHEMA public FROM {}").format(recorder))
        cursor.execute(sql.SQL("DROP ROLE {}").format(recorder))


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_events_todos_notices")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.RunPython(migrations.RunPython.noop, drop_recorder),
        migrations.RunSQL(TABLES, DROP),
        migrations.RunPython(make_first_months, migrations.RunPython.noop),
        migrations.RunPython(make_recorder, migrations.RunPython.noop),
    ]
