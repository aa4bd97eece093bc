"""`huiliu-sync` comes again when the portal said so: soon, or not before a planned stop is over."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from apps.warehouse.sync.following import commands
from apps.warehouse.sync.portal import Portal, PortalRefused

STOPPED = {"code": "planned_stop", "detail": "服务按公告停机"}


class StandingStill:
    """A portal whose data stand still; `waits` are the seconds that it tells, one an answer."""

    def __init__(self) -> None:
        self.waits: list[int] = []
        self.asked: list[str] = []
        portal = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(200, {"access_token": "token"})

            def do_GET(self) -> None:
                portal.asked.append(self.path)
                if portal.waits:
                    self.answer(503, STOPPED, portal.waits.pop(0))
                else:
                    self.answer(200, {"data": []})

            def answer(self, status: int, body: Any, wait: int | None = None) -> None:
                self.send_response(status)
                if wait is not None:
                    self.send_header("Retry-After", str(wait))
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def far() -> Iterator[StandingStill]:
    made = StandingStill()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_short_wait_is_waited_out_as_long_as_was_told(far: StandingStill) -> None:
    far.waits = [45]
    waited: list[float] = []
    portal = Portal(far.url, "id", "secret", wait=waited.append)
    assert portal.get("/api/v1/data/x/changes", {}) == {"data": []}
    assert waited == [45]


def test_a_long_one_is_told_at_once(far: StandingStill) -> None:
    far.waits = [7200]
    waited: list[float] = []
    portal = Portal(far.url, "id", "secret", wait=waited.append)
    with pytest.raises(PortalRefused) as refusal:
        portal.get("/api/v1/data/x/changes", {})
    assert (refusal.value.code, refusal.value.facts["retry_after"]) == ("planned_stop", 7200)
    assert waited == []
    assert len(far.asked) == 1


CONFIG = """
[portal]
url = "{url}"
client_id = "id"
client_secret_file = "secret"

[node]
follow_every_seconds = 30

[[follow]]
dataset = "307008/000022"
folder = "copy"
"""


@pytest.fixture
def config(far: StandingStill, tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    path = tmp_path / "node.toml"
    path.write_text(CONFIG.format(url=far.url))
    return path


def test_a_planned_stop_is_no_failure_of_a_single_turn(far: StandingStill, config: Path) -> None:
    far.waits = [7200]
    assert commands.follow(config, once=True) == 0


def test_it_is_not_asked_again_before_it_is_over(
    far: StandingStill, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far.waits = [100, 100]
    clock = [0.0]
    turns: list[int] = []

    class Enough(Exception):
        pass

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        turns.append(len(far.asked))
        if len(turns) == 5:
            raise Enough

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with pytest.raises(Enough):
        commands.follow(config, once=False)
    # Asked at 0, told to come again after 100 seconds; looked at every 30.
    assert turns == [1, 1, 1, 1, 2]
