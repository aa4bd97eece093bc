"""One PostgreSQL cluster: initialise, configure, start, stop."""

import contextlib
import json
import os
import secrets
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from config.embedded import places as folders
from config.embedded import roles, unprivileged
from config.embedded.errors import EmbeddedServerError
from config.embedded.places import Places
from config.embedded.unprivileged import Account

SUPERUSER = "postgres"
OWNER = "huiliu"
GATEWAY = "huiliu_gateway"
DATABASE = "huiliu"
PORT = 5432  # only part of the socket's name; several servers never share a socket folder
PATIENCE_SECONDS = 60
START_ATTEMPTS = 5

# For two cores and a few gigabytes; thousands of tables and roles, so many locks.
CONFIGURATION = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "max_locks_per_transaction": "1024",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "1GB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_compression": "off",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "1",
    "max_parallel_maintenance_workers": "1",
    "jit": "off",
    "timezone": "'Asia/Shanghai'",
    "log_timezone": "'Asia/Shanghai'",
    "log_line_prefix": "'%m [%p] %u@%d '",
    "log_checkpoints": "off",
    "lc_messages": "'C'",
}
# A test server may lose everything: it is thrown away.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum_naptime": "10min",
    "scram_iterations": "1",  # tests log in thousands of times
}
HOST_BASED_ACCESS = "local all all scram-sha-256\n"


@dataclass(frozen=True)
class Secrets:
    """Passwords made at the first start, and the socket folder last used."""

    superuser: str = ""
    owner: str = ""
    gateway: str = ""
    socket: str = ""


def read_secrets(places: Places) -> Secrets:
    """The passwords, empty before the first start."""
    try:
        return Secrets(**json.loads(places.secrets.read_text("ascii")))
    except FileNotFoundError:
        return Secrets()


def _write_secrets(places: Places, kept: Secrets) -> None:
    descriptor, unfinished = tempfile.mkstemp(prefix=".secrets-", dir=places.root)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:  # mkstemp: 0600
        json.dump(asdict(kept), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, places.secrets)


@dataclass(frozen=True)
class Cluster:
    """A cluster's folders, the programs that run it and the user they run as."""

    places: Places
    binaries: Path
    account: Account
    test: bool

    def start(self) -> Secrets:
        """Bring the server up, whatever state the last one left, and prepare roles and database."""
        folders.make(self.places, self.account)
        kept = read_secrets(self.places)
        if not kept.superuser:
            kept = Secrets(*(secrets.token_urlsafe(24) for _ in range(3)))
            _write_secrets(self.places, kept)
        self._initialise(kept)
        socket = folders.socket_folder(self.places, self.account, kept.socket)
        kept = Secrets(kept.superuser, kept.owner, kept.gateway, str(socket))
        _write_secrets(self.places, kept)
        self._configure(socket)
        self._launch()
        self._prepare(kept)
        return kept

    def stop(self) -> None:
        """Stop the server; sessions that are still open are ended."""
        if self.postmaster() is not None:
            seconds = str(PATIENCE_SECONDS)
            self._control("stop", "-m", "fast", "-w", "-t", seconds)

    def postmaster(self) -> int | None:
        """The process id of the live server of this cluster; None when there is none."""
        try:
            first_line = (self.places.data / "postmaster.pid").read_text("ascii").split("\n")[0]
        except FileNotFoundError:
            return None
        process = int(first_line) if first_line.strip().isdecimal() else 0
        return process if process and _serves(process, self.places.data) else None

    def answers(self, kept: Secrets) -> bool:
        """Whether the application's own login gets an answer."""
        try:
            with _connect(kept, OWNER, kept.owner, DATABASE):
                return True
        except psycopg.OperationalError:
            return False

    def wait_until_answering(self, kept: Secrets) -> bool:
        """Give a server that is starting or recovering its time; False when it ends instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.postmaster() is not None and time.monotonic() < deadline:
            if self.answers(kept):
                return True
            time.sleep(0.1)
        return False

    def _initialise(self, kept: Secrets) -> None:
        """initdb, in a folder of its own until it is whole: a killed one leaves nothing behind."""
        if (self.places.data / "PG_VERSION").exists():
            self._check_version()
            return
        with tempfile.TemporaryDirectory(prefix=".initdb-", dir=self.places.root) as name:
            workshop = Path(name)
            folders.give(workshop, self.account)
            password = workshop / "password"
            password.write_text(kept.superuser, "ascii")
            folders_owner = (self.account.uid, self.account.gid)
            os.chown(password, *folders_owner)
            options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
            options += ["--builtin-locale=C.UTF-8", "--auth=scram-sha-256", "--no-instructions"]
            names = [f"--username={SUPERUSER}", f"--pwfile={password}"]
            target = [f"--pgdata={workshop / 'data'}"]
            quick = ["--no-sync", "--set=scram_iterations=1"] if self.test else []
            self._run("initdb", *options, *names, *target, *quick)
            self.places.data.rmdir()
            (workshop / "data").rename(self.places.data)

    def _check_version(self) -> None:
        found = (self.places.data / "PG_VERSION").read_text("ascii").strip()
        ours = self._run("postgres", "--version").split()[2].split(".")[0]
        if found != ours:
            raise EmbeddedServerError(
                f"{self.places.data} 由 PostgreSQL {found} 建立，现在的程序是 {ours}："
                "先用旧版导出（pg_dump），移走该文件夹后再导入"
            )

    def _configure(self, socket: Path) -> None:
        settings = CONFIGURATION | (CARELESS if self.test else {})
        settings = settings | {"unix_socket_directories": f"'{socket}'", "port": str(PORT)}
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        self._write("huiliu.conf", "# Written anew at each start by config/embedded\n", *lines)
        self._write("postgresql.conf", "include 'huiliu.conf'\ninclude_if_exists 'local.conf'\n")
        self._write("pg_hba.conf", HOST_BASED_ACCESS)

    def _write(self, name: str, *lines: str) -> None:
        path = self.places.data / name
        path.write_text("".join(lines), "utf-8")
        os.chown(path, self.account.uid, self.account.gid)
        path.chmod(0o600)

    def _launch(self) -> None:
        """Start, removing a dead server's pid file; its last processes may need a moment to end."""
        self._open_log()
        for attempt in range(1, START_ATTEMPTS + 1):
            if self.postmaster() is None:
                (self.places.data / "postmaster.pid").unlink(missing_ok=True)
            try:
                self._control("start", "-l", self.places.log, "-w", "-t", str(PATIENCE_SECONDS))
            except EmbeddedServerError:
                if attempt == START_ATTEMPTS:
                    raise
                time.sleep(attempt)
            else:
                return

    def _open_log(self) -> None:
        """A log that the server may append to, begun anew at ten megabytes."""
        with contextlib.suppress(FileNotFoundError):
            if self.places.log.stat().st_size > 10_000_000:
                self.places.log.replace(self.places.log.with_suffix(".old.log"))
        self.places.log.touch(mode=0o600)
        os.chown(self.places.log, self.account.uid, self.account.gid)

    def _prepare(self, kept: Secrets) -> None:
        preparation = roles.Preparation(
            DATABASE, OWNER, kept.owner, GATEWAY, kept.gateway, may_create_databases=self.test
        )
        if not self.answers(kept):
            with _connect(kept, SUPERUSER, kept.superuser, "postgres") as connection:
                roles.apply(connection, preparation)
        with _connect(kept, SUPERUSER, kept.superuser, DATABASE) as connection:
            roles.apply_inside(connection)

    def _control(self, action: str, *options: str | Path) -> None:
        self._run("pg_ctl", action, "-s", "-D", self.places.data, *options)

    def _run(self, program: str, *options: str | Path) -> str:
        command = [self.binaries / program, *options]
        return unprivileged.run(self.account, command, self.places.log)


def _connect(
    kept: Secrets, user: str, password: str, database: str
) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=kept.socket,
        port=PORT,
        user=user,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def superuser_connection(
    kept: Secrets, database: str = "postgres"
) -> psycopg.Connection[tuple[object, ...]]:
    """For clearing up after tests; the application never uses it."""
    return _connect(kept, SUPERUSER, kept.superuser, database)


def _serves(process: int, data: Path) -> bool:
    """Whether the process is alive and is a PostgreSQL of this folder, not a later namesake."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    folder = Path(f"/proc/{process}")
    if not Path("/proc/self").exists():
        return True  # no /proc on this system: trust the number
    try:
        command = (folder / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"postgres" in command[0] and os.fsencode(data) in command
