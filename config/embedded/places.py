"""Where the embedded server keeps its things.

<home>/postgres/      secrets.json, lock, users, keeper, server.log   (root or the present user)
<home>/postgres/data  the cluster                                     (the server's user, 0700)
<home>/postgres/socket                                                (the server's user, 0700)
"""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedServerError
from config.embedded.unprivileged import Account, can_reach

SHARED_HOME = Path("/var/lib/huiliu")  # for root whose own home others may not enter
SOCKET_FOLDER_BYTES = 85  # the whole path of a socket is limited to 107 bytes by the system


@dataclass(frozen=True)
class Places:
    """The folders and files of one embedded server."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def lock(self) -> Path:
        """Held while the server is started or stopped."""
        return self.root / "lock"

    @property
    def users(self) -> Path:
        """Held, shared, by every process that uses the server."""
        return self.root / "users"

    @property
    def keeper(self) -> Path:
        """Held by the process that stops the server after its last user."""
        return self.root / "keeper"


def choose(home: Path, account: Account) -> Places:
    """The server's folders: in the home, unless its user could not reach them there."""
    inside = home / "postgres"
    if can_reach(account, inside):
        return Places(inside)
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Places(SHARED_HOME / name / "postgres")


def test_home(repository: Path) -> Path:
    """The home of the throw-away server; all test runs of a repository share it."""
    return repository / "var" / "test"


def make(places: Places, account: Account) -> None:
    """Make the folders; other users of the machine can neither list nor enter what matters."""
    places.root.mkdir(parents=True, exist_ok=True)
    places.root.chmod(0o711 if account.differs else 0o700)
    give(places.data, account)


def give(folder: Path, account: Account) -> None:
    """Make a folder that only the server's user may enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if account.differs:
        os.chown(folder, account.uid, account.gid)


def socket_folder(places: Places, account: Account, kept: str) -> Path:
    """A private folder for the socket whose path is short enough; `kept` is the last one used."""
    inside = places.root / "socket"
    if len(os.fsencode(inside)) <= SOCKET_FOLDER_BYTES:
        give(inside, account)
        return inside
    if kept and _is_private(Path(kept), account):
        return Path(kept)
    made = Path(tempfile.mkdtemp(prefix="huiliu-", dir="/tmp"))
    if len(os.fsencode(made)) > SOCKET_FOLDER_BYTES:
        raise EmbeddedServerError(f"临时文件夹路径过长：{made}")
    give(made, account)
    return made


def _is_private(folder: Path, account: Account) -> bool:
    """Nobody else prepared the folder for us: it is a real one, ours, closed to others."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    return private and status.st_uid == account.uid
