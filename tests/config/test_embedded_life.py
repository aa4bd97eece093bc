"""The embedded server's life: started once, shared, stopped by its last user, taken over."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

from tests.config.conftest import Server, dismiss, owner_connection

Use = Callable[..., "subprocess.Popen[str]"]


def wait_until_stopped(server: Server) -> bool:
    deadline = time.monotonic() + 30
    while server.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not server.alive()


def test_it_serves_several_users_and_stops_with_the_last(server: Server, use: Use) -> None:
    first, second = use(), use()
    process = server.cluster.postmaster()
    dismiss(first)
    assert server.cluster.postmaster() == process
    dismiss(second)
    assert not server.alive()


def test_it_stops_when_its_last_user_is_killed(server: Server, use: Use) -> None:
    only = use()
    only.kill()
    only.wait()
    assert wait_until_stopped(server)


def test_it_is_taken_over_after_a_crash_with_what_was_committed(server: Server, use: Use) -> None:
    first = use("durable")
    with owner_connection(server) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    first.kill()
    first.wait()
    use("durable")
    with owner_connection(server) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_it_starts_although_a_foreign_process_has_the_number_in_the_pid_file(
    server: Server, use: Use
) -> None:
    dismiss(use())
    pid_file = server.info.places.data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.info.places.data}\n0\n5432\n\n\n0 0\n")
    assert not server.alive()
    use()
    assert server.alive()


def test_it_finishes_an_initialisation_that_was_cut_off(server: Server, use: Use) -> None:
    places = server.info.places
    (places.root / "data").mkdir(parents=True)
    (places.root / ".initdb-cut").mkdir()
    use()
    assert server.alive()


def test_it_outlives_a_forked_child_of_its_user(server: Server, use: Use) -> None:
    use("forking")
    assert server.alive()
