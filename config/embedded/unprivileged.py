"""The operating-system user that PostgreSQL runs as: never root."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedServerError

ACCOUNT_NAME = "huiliu"
FALLBACK_ACCOUNT = "nobody"  # for a machine whose user list cannot be written
COMMAND_SECONDS = 120


@dataclass(frozen=True)
class Account:
    """Who runs the server; `differs` when that is not the user of this process."""

    name: str
    uid: int
    gid: int
    differs: bool


def choose() -> Account:
    """The present user, or, when that is root, the user `huiliu` (made when missing)."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid(), differs=False)
    entry = _entry(ACCOUNT_NAME) or _make_account() or _entry(FALLBACK_ACCOUNT)
    if entry is None or entry.pw_uid == 0:
        raise EmbeddedServerError(
            f"以 root 运行时需要一个普通用户来运行 PostgreSQL：创建用户 {ACCOUNT_NAME} 后重试"
        )
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, differs=True)


def choose_quietly() -> Account:
    """The account that `choose` would take; nothing is made for it."""
    if os.geteuid() != 0:
        return choose()
    entry = _entry(ACCOUNT_NAME)
    if entry is None:
        return Account(ACCOUNT_NAME, -1, -1, differs=True)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, differs=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make_account() -> pwd.struct_passwd | None:
    tool = shutil.which("useradd")
    if tool is None:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    no_shell = ["--shell", "/usr/sbin/nologin"]
    # Two starters may try at once: the loser finds the entry the winner has made.
    subprocess.run([tool, *options, *no_shell, ACCOUNT_NAME], capture_output=True, check=False)
    return _entry(ACCOUNT_NAME)


def run(account: Account, command: Sequence[str | Path], log: Path | None = None) -> str:
    """Run a command as the account and return what it printed.

    Output goes through a file: a daemon that inherits a pipe would keep it open for ever.

    Raises:
        EmbeddedServerError: it failed or took too long; the message carries its last lines.
    """
    identity: dict[str, object] = {}
    if account.differs:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}
    program = Path(command[0]).name
    try:
        with tempfile.TemporaryFile() as printed:
            result = subprocess.run(  # type: ignore[call-overload]
                [str(part) for part in command],
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
                timeout=COMMAND_SECONDS,
                check=False,
                **identity,
            )
            printed.seek(0)
            text = printed.read().decode("utf-8", "replace").strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbeddedServerError(f"无法运行 {program}：{error}") from error
    if result.returncode:
        raise EmbeddedServerError(f"{program} 失败：\n{_ending(text)}{_ending_of(log)}")
    return text


def _ending(text: str) -> str:
    return "\n".join(text.splitlines()[-12:])


def _ending_of(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    return f"\n{log}：\n{_ending(log.read_text('utf-8', 'replace'))}"


def can_reach(account: Account, folder: Path) -> bool:
    """Whether the account may enter the folder and every folder above it."""
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not account.differs:
        return os.access(existing, os.X_OK)
    return all(_may_enter(account, place) for place in (existing, *existing.parents))


def _may_enter(account: Account, folder: Path) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
