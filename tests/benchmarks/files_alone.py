"""Make the exports that are due in this process alone; print seconds and memory as JSON.

The first is small: it loads what any export needs. Of the others the peak counts beyond what the
process then held.
"""

import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from config import environment


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from apps.sharing import operations as sharing
    from apps.sharing.models import Export
    from apps.sharing.operations.serving import making_exports

    made = []
    for _number in sys.argv[1:]:
        export = making_exports._take(datetime.now(UTC))
        assert export is not None
        before = _memory_kb("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        start = time.perf_counter()
        sharing.make_export(export=export)
        seconds = time.perf_counter() - start
        beyond = (_memory_kb("VmHWM") - before) / 1024
        export = Export.objects.get(pk=export.pk)
        assert export.status == "ready", export.message
        made.append({"seconds": seconds, "beyond_mb": round(beyond, 1), "bytes": export.size_bytes})
    print(json.dumps(made))


def _memory_kb(name: str) -> int:
    [found] = re.findall(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found)


if __name__ == "__main__":
    main()
