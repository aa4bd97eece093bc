"""Check and adopt one import in this process alone; print seconds, peaks and outcome as JSON."""

import json
import resource
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from config import environment


class Peak(threading.Thread):
    """Watches the memory of this process and its children together, twenty times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.kilobytes = 0
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            self.kilobytes = max(self.kilobytes, _resident("self") + _children())

    def stop(self) -> None:
        self._over.set()
        self.join()


def _resident(process: str) -> int:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def _children() -> int:
    try:
        found = Path("/proc/self/task").glob("*/children")
        keys = {key for path in found for key in path.read_text().split()}
    except OSError:
        return 0
    return sum(_resident(key) for key in keys)


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from apps.catalog import operations as catalog
    from apps.catalog.models import CatalogImport

    at = datetime.now(UTC)
    peak = Peak()
    peak.start()
    start = time.perf_counter()
    catalog.check_imports(at=at)
    checked = time.perf_counter()
    subject = CatalogImport.objects.get(pk=int(sys.argv[1]))
    if subject.status == "checked" and sys.argv[2] == "adopt":
        catalog.adopt(subject=subject, actor=subject.uploaded_by, at=at, scope="good")
        catalog.adopt_imports(at=at)
        subject.refresh_from_db()
    end = time.perf_counter()
    peak.stop()
    print(
        json.dumps(
            {
                "check_seconds": checked - start,
                "adopt_seconds": end - checked,
                "peak_mb": peak.kilobytes // 1024,
                "self_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "status": subject.status,
                "problem": subject.problem,
                "summary": subject.summary,
            }
        )
    )


if __name__ == "__main__":
    main()
