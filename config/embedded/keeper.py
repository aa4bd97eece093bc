"""Stop the embedded server when nobody uses it any more, however its last user ended.

A process of its own, started beside the server: `python -m config.embedded.keeper ROOT [test]`.
"""

import fcntl
import os
import sys
import time
from pathlib import Path

from config.embedded import binaries, places, unprivileged
from config.embedded.cluster import Cluster
from config.embedded.places import Places
from config.embedded.server import open_lock, stop_if_unused, wait_for


def keep(where: Places, *, test: bool) -> None:
    """Wait until the server is unused, and stop it."""
    own = open_lock(where.keeper)
    if not wait_for(own, fcntl.LOCK_EX, 0):
        return  # another keeper is at work
    account = unprivileged.choose()
    server = Cluster(where, binaries.locate(account, places.SHARED_HOME), account, test)
    while not _stopped(server):
        time.sleep(0.1)


def _stopped(server: Cluster) -> bool:
    _wait_for_the_last_user(server.places)
    descriptor = open_lock(server.places.lock)
    try:
        # Whoever holds this is starting or stopping the server now: see afterwards.
        return wait_for(descriptor, fcntl.LOCK_EX, 0) and stop_if_unused(server)
    finally:
        os.close(descriptor)


def _wait_for_the_last_user(where: Places) -> None:
    descriptor = open_lock(where.users)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    keep(Places(Path(sys.argv[1])), test="test" in sys.argv[2:])
