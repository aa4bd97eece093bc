"""A department's MariaDB and PostgreSQL: real servers of Debian's packages, in a folder of a test.

They run on free ports of this machine, as an unprivileged user when the tests run as root, and can
be killed in the middle of a sentence.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest

PASSWORD = "Source-2026"
PATIENCE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])


class Server:
    """kind: as a source's. user: as whom it runs when the tests are root."""

    kind = ""
    user = ""
    superuser = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(folder, self.user)
        self.log = (folder / "log").open("ab")

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command(),
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            **self.as_user(),
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except (psycopg.Error, pymysql.MySQLError, OSError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return

    def kill(self) -> None:
        """End it at once, with everything that it was just saying."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        if self.process is not None:
            self.kill()
        self.log.close()

    def as_user(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        known = pwd.getpwnam(self.user)
        return {"user": known.pw_uid, "group": known.pw_gid, "extra_groups": [], "cwd": "/"}

    def run(self, *command: str | Path) -> None:
        subprocess.run(
            command, check=True, stdout=self.log, stderr=self.log, timeout=120, **self.as_user()
        )

    def command(self) -> Sequence[str | Path]:
        raise NotImplementedError

    def execute(self, statement: str, rows: Sequence[Any] = ()) -> None:
        """Run a statement as the department's own administrator; once per row, if there are."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            if rows:
                cursor.executemany(statement, rows)
            else:
                cursor.execute(statement)
            connection.commit()

    def connect(self) -> Any:
        raise NotImplementedError

    @property
    def place(self) -> dict[str, Any]:
        return {"kind": self.kind, "host": "127.0.0.1", "port": self.port, "database": "business"}


class MariaDb(Server):
    kind, user, superuser = "mysql", "mysql", "root"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run(
            program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        )
        self.start()
        self.execute("CREATE DATABASE business CHARACTER SET utf8mb4")
        self.execute(f"CREATE USER 'reader'@'%' IDENTIFIED BY '{PASSWORD}'")
        self.execute("GRANT SELECT ON business.* TO 'reader'@'%'")

    def command(self) -> Sequence[str | Path]:
        return [
            program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.folder / 'data'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder / 'socket'}",
            "--innodb-buffer-pool-size=64M",
            "--innodb-flush-log-at-trx-commit=2",
        ]

    def connect(self) -> Any:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", charset="utf8mb4", local_infile=False
        )


class SecondPostgres(Server):
    kind, user, superuser = "postgresql", "postgres", "postgres"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.run(
            program("initdb"),
            f"--pgdata={folder / 'data'}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=trust",
            "--no-sync",
        )
        self.start()
        self.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE business")
        self.execute("GRANT pg_read_all_data TO reader")

    def command(self) -> Sequence[str | Path]:
        return [
            program("postgres"),
            "-D",
            self.folder / "data",
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]

    def conninfo(self, database: str = "business") -> str:
        role = self.user if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        return f"host=127.0.0.1 port={self.port} user={role} dbname={database}"

    def connect(self) -> Any:
        try:
            return psycopg.connect(self.conninfo())
        except psycopg.OperationalError as error:
            if "does not exist" not in str(error):
                raise
            return psycopg.connect(self.conninfo("postgres"))


def program(name: str) -> str:
    """Return where the program is; the test is skipped, with the reason, where it is not."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    places = os.pathsep.join([*map(str, folders), "/usr/sbin", os.environ.get("PATH", "")])
    found = shutil.which(name, path=places)
    if found is None:
        package = "mariadb-server" if name.startswith("mariadb") else "postgresql"
        pytest.skip(f"没有安装 {package}：apt-get install {package}")
    return found


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdecimal() else 0
