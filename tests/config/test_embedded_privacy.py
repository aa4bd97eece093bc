"""The embedded server is closed to everybody but the application."""

import os
import stat

import psycopg
import pytest

from config.embedded import cluster
from tests.config.conftest import Server, owner_connection


def test_it_runs_as_an_ordinary_user(suite_server: Server) -> None:
    postmaster = suite_server.cluster.postmaster()
    assert os.stat(f"/proc/{postmaster}").st_uid != 0


@pytest.mark.parametrize("password", ["", "huiliu", "postgres"])
def test_it_refuses_a_wrong_password(suite_server: Server, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        owner_connection(suite_server, password)


def test_it_listens_on_a_private_socket_only(suite_server: Server) -> None:
    socket = suite_server.info.socket_folder
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(suite_server.info.places.secrets.stat().st_mode) == 0o600
    with owner_connection(suite_server) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_its_logins_have_no_more_rights_than_in_production(suite_server: Server) -> None:
    question = """SELECT rolname, rolsuper, rolcreaterole, rolinherit, rolbypassrls, rolcanlogin
                  FROM pg_roles WHERE rolname IN ('huiliu', 'huiliu_gateway') ORDER BY 1"""
    with owner_connection(suite_server) as connection:
        assert connection.execute(question).fetchall() == [
            ("huiliu", False, True, True, False, True),
            ("huiliu_gateway", False, False, False, False, True),
        ]


def test_it_lets_the_gateway_make_no_temporary_table(suite_server: Server) -> None:
    kept = suite_server.secrets
    with (
        cluster._connect(kept, "huiliu_gateway", kept.gateway, "huiliu") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TEMPORARY TABLE t (n int)")
