"""A portal with a folder of its own, whose processes can be killed one by one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

KINDS = ("worker", "web", "postgres", "backend")
_MARKS = {
    "worker": ("procrastinate", "worker"),
    "web": ("granian",),
    "backend": ("postgres: ", "huiliu"),
}
PATIENCE_SECONDS = 180


class Portal:
    """`manage.py serve` on a home and a port; a context manager that stops it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.address = f"http://127.0.0.1:{port}"
        self._environment = {
            **os.environ,
            "HUILIU_HOME": str(home),
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "config.settings.demo",
        }
        self._served: subprocess.Popen[bytes] | None = None
        self._killer: threading.Thread | None = None
        self._moment: float | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._served is not None:
            self._served.terminate()
            self._served.wait(60)

    def told(self, module: str, *arguments: str) -> dict[str, Any]:
        """Run a module against the portal's database and return the JSON of its last line."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer

    def start(self) -> None:
        """Start web and worker and wait until they answer."""
        log = (self.home / "serve.log").open("ab")
        self._served = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], env=self._environment, stdout=log, stderr=log
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the portal does not answer; see {log.name}")
            time.sleep(0.5)

    def kill_after(self, seconds: float, kind: str) -> None:
        """Kill a process of that kind a little later, while the caller goes on."""
        self._moment = None
        self._over = threading.Event()

        def run() -> None:
            if not self._over.wait(seconds) and self._kill(kind):
                self._moment = seconds

        self._killer = threading.Thread(target=run)
        self._killer.start()

    def killed_after(self) -> float | None:
        """Return after how many seconds the kill came; None where the load was over before."""
        self._over.set()
        if self._killer is not None:
            self._killer.join()
        return self._moment

    def _kill(self, kind: str) -> bool:
        victims = [self._postmaster()] if kind == "postgres" else self._processes(kind)
        for process in victims:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return bool(victims)

    def _postmaster(self) -> int:
        return int(next(self.home.rglob("postmaster.pid")).read_text().split()[0])

    def _processes(self, kind: str) -> list[int]:
        """The portal's processes of a kind; of the server's backends one that is at work."""
        found = []
        family = self._postmaster() if kind == "backend" else None
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if family is not None:
                    parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    ours = parent == family
                else:
                    ours = str(self.home).encode() in (folder / "environ").read_bytes()
            except (OSError, ValueError):
                continue
            if ours and all(mark in command for mark in _MARKS[kind]):
                found.append(int(folder.name))
        if kind == "backend":
            busy = [process for process in found if not self._is_idle(process)]
            return (busy or found)[:1]
        return found

    def _is_idle(self, process: int) -> bool:
        try:
            return " idle" in Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            return True

    def _answers(self) -> bool:
        request = urllib.request.Request(f"{self.address}/health/ready")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False
