"""A home for a server of one's own, and processes that use it."""

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from config import embedded, environment
from config.embedded import places, unprivileged
from config.embedded.cluster import Cluster, Secrets, read_secrets

USE = """
import os, sys
from pathlib import Path
from config.embedded import ensure_running
ensure_running(Path(sys.argv[1]), test="durable" not in sys.argv)
if "forking" in sys.argv and os.fork() == 0:
    sys.exit()
if "forking" in sys.argv:
    os.wait()
print("ready", flush=True)
sys.stdin.readline()
"""


@dataclass
class Server:
    """One embedded server and what the tests want to know of it."""

    home: Path

    @property
    def info(self) -> embedded.ServerInfo:
        return embedded.describe(self.home)

    @property
    def cluster(self) -> Cluster:
        account = unprivileged.choose()
        return Cluster(self.info.places, Path(), account, test=True)

    @property
    def secrets(self) -> Secrets:
        return read_secrets(self.info.places)

    def alive(self) -> bool:
        return self.cluster.postmaster() is not None


@pytest.fixture
def server() -> Iterator[Server]:
    home = environment.home() / f"own-{uuid.uuid4().hex[:8]}"
    home.mkdir(parents=True)
    server = Server(home)
    yield server
    root = server.info.places.root
    for folder in (home, root.parent if places.SHARED_HOME in root.parents else root):
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a stopped server's folder; its keeper may be about to look into it once more."""
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)


@pytest.fixture
def suite_server() -> Server:
    """The server that the whole suite uses."""
    if not environment.uses_embedded_server():
        pytest.skip("the tests run on a server of one's own")
    return Server(environment.home())


@pytest.fixture
def use(server: Server) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start a process that uses the server until it reads a line."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", USE, str(server.home), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=environment.REPOSITORY,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        dismiss(process)


def dismiss(process: "subprocess.Popen[str]") -> None:
    """Let a user go, in order, and wait until it has gone."""
    process.communicate("\n" if process.poll() is None else None, timeout=60)


def owner_connection(server: Server, password: str | None = None) -> psycopg.Connection[object]:
    return psycopg.connect(
        host=str(server.info.socket_folder),
        user="huiliu",
        password=server.secrets.owner if password is None else password,
        dbname="huiliu",
        autocommit=True,
    )
