"""Show how far a worker is, and that it lives, while its transaction is still open."""

from collections.abc import Callable
from typing import Any, ClassVar

from apps.core.heartbeat import Heartbeat
from apps.warehouse.models import Batch, ProposalRun, PullRun


class LandingHeartbeat(Heartbeat):
    """Writes stage and rows of a batch as well."""

    seconds: ClassVar[float] = 1.0

    def __init__(self, batch: Batch) -> None:
        super().__init__(batch, status=Batch.Status.CHECKING)
        self._stage: str = Batch.Stage.READING
        self._records = 0
        self._bytes = 0
        self._bytes_expected = 1

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

    def told(self) -> dict[str, Any]:
        return {
            "stage": self._stage,
            "progress_rows": self.rows,
            "declared": self._records or None,
        }


class PullingHeartbeat(Heartbeat):
    """Writes how many rows the reader of a source has as well."""

    def __init__(self, run: PullRun) -> None:
        super().__init__(run, status=PullRun.Status.READING)
        self._rows = 0

    def advance_to(self, rows: int) -> None:
        self._rows = rows

    def told(self) -> dict[str, Any]:
        return {"rows": self._rows}


class ProposingHeartbeat(Heartbeat):
    """Writes the stage and the columns counted of a proposal as well."""

    seconds: ClassVar[float] = 1.0

    def __init__(self, run: ProposalRun) -> None:
        super().__init__(run, status=ProposalRun.Status.READING)
        self._heard: tuple[str, Callable[[], int], int] = (str(run.stage), int, 0)

    def hear(self, stage: str, done: Callable[[], int], of: int) -> None:
        self._heard = (stage, done, of)

    def told(self) -> dict[str, Any]:
        stage, done, of = self._heard
        return {"stage": stage, "progress": done(), "expected": of}
