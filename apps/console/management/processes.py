"""The processes of one installation: started together, ended together, none left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from config import environment

PATIENCE_SECONDS = 15  # for requests and jobs that are under way
RESTART_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a child that lived so long did not fail at its start
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One program that is to run until the end; started anew when it dies."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = RESTART_SECONDS
    due: float = 0.0

    def start(self) -> None:
        """Start the program in a process group of its own."""
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env=environment.for_children(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  this process has one thread only
        )

    def alive(self) -> bool:
        """Whether the program runs."""
        return self.process is not None and self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signal the program and everything that it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def ask_to_end(self) -> None:
        """Ask the program alone: it ends its own workers in order."""
        if self.alive() and self.process is not None:
            self.process.terminate()


def _end_with_parent() -> None:
    """Have the kernel end the child when this process is killed (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Runs the children until a signal asks to stop."""

    def __init__(self, children: Sequence[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self.say = say
        self.stopping = False

    def run(self, announce: Callable[[], bool]) -> None:
        """Start everything; `announce` is called until it says that it is done."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            for child in self.children:
                child.start()
            announced = False
            while not self.stopping:
                announced = announced or announce()
                self._revive()
                time.sleep(0.2)
        finally:
            self._end()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _revive(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.alive():
                continue
            if child.due == 0.0:
                self._plan_restart(child, now)
            elif now >= child.due:
                child.due = 0.0
                child.start()

    def _plan_restart(self, child: Child, now: float) -> None:
        child.send(signal.SIGKILL)  # workers that a killed master left behind
        steady = now - child.started >= STEADY_SECONDS
        child.pause = RESTART_SECONDS if steady else min(child.pause * 2, LONGEST_PAUSE_SECONDS)
        child.due = now + child.pause
        self.say(f"{child.name} 已退出，{child.pause:.0f} 秒后重新启动")

    def _end(self) -> None:
        for child in self.children:
            child.ask_to_end()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(child.alive() for child in self.children) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in self.children:
            child.send(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
