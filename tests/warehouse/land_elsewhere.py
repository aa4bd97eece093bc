"""Land one batch in a process of its own, to be killed in the middle by a test."""

import sys
from datetime import datetime

import django


def main() -> None:
    django.setup()
    from apps.warehouse import operations as warehouse

    warehouse.land(batch_id=int(sys.argv[1]), at=datetime.fromisoformat(sys.argv[2]))


if __name__ == "__main__":
    main()
