"""Show that a worker lives, and how far it is, while its transaction is still open."""

import threading
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection
from django.utils import timezone

from apps.warehouse.models import Batch, PullRun

INTERVAL_SECONDS = 1.0
RUN_INTERVAL_SECONDS = 5.0


class Heartbeat:
    """Writes stage, rows and time of a batch on a connection of its own; a context manager.

    A short batch is over before the first beat. A beat that finds another revision changes
    nothing: the batch was taken over.
    """

    def __init__(self, batch: Batch) -> None:
        self._pk = batch.pk
        self._revision = batch.revision
        self._stage: str = Batch.Stage.READING
        self._records = 0
        self._bytes = 0
        self._bytes_expected = 1
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="landing-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Beat no more; the row is about to be moved."""
        self._over.set()
        self._thread.join()

    def enter(self, stage: str) -> None:
        self._stage = stage

    def expect(self, records: int, size_bytes: int) -> None:
        self._records, self._bytes_expected = records, max(1, size_bytes)

    def advance(self, size_bytes: int) -> None:
        self._bytes += size_bytes

    @property
    def rows(self) -> int:
        """How many records have passed, judged by the bytes that did."""
        return int(self._records * min(1.0, self._bytes / self._bytes_expected))

    def _beat(self) -> None:
        try:
            while not self._over.wait(INTERVAL_SECONDS):
                try:
                    self._write()
                except DatabaseError:
                    # The load itself will notice; a missed beat is made up by the next.
                    connection.close()
        finally:
            connection.close()

    def _write(self) -> None:
        Batch.objects.filter(
            pk=self._pk, revision=self._revision, status=Batch.Status.CHECKING
        ).update(
            heartbeat_at=timezone.now(),
            stage=self._stage,
            progress_rows=self.rows,
            declared=self._records or None,
        )


class RunHeartbeat:
    """Writes that the reader of a source lives, and how many rows it has; a context manager."""

    def __init__(self, run: PullRun) -> None:
        self._pk = run.pk
        self._revision = run.revision
        self._rows = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulling-heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def advance_to(self, rows: int) -> None:
        self._rows = rows

    def _beat(self) -> None:
        try:
            while not self._over.wait(RUN_INTERVAL_SECONDS):
                try:
                    PullRun.objects.filter(
                        pk=self._pk, revision=self._revision, status=PullRun.Status.READING
                    ).update(heartbeat_at=timezone.now(), rows=self._rows)
                except DatabaseError:
                    # The reader itself will notice; a missed beat is made up by the next.
                    connection.close()
        finally:
            connection.close()
