"""Show that a worker lives while its transaction is still open."""

import threading
from types import TracebackType
from typing import Any, ClassVar, Self

from django.db import DatabaseError, connection
from django.db.models import Model
from django.utils import timezone


class Heartbeat:
    """Writes `heartbeat_at` of a row on a connection of its own; a context manager.

    The row is held by the revision and status that it has now: once it was taken over or moved, a
    beat changes nothing. Work that is soon done is over before the first beat.
    """

    seconds: ClassVar[float] = 5.0

    def __init__(self, row: Model, *, status: str) -> None:
        self._row = type(row)
        self._held: dict[str, Any] = {
            "pk": row.pk,
            "revision": row.revision,  # type: ignore[attr-defined]  # of every governed row
            "status": status,
        }
        self._over = threading.Event()
        name = f"{row._meta.model_name}-heartbeat"
        self._thread = threading.Thread(target=self._beat, name=name, daemon=True)

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

    def told(self) -> dict[str, Any]:
        """Return the fields that a beat writes beside its time."""
        return {}

    def _beat(self) -> None:
        rows = self._row._default_manager.filter(**self._held)
        try:
            while not self._over.wait(self.seconds):
                try:
                    rows.update(heartbeat_at=timezone.now(), **self.told())
                except DatabaseError:
                    # The work itself will notice; a missed beat is made up by the next.
                    connection.close()
        finally:
            connection.close()
