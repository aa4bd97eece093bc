"""A front node (前置机): reads its department's tables, watches folders, pushes what is new.

A chunk is read into the spool, noted, sent, and forgotten only when its batch landed. Killed
anywhere, the node goes on with the same chunk under the same key, which the portal takes once.
"""

import logging
import os
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy.pool import NullPool

from apps.warehouse.sync import ferry, reading, watermarks
from apps.warehouse.sync.portal import Portal, PortalRefused, PortalUnreachable
from apps.warehouse.sync.state import Job, Pending, State, stamp

VERSION = "1"
LANDED = ("landed", "unchanged")
ROWS = 100_000

logger = logging.getLogger("huiliu-sync")


class Misconfigured(Exception):
    """The configuration lacks something; the words say what."""


@dataclass(frozen=True)
class Table:
    """One table to push. url: SQLAlchemy's, without the password."""

    name: str
    url: sqlalchemy.URL
    dataset: str
    query: reading.Query
    mode: str
    overlap: int
    rows: int


@dataclass
class Node:
    """A configured node. folders: those that are watched."""

    name: str
    portal: Portal
    state: State
    spool: Path
    tables: list[Table]
    folders: list[Path] = field(default_factory=list)
    every_minutes: float = 10.0

    def turn(self) -> bool:
        """Do everything that is due once; True when all of it went well."""
        well = [self._guarded(table.name, lambda table=table: self.push(table))  # type: ignore[misc]
                for table in self.tables]  # fmt: skip
        well += [self._guarded(str(folder), lambda folder=folder: ferry.turn(folder, self.portal))  # type: ignore[misc]
                 for folder in self.folders]  # fmt: skip
        self.report()
        return all(well)

    def push(self, table: Table) -> None:
        """Send what is new of a table, chunk after chunk, until nothing is left.

        Raises:
            PortalRefused, PortalUnreachable, sqlalchemy.exc.SQLAlchemyError.
        """
        job = self.state.job(table.name)
        while True:
            if job.pending is None and not self._read(table, job):
                break
            assert job.pending is not None
            more = job.pending.more
            if not self._deliver(table, job) or not more:
                break
        self.state.keep(job)

    def report(self) -> None:
        """Send the heartbeat; a portal that cannot take it is told again next time."""
        jobs = [self.state.job(table.name) for table in self.tables]
        try:
            self.portal.heartbeat(
                {
                    "node": self.name,
                    "version": VERSION,
                    "jobs": [
                        {
                            "name": job.name,
                            "dataset": table.dataset,
                            "last_success_at": job.last_success_at,
                            "waiting_rows": job.pending.rows if job.pending else 0,
                            "message": job.last_error,
                        }
                        for table, job in zip(self.tables, jobs, strict=True)
                    ],
                }
            )
        except (PortalRefused, PortalUnreachable) as error:
            logger.warning("heartbeat: %s", error)

    def _guarded(self, name: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except (PortalRefused, PortalUnreachable, sqlalchemy.exc.SQLAlchemyError) as error:
            return self._note(name, str(getattr(error, "orig", None) or error))
        except (reading.UnfitValue, watermarks.UnfitWatermark, OSError) as error:
            return self._note(name, str(error))
        return True

    def _note(self, name: str, words: str) -> bool:
        logger.error("%s: %s", name, words)
        job = self.state.job(name)
        job.last_error = " ".join(words.split())[:300]
        self.state.keep(job)
        return False

    def _read(self, table: Table, job: Job) -> bool:
        """Read the next chunk into the spool and note it; False when nothing is new."""
        self.spool.mkdir(parents=True, exist_ok=True)
        part = self.spool / f"{table.name}.part"
        engine = sqlalchemy.create_engine(table.url, poolclass=NullPool)
        try:
            chunk = reading.read_chunk(
                engine,
                table.query,
                part,
                checkpoint=job.checkpoint,
                overlap=table.overlap,
                at_least_rows=table.rows,
            )
        finally:
            engine.dispose()
        if not chunk.new_rows:
            part.unlink()
            job.last_success_at, job.last_error = stamp(), ""
            return False
        job.counter += 1
        whole = self.spool / f"{table.name}-{job.counter}.csv"
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(whole)
        job.pending = Pending(
            file=str(whole),
            key=f"{self.name}:{table.name}:{job.counter}",
            rows=chunk.rows,
            checkpoint=chunk.checkpoint,
            more=chunk.more,
        )
        self.state.keep(job)
        return True

    def _deliver(self, table: Table, job: Job) -> bool:
        """Send the pending chunk and wait for its batch; False when it did not land."""
        pending = job.pending
        assert pending is not None
        path = Path(pending.file)
        if pending.batch is None:
            if not path.exists():  # noted and then lost: read it again
                job.pending = None
                self.state.keep(job)
                return True
            terms = {"dataset": table.dataset, "mode": table.mode, "rows": pending.rows}
            pending.batch = self.portal.send(path, terms, pending.key)
            self.state.keep(job)
        batch = self.portal.outcome(pending.batch)
        did_land = batch["status"] in LANDED
        if did_land:
            job.checkpoint, job.last_success_at, job.last_error = pending.checkpoint, stamp(), ""
        else:
            job.last_error = f"{batch['number']} {batch['message']}"[:300]
        job.pending = None
        self.state.keep(job)
        path.unlink(missing_ok=True)
        return did_land


def configured(path: Path, *, wait: Callable[[float], None] | None = None) -> Node:
    """Read a node's configuration.

    Raises:
        Misconfigured: something is missing or unknown.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        portal, node = said["portal"], said.get("node", {})
        home = path.resolve().parent
        name = str(node.get("name", os.uname().nodename))[:100]
        return Node(
            name=name,
            portal=portal_of(portal, home, wait or time.sleep),
            state=State(home / node.get("state", "huiliu-sync.db")),
            spool=home / node.get("spool", "spool"),
            tables=[_table(each, home) for each in said.get("push", [])],
            folders=[home / each["folder"] for each in said.get("watch", [])],
            every_minutes=float(node.get("every_minutes", 10)),
        )
    except KeyError as error:
        raise Misconfigured(f"{path.name} 缺少 {error}") from error
    except (OSError, ValueError, sqlalchemy.exc.ArgumentError) as error:
        raise Misconfigured(f"{path.name}：{error}") from error


def portal_of(said: dict[str, Any], home: Path, wait: Callable[[float], None]) -> Portal:
    """Return the portal that `[portal]` names; KeyError or OSError where that is not possible."""
    return Portal(
        url=str(said["url"]).rstrip("/"),
        client_id=str(said["client_id"]),
        client_secret=secret(said, "client_secret", home),
        ca_file=str(said.get("ca_file", "")),
        wait=wait,
    )


def _table(said: dict[str, Any], home: Path) -> Table:
    url = sqlalchemy.make_url(said["url"])
    if password := secret(said, "password", home, needed=False):
        url = url.set(password=password)
    query = reading.Query(
        table=said["table"],
        schema=said.get("schema", ""),
        columns=tuple(said["columns"].items()),
        watermark=said["watermark"],
    )
    return Table(
        name=str(said.get("name", said["table"])).replace("/", "_"),
        url=url,
        dataset=said["dataset"],
        query=query,
        mode=said.get("mode", "upsert"),
        overlap=int(said.get("overlap", 600)),
        rows=int(said.get("rows", ROWS)),
    )


def secret(said: dict[str, Any], name: str, home: Path, *, needed: bool = True) -> str:
    """Return a secret from the environment or a file of its own; never from the configuration."""
    if variable := said.get(f"{name}_env"):
        return os.environ.get(str(variable), "")
    if file := said.get(f"{name}_file"):
        return (home / str(file)).read_text(encoding="utf-8").strip()
    if needed:
        raise KeyError(f"{name}_env 或者 {name}_file")
    return ""


def summary(node: Node) -> list[dict[str, Any]]:
    """Return how the jobs stand."""
    jobs = [node.state.job(table.name) for table in node.tables]
    return [
        {
            "name": job.name,
            "checkpoint": job.checkpoint,
            "pending": job.pending.key if job.pending else None,
            "last_success_at": job.last_success_at,
            "last_error": job.last_error,
        }
        for job in jobs
    ]
