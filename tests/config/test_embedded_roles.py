"""The script for a server of one's own does what the embedded server gets."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config import embedded, environment
from config.embedded import binaries, cluster, places, roles, unprivileged


@pytest.fixture
def preparation() -> Iterator[roles.Preparation]:
    name = f"portal_{uuid.uuid4().hex[:8]}"
    yield roles.Preparation(name, name, "pass'word", f"{name}_gateway", "other")
    with cluster.superuser_connection(kept()) as connection:
        for statement in ("DROP DATABASE IF EXISTS {}", "DROP ROLE {}", "DROP ROLE {gateway}"):
            connection.execute(
                sql.SQL(statement).format(
                    sql.Identifier(name), gateway=sql.Identifier(f"{name}_gateway")
                )
            )


def kept() -> cluster.Secrets:
    if not environment.uses_embedded_server():
        pytest.skip("the tests run on a server of one's own")
    return cluster.read_secrets(embedded.describe(environment.home()).places)


def psql(script: str) -> None:
    secrets = kept()
    account = unprivileged.choose()
    program: Path = binaries.locate(account, places.SHARED_HOME) / "psql"
    subprocess.run(
        [program, "-X", "-v", "ON_ERROR_STOP=1", "-q"],
        input=script,
        text=True,
        check=True,
        capture_output=True,
        env={
            "PGHOST": secrets.socket,
            "PGUSER": "postgres",
            "PGDATABASE": "postgres",
            "PGPASSWORD": secrets.superuser,
        },
    )


def attributes(preparation: roles.Preparation) -> list[tuple[object, ...]]:
    question = """SELECT rolsuper, rolcreaterole, rolcreatedb, rolinherit, rolcanlogin
                  FROM pg_roles WHERE rolname IN (%s, %s) ORDER BY rolname"""
    with cluster.superuser_connection(kept()) as connection:
        return connection.execute(question, [preparation.owner, preparation.gateway]).fetchall()


def test_it_prepares_the_same_roles_twice_over(preparation: roles.Preparation) -> None:
    psql(roles.script(preparation))
    psql(roles.script(preparation))
    assert attributes(preparation) == [
        (False, True, False, True, True),
        (False, False, False, False, True),
    ]


def test_it_gives_the_database_to_its_owner_and_temporary_tables_to_nobody(
    preparation: roles.Preparation,
) -> None:
    psql(roles.script(preparation))
    question = """SELECT pg_get_userbyid(datdba),
                         has_database_privilege(%(gateway)s, datname, 'TEMP'),
                         has_database_privilege(%(gateway)s, datname, 'CONNECT')
                  FROM pg_database WHERE datname = %(name)s"""
    with cluster.superuser_connection(kept()) as connection:
        found = connection.execute(
            question, {"gateway": preparation.gateway, "name": preparation.database}
        ).fetchone()
    assert found == (preparation.owner, False, True)


def test_nobody_but_a_superuser_writes_large_objects_in_the_database(
    preparation: roles.Preparation,
) -> None:
    psql(roles.script(preparation))
    secrets = kept()
    question = sql.SQL("SELECT lo_from_bytea(0, 'kept'::bytea)")
    with psycopg.connect(
        host=secrets.socket,
        port=cluster.PORT,
        user=preparation.gateway,
        password=preparation.gateway_password,
        dbname=preparation.database,
        autocommit=True,
    ) as own:
        own.execute("SET default_transaction_read_only = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            own.execute(question)


def test_the_embedded_server_keeps_them_from_everybody_too() -> None:
    secrets = kept()
    with (
        psycopg.connect(
            host=secrets.socket,
            port=cluster.PORT,
            user=cluster.GATEWAY,
            password=secrets.gateway,
            dbname=cluster.DATABASE,
            autocommit=True,
        ) as own,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        own.execute("SELECT lo_create(0)")
