"""Start or join the embedded server; the last process that leaves stops it.

Every process that uses the server holds a shared lock on the file `users`, which the kernel drops
however the process ends. A keeper process waits for that file to be free of users and stops the
server, so that even a killed `make demo` leaves none behind. Starting and stopping happen under an
exclusive lock on `lock`.
"""

import atexit
import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import binaries, cluster, places, unprivileged
from config.embedded.cluster import Cluster, Secrets
from config.embedded.errors import EmbeddedServerError
from config.embedded.places import Places

START_SECONDS = 180


@dataclass(frozen=True)
class ServerInfo:
    """How to reach the embedded server."""

    places: Places
    socket_folder: Path
    port: int
    owner_password: str = field(repr=False)
    gateway_password: str = field(repr=False)


@dataclass
class _Membership:
    """What this very process holds; a forked child inherits the lock but does not own it."""

    process: int
    users: int
    server: Cluster


_memberships: dict[Path, _Membership] = {}


def describe(home: Path) -> ServerInfo:
    """How the server of this home would be reached. Starts nothing."""
    where = places.choose(home, unprivileged.choose_quietly())
    return _info(where, cluster.read_secrets(where))


def _info(where: Places, kept: Secrets) -> ServerInfo:
    socket = Path(kept.socket or where.root / "socket")
    return ServerInfo(where, socket, cluster.PORT, kept.owner, kept.gateway)


def ensure_running(home: Path, *, test: bool = False) -> ServerInfo:
    """Start the home's server, or join the one that runs, until this process ends.

    Raises:
        EmbeddedServerError: it cannot be prepared or started; the message says what to do.
    """
    account = unprivileged.choose()
    where = places.choose(home, account)
    where.root.mkdir(parents=True, exist_ok=True)
    if where.root != home / "postgres":
        _say(f"数据库用户 {account.name} 进不了 {home}，数据库改放在 {where.root}")
    with _exclusive(where.lock):
        _enter(where, Cluster(where, binaries.locate(account, places.SHARED_HOME), account, test))
        kept = _running(_memberships[where.root].server)
        _start_keeper(where, test=test)
    return _info(where, kept)


def _running(server: Cluster) -> Secrets:
    kept = cluster.read_secrets(server.places)
    if server.wait_until_answering(kept):
        return kept
    server.stop()  # one that lives but does not answer
    return server.start()


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    descriptor = open_lock(path)
    try:
        if not wait_for(descriptor, fcntl.LOCK_EX, START_SECONDS):
            raise EmbeddedServerError(f"另一个进程一直占用 {path}：结束它后重试")
        yield
    finally:
        os.close(descriptor)


def open_lock(path: Path) -> int:
    """A descriptor to lock; not inherited by programs that this process starts."""
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def wait_for(descriptor: int, kind: int, seconds: float) -> bool:
    """Try for a lock until the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _enter(where: Places, server: Cluster) -> None:
    membership = _memberships.get(where.root)
    if membership is not None and membership.process == os.getpid():
        return
    descriptor = open_lock(where.users)
    # Only a keeper that is about to give way holds it against us.
    if not wait_for(descriptor, fcntl.LOCK_SH, START_SECONDS):
        raise EmbeddedServerError(f"另一个进程一直占用 {where.users}：结束它后重试")
    if not _memberships:
        atexit.register(leave)
    _memberships[where.root] = _Membership(os.getpid(), descriptor, server)


def leave() -> None:
    """Stop using the servers; those without other users stop. Runs by itself at exit."""
    for root, membership in list(_memberships.items()):
        if membership.process != os.getpid():
            continue  # forked from the user of the server, who will see to it
        del _memberships[root]
        with _exclusive(membership.server.places.lock):
            os.close(membership.users)
            stopped = stop_if_unused(membership.server)
        if stopped:
            wait_for_keeper(membership.server.places)


def stop_if_unused(server: Cluster) -> bool:
    """Stop the server unless somebody uses it. The caller holds the lock for starting."""
    descriptor = open_lock(server.places.users)
    try:
        unused = wait_for(descriptor, fcntl.LOCK_EX, 0.2)
        if unused:
            server.stop()
        return unused
    finally:
        os.close(descriptor)


def wait_for_keeper(where: Places) -> None:
    """Wait for the keeper of a stopped server to notice and go."""
    descriptor = open_lock(where.keeper)
    wait_for(descriptor, fcntl.LOCK_EX, 5)
    os.close(descriptor)


def _start_keeper(where: Places, *, test: bool) -> None:
    descriptor = open_lock(where.keeper)
    try:
        if not wait_for(descriptor, fcntl.LOCK_EX, 0):
            return  # one is at work
    finally:
        os.close(descriptor)
    command = [sys.executable, "-m", "config.embedded.keeper", str(where.root)]
    # By way of a shell that ends at once: the keeper is nobody's child and outlives this process.
    subprocess.run(
        ["/bin/sh", "-c", '"$@" &', "sh", *command, *(["test"] if test else [])],
        cwd=Path(__file__).resolve().parent.parent.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
