"""Land one batch in this process alone and print seconds, peak of memory and outcome as JSON."""

import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from config import environment


def peak_mb() -> int:
    """The peak since this program began; `ru_maxrss` would begin with that of the parent."""
    [found] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found) >> 10


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from apps.warehouse import operations as warehouse

    start = time.perf_counter()
    batch = warehouse.land(batch_id=int(sys.argv[1]), at=datetime.now(UTC))
    seconds = time.perf_counter() - start
    peak = peak_mb()
    outcome = {"status": batch.status, "message": batch.message}
    print(json.dumps({"seconds": seconds, "peak_mb": peak, **outcome}))


if __name__ == "__main__":
    main()
