"""Show that the worker of a run lives while its transaction is still open."""

import threading
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection
from django.utils import timezone

from apps.quality.models import QualityRun

INTERVAL_SECONDS = 5.0


class Heartbeat:
    """Writes the time of a run on a connection of its own; a context manager.

    A beat that finds another revision changes nothing: the run was taken over.
    """

    def __init__(self, run: QualityRun) -> None:
        self._pk = run.pk
        self._revision = run.revision
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="quality-heartbeat", daemon=True)

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

    def _beat(self) -> None:
        try:
            while not self._over.wait(INTERVAL_SECONDS):
                try:
                    QualityRun.objects.filter(
                        pk=self._pk, revision=self._revision, status=QualityRun.Status.RUNNING
                    ).update(heartbeat_at=timezone.now())
                except DatabaseError:
                    connection.close()  # a missed beat is made up by the next
        finally:
            connection.close()
