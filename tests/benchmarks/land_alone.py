"""Land one batch in this process alone and print seconds, peak of memory and outcome as JSON."""

import json
import resource
import sys
import time
from datetime import UTC, datetime

from config import environment


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from apps.warehouse import operations as warehouse

    start = time.perf_counter()
    batch = warehouse.land(batch_id=int(sys.argv[1]), at=datetime.now(UTC))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    outcome = {"status": batch.status, "message": batch.message}
    print(json.dumps({"seconds": seconds, "peak_mb": peak, **outcome}))


if __name__ == "__main__":
    main()
