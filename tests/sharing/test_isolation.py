"""A consumer that may write SQL: logged in as its own role, it tries everything it can think of.

The strongest form of a grant is a login for database exchange. What holds for it holds for the API,
which reads as the same role. The rows of district 500112 and the column `amount` are outside the
grant; whatever is asked, no value of theirs may come back: as a row, in a message, in a count.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import errors, sql

from apps.sharing import naming, provisioning
from apps.sharing.models import Grant
from tests import stories
from tests.factories.accounts import InformationSystemFactory
from tests.factories.sharing import ROWS, Scene, land, make_scene

PASSWORD: Final = "of-database-exchange"
GRANTED: Final = "500103"
HIDDEN_ROWS: Final = [row for row in ROWS if row[2] != GRANTED]
# What must never be heard: the other district's people, true identity numbers, any amount.
SECRETS: Final = frozenset(
    [row[1] for row in HIDDEN_ROWS]
    + ["500112"]
    + [row[0] for row in ROWS]
    + [row[4] for row in ROWS if row[4]]
)
Said = Callable[[str], str]


@contextmanager
def logged_in(role: str) -> Iterator[psycopg.Connection[Any]]:
    """Give a role a login for as long as the block lasts, and log in as it."""
    name = sql.Identifier(role)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(PASSWORD))
        )
    place = settings.GATEWAY
    try:
        with psycopg.connect(
            host=place["host"],
            port=place["port"],
            user=role,
            password=PASSWORD,
            dbname=provisioning.database(),
            autocommit=True,
        ) as own:
            assert own.execute("SELECT session_user, current_user").fetchone() == (role, role)
            yield own
    finally:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(name))


@pytest.fixture
def consumer(landed_grant: Grant) -> Iterator[psycopg.Connection[Any]]:
    """The consumer's system on a connection of its own; the tables' statistics are fresh."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {_table(landed_grant)}")
    with logged_in(provisioning.place_of(landed_grant).reader) as own:
        yield own


@pytest.fixture
def said(consumer: psycopg.Connection[Any]) -> Said:
    """Run a statement and return everything that came back: rows, notices, the error itself."""
    heard: list[str] = []
    consumer.add_notice_handler(lambda notice: heard.append(_words_of(notice)))

    def say(statement: str) -> str:
        heard.clear()
        try:
            if statement.startswith("COPY") and statement.endswith("STDOUT"):
                with consumer.cursor().copy(statement.encode()) as lines:
                    heard.extend(bytes(line).decode() for line in lines)
            else:
                cursor = consumer.execute(statement.encode())
                heard.extend(str(row) for row in (cursor.fetchall() if cursor.description else []))
        except psycopg.Error as error:
            heard.append(f"{error.sqlstate} {error} {_words_of(error.diag)}")
        consumer.rollback()
        consumer.execute("RESET ALL")
        return "\n".join(heard)

    return say


def _words_of(diagnostic: Any) -> str:
    parts = ("message_primary", "message_detail", "message_hint", "context")
    return " ".join(str(getattr(diagnostic, part) or "") for part in parts)


def _view(grant: Grant) -> str:
    return f"share.{naming.view_of_grant(grant.pk)}"


def _table(grant: Grant) -> str:
    return f"{grant.table_schema}.{grant.table_name}"


def _told(text: str) -> set[str]:
    return {secret for secret in SECRETS if secret in text}


DENIED: Final = {
    "its columns": "SELECT name, division_code FROM {table}",
    "the hidden column": "SELECT amount FROM {table}",
    "no column at all": "SELECT 1 FROM {table}",
    "a count": "SELECT count(*) FROM {table}",
    "the short form": "TABLE {table}",
    "a subquery": "SELECT (SELECT max(amount) FROM {table})",
    "an exists": "SELECT EXISTS (SELECT FROM {table} WHERE amount > 0)",
    "a join from the view": "SELECT t.amount FROM {view} v JOIN {table} t USING (_id)",
    "a lateral join": "SELECT x.* FROM {view} v, LATERAL (SELECT * FROM {table} t) x",
    "a common table": "WITH x AS (SELECT * FROM {table}) SELECT * FROM x",
    "only the plan": "EXPLAIN (ANALYZE) SELECT amount FROM {table}",
    "a row lock": "SELECT name FROM {table} FOR UPDATE",
    "a copy": "COPY {table} TO STDOUT",
    "a copy of a query": "COPY (SELECT * FROM {table}) TO STDOUT",
    "a copy to a file": "COPY (SELECT * FROM {view}) TO '/tmp/rows.csv'",
    "a copy to a program": "COPY (SELECT * FROM {view}) TO PROGRAM 'cat'",
    "a copy from a file": "COPY {view} (name) FROM '/etc/passwd'",
    "a cursor": "BEGIN; DECLARE c CURSOR FOR SELECT amount FROM {table}",
    "a prepared statement": "PREPARE p AS SELECT amount FROM {table}; EXECUTE p",
    "a block": "DO $$ BEGIN PERFORM amount FROM {table}; END $$",
    "a dynamic statement": "DO $$ BEGIN EXECUTE 'SELECT amount FROM {table}'; END $$",
    "a query as XML": "SELECT query_to_xml('SELECT amount FROM {table}', true, true, '')",
    "the table as XML": "SELECT table_to_xml('{table}', true, true, '')",
    "a text statistic": "SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM {table}')",
    "the past": "SELECT * FROM {table}__past",
    "the sequence": "SELECT last_value FROM {table}__id_seq",
    "the statistics": "SELECT * FROM pg_statistic",
    "extended statistics": "SELECT * FROM pg_statistic_ext_data",
    "passwords": "SELECT rolpassword FROM pg_authid",
    "the server's files": "SELECT pg_read_file('postgresql.conf')",
    "the server's folders": "SELECT * FROM pg_ls_dir('.')",
    "large objects of files": "SELECT lo_import('/etc/passwd')",
    "writing": "INSERT INTO {view} (name) VALUES ('x')",
    "changing": "UPDATE {view} SET name = 'x'",
    "deleting": "DELETE FROM {view}",
    "emptying": "TRUNCATE {table}",
    "merging": "MERGE INTO {view} v USING (SELECT 1) x ON true WHEN MATCHED THEN DELETE",
    "locking": "BEGIN; LOCK TABLE {table} IN ACCESS SHARE MODE",
    "blocking the view": "BEGIN; LOCK TABLE {view} IN ACCESS EXCLUSIVE MODE",
    "a function": "CREATE FUNCTION share.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a public function": "CREATE FUNCTION public.f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "an untrusted function": "CREATE FUNCTION public.f() RETURNS int LANGUAGE c AS 'a', 'b'",
    "a temporary function": "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a temporary table": "CREATE TEMP TABLE mine (a int)",
    "a temporary view": "CREATE TEMP VIEW mine AS SELECT amount FROM {table}",
    "a view": "CREATE VIEW share.mine AS SELECT amount FROM {table}",
    "a schema": "CREATE SCHEMA mine",
    "a materialised view": "CREATE MATERIALIZED VIEW share.mine AS SELECT * FROM {table}",
    "another view's text": "CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}",
    "the view's owner": "ALTER VIEW {view} OWNER TO CURRENT_USER",
    "dropping the view": "DROP VIEW {view}",
    "dropping the policy": "DROP POLICY {policy} ON {table}",
    "changing the policy": "ALTER POLICY {policy} ON {table} USING (true)",
    "switching policies off": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON {table}"
    " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "a rule": "CREATE RULE r AS ON SELECT TO {view} DO INSTEAD SELECT * FROM {table}",
    "a statistics object": "CREATE STATISTICS share.s ON name, amount FROM {table}",
    "an operator": "CREATE OPERATOR share.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    "an extension": "CREATE EXTENSION dblink",
    "a foreign server": "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
    "the owner of the view": "SET ROLE {role}",
    "the portal": "SET ROLE huiliu",
    "the gateway": "SET ROLE huiliu_gateway",
    "the superuser": "SET ROLE postgres",
    "another session user": "SET SESSION AUTHORIZATION huiliu",
    "a role that reads all": "GRANT pg_read_all_data TO CURRENT_USER",
    "a new role": "CREATE ROLE of_its_own",
    "more for itself": "ALTER ROLE CURRENT_USER BYPASSRLS",
    "the server's settings": "ALTER SYSTEM SET log_statement = 'none'",
    "the portal's tables": "SELECT * FROM public.accounts_user",
    "the portal's grants": "SELECT * FROM public.sharing_grant",
    "tokens": "SELECT token FROM public.oauth2_provider_accesstoken",
    "other consumers' records": "SELECT * FROM public.ledger_accessrecord",
    "a record of its own": "INSERT INTO public.ledger_accessrecord (opened_at) VALUES (now())",
    "jobs": "SELECT * FROM public.procrastinate_jobs",
}
# What PostgreSQL answers: no privilege, or not the owner (the same code); an extension, a foreign
# wrapper or a role that the server does not have cannot be used.
REFUSED: Final = ("42501", "42704", "22023", "0A000")


def test_it_is_denied(said: Said, landed_grant: Grant) -> None:
    place = provisioning.place_of(landed_grant)
    names = {
        "table": _table(landed_grant),
        "view": _view(landed_grant),
        "role": f'"{place.role}"',
        "policy": place.policy,
    }
    answers = {what: said(statement.format(**names)) for what, statement in DENIED.items()}
    assert {what: said for what, said in answers.items() if not said.startswith(REFUSED)} == {}
    assert {what: said for what, said in answers.items() if _told(said)} == {}


HARMLESS: Final = {
    "an unknown column": "SELECT amount FROM {view}",
    "hidden columns by position": "SELECT (v).* FROM {view} v",
    "the whole row as JSON": "SELECT to_jsonb(v) FROM {view} v",
    "the row as text": "SELECT v::text FROM {view} v",
    "the system columns": "SELECT ctid, xmin, tableoid FROM {view}",
    "the view as XML": "SELECT table_to_xml('{view}', true, true, '')",
    "the schema as XML": "SELECT schema_to_xml('{schema}', true, true, '')",
    "the share as XML": "SELECT schema_to_xml('share', true, true, '')",
    "a cast that fails aloud": "SELECT * FROM {view} WHERE name::int > 0",
    "a cast of the hidden key": "SELECT * FROM {view} WHERE identity_number::bigint > 0",
    "a cast of the district": "SELECT * FROM {view} WHERE division_code::date IS NULL",
    "a division by a value": "SELECT * FROM {view} WHERE 1 / (division_code::int - 500112) > 0",
    "a check of a mask": "SELECT * FROM {view} WHERE identity_number LIKE '500112%'",
    "policies switched off": "SET row_security = off; SELECT * FROM {view}",
    "aggregates": "SELECT string_agg(v::text, ';'), count(*) FROM {view} v",
    "grouping": "SELECT division_code, count(*) FROM {view} GROUP BY ROLLUP (division_code)",
    "a sample": "SELECT * FROM {view} v ORDER BY random()",
    "a full join with itself": "SELECT * FROM {view} a FULL JOIN {view} b ON a._id = b._id + 3",
    "its own past": "SELECT * FROM {view}__past",
    "a copy of the view": "COPY (SELECT * FROM {view}) TO STDOUT",
    "most common values": "SELECT * FROM pg_stats WHERE schemaname !~ '^pg_cat'",
    "common values of expressions": "SELECT * FROM pg_stats_ext_exprs",
    "other statements": "SELECT query FROM pg_stat_activity",
    "prepared plans": "SELECT statement FROM pg_prepared_statements",
    "settings of roles": "SELECT setconfig FROM pg_db_role_setting",
    "columns it may know": "SELECT column_name FROM information_schema.columns"
    " WHERE table_schema = '{schema}'",
    "an analysis": "ANALYZE VERBOSE {table}",
    "a plan": "EXPLAIN (VERBOSE) SELECT * FROM {view}",
    "a plan, run": "EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM {view}",
}


def test_it_learns_nothing_more(said: Said, landed_grant: Grant) -> None:
    names = {
        "view": _view(landed_grant),
        "table": _table(landed_grant),
        "schema": landed_grant.table_schema,
    }
    answers = {what: said(statement.format(**names)) for what, statement in HARMLESS.items()}
    assert {what: said for what, said in answers.items() if _told(said)} == {}


def test_what_it_may_read_does_come_back(said: Said, landed_grant: Grant) -> None:
    """Else the tests above would pass on an empty table."""
    answer = said(f"SELECT * FROM {_view(landed_grant)}")
    assert "张小三" in answer
    assert "110105********002X" in answer
    owner = connection.cursor()
    owner.execute(f"SELECT t::text FROM {_table(landed_grant)} t")
    assert _told(str(owner.fetchall())) == SECRETS


def test_an_error_in_a_hidden_row_is_never_raised(said: Said, landed_grant: Grant) -> None:
    """ "钱七七" alone of the hidden has three characters, 张小三 alone of those granted."""
    view = _view(landed_grant)
    assert "22012" in said(f"SELECT * FROM {view} WHERE 1 / (length(name) - 3) > -9")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {_table(landed_grant)} SET name = '欧阳长名' WHERE name = '钱七七'")
    answer = said(f"SELECT count(*) FROM {view} WHERE 1 / (length(name) - 4) > -9")
    assert answer == "(3,)"


def test_a_plan_that_was_prepared_before_a_suspension_reads_nothing_after_it(
    consumer: psycopg.Connection[Any], landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    from apps.sharing import operations as sharing

    view = _view(landed_grant)
    consumer.execute(f"PREPARE rows AS SELECT * FROM {view}".encode())
    assert len(consumer.execute("EXECUTE rows").fetchall()) == 3
    sharing.suspend(
        grant=landed_grant, actor=landed_scene.provider_head, at=now, reason="超范围使用"
    )
    with pytest.raises(errors.InsufficientPrivilege):
        consumer.execute("EXECUTE rows")


def test_it_hands_its_right_to_nobody(
    said: Said, landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    from dataclasses import replace

    system = InformationSystemFactory(department=landed_scene.consumer_department)
    other_scene = make_scene()
    land(other_scene.dataset)
    other = stories.delivered(
        replace(
            other_scene,
            system=system,
            consumer=landed_scene.consumer,
            consumer_head=landed_scene.consumer_head,
        ),
        now,
    ).grant
    reader = provisioning.place_of(other).reader
    said(f'GRANT SELECT ON {_view(landed_grant)} TO "{reader}"')
    said(f"GRANT SELECT ON {_view(landed_grant)} TO PUBLIC")
    with logged_in(reader) as friend:
        assert friend.execute(f"SELECT count(*) FROM {_view(other)}".encode()).fetchone() == (6,)
        with pytest.raises(errors.InsufficientPrivilege):
            friend.execute(f"SELECT * FROM {_view(landed_grant)}".encode())


def test_two_grants_of_one_table_keep_their_own_rows_and_columns(
    landed_scene: Scene, landed_grant: Grant, now: datetime
) -> None:
    from dataclasses import replace

    system = InformationSystemFactory(department=landed_scene.consumer_department)
    other = stories.delivered(
        replace(landed_scene, system=system),
        now,
        items={"name": "cover_name", "amount": ""},
        row_condition=[{"item": "division_code", "operator": "eq", "value": "500112"}],
    ).grant
    with logged_in(provisioning.place_of(other).reader) as neighbour:
        rows = neighbour.execute(f"SELECT name FROM {_view(other)} ORDER BY _id".encode())
        assert [name[0] for (name,) in rows.fetchall()] == ["赵", "钱", "孙"]
        with pytest.raises(errors.InsufficientPrivilege):
            neighbour.execute(f"SELECT * FROM {_view(landed_grant)}".encode())
    with logged_in(provisioning.place_of(landed_grant).reader) as own:
        assert own.execute(f"SELECT count(*) FROM {_view(landed_grant)}".encode()).fetchone() == (
            3,
        )
        with pytest.raises(errors.InsufficientPrivilege):
            own.execute(f"SELECT * FROM {_view(other)}".encode())


class TestEverythingThereIs:
    """Not what somebody thought of, but all that the catalogues list."""

    def test_of_all_relations_it_may_read_its_two_views(
        self, consumer: psycopg.Connection[Any], landed_grant: Grant
    ) -> None:
        readable = consumer.execute(
            "SELECT c.oid::regclass::text FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
            " AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
            " AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT,USAGE,UPDATE')"
            " ELSE has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid,"
            " 'SELECT,INSERT,UPDATE,REFERENCES') END"
        ).fetchall()
        view = _view(landed_grant)
        assert {name for (name,) in readable} == {view, f"{view}__past"}

    def test_every_other_relation_refuses_to_be_read(
        self, consumer: psycopg.Connection[Any], landed_grant: Grant
    ) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT n.nspname, c.relname FROM pg_class c"
                " JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
                " AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
                " AND NOT (n.nspname = 'share' AND c.relname LIKE %s)",
                [f"g_{landed_grant.pk}%"],
            )
            others = cursor.fetchall()
        assert len(others) > 50
        for schema, name in others:
            with pytest.raises(errors.InsufficientPrivilege):
                consumer.execute(
                    sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(schema, name))
                )

    def test_no_function_of_ours_runs_with_more_rights_than_its_caller(self, server: None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT oid::regprocedure::text FROM pg_proc"
                " WHERE prosecdef AND pronamespace::regnamespace::text !~ '^pg_'"
            )
            assert cursor.fetchall() == []

    def test_masks_read_no_table(self, consumer: psycopg.Connection[Any]) -> None:
        """Each function of the masks is immutable: PostgreSQL lets such a one see no data."""
        found = consumer.execute(
            "SELECT proname, provolatile FROM pg_proc WHERE pronamespace = 'mask'::regnamespace"
        ).fetchall()
        assert len(found) > 5
        assert {volatility for _name, volatility in found} == {"i"}

    def test_it_may_create_nowhere(self, consumer: psycopg.Connection[Any]) -> None:
        open_schemas = consumer.execute(
            "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE')"
        ).fetchall()
        assert open_schemas == []
        allowed = consumer.execute(
            "SELECT has_database_privilege(current_database(), 'CREATE'),"
            " has_database_privilege(current_database(), 'TEMP')"
        ).fetchone()
        assert allowed == (False, False)

    def test_it_belongs_to_the_readers_and_to_nothing_else(
        self, consumer: psycopg.Connection[Any]
    ) -> None:
        belongs = consumer.execute(
            "SELECT rolname FROM pg_roles WHERE rolname <> current_user"
            " AND pg_has_role(oid, 'MEMBER')"
        ).fetchall()
        assert belongs == [(naming.readers_role(provisioning.database()),)]
