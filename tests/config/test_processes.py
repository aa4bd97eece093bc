"""Children are revived, told to end, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import environment

SUPERVISE = """
import sys
from apps.console.management.processes import Child, Supervisor
child = [sys.executable, "-c",
    "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\\\n'); time.sleep(600)",
    sys.argv[1]]
Supervisor([Child("a", child), Child("b", child)], print).run(lambda: True)
"""


@pytest.fixture
def children(tmp_path: Path) -> Path:
    return tmp_path / "children"


@pytest.fixture
def parent(children: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(children)],
        cwd=environment.REPOSITORY,
        stdout=subprocess.DEVNULL,
    )
    assert until(lambda: len(started(children)) == 2)
    yield process
    if process.poll() is None:
        process.terminate()
    process.wait(20)


def started(children: Path) -> list[int]:
    return [int(line) for line in children.read_text().split()] if children.exists() else []


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_it_revives_a_child_that_died(parent: "subprocess.Popen[bytes]", children: Path) -> None:
    os.kill(started(children)[0], signal.SIGKILL)
    assert until(lambda: len(started(children)) == 3)
    assert parent.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_takes_its_children_along(
    parent: "subprocess.Popen[bytes]", children: Path, number: signal.Signals
) -> None:
    parent.send_signal(number)
    parent.wait(20)
    assert until(lambda: not any(alive(child) for child in started(children)))
