"""`huiliu-sync` outlives answers that break off or are none, and shows its token to no one else."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from apps.warehouse.sync import ferry
from apps.warehouse.sync.portal import ATTEMPTS, Portal, PortalRefused, PortalUnreachable

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n" + b'{"data":[]}'
TOKEN = b'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{"access_token":"t"}'
BROKEN = {
    "cut off": b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"data": [',
    "no HTTP": b"good day\r\n\r\n",
    "a page of a proxy": b"HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n<html>login</html>",
    "another JSON": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    "cut off while refusing": b"HTTP/1.1 503 Busy\r\nContent-Length: 900\r\n\r\n{",
}


class Far:
    """A server that says, in turn, what it is told to. asked: paths; tokens: those it was shown."""

    def __init__(self) -> None:
        self.url = ""
        self.says: list[bytes] = []
        self.asked: list[str] = []
        self.tokens: list[str] = []


@contextmanager
def running() -> Iterator[Far]:
    far = Far()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            is_token = self.path == "/oauth/token"
            self.wfile.write(TOKEN if is_token else far.says.pop(0))

        def do_GET(self) -> None:
            far.asked.append(self.path)
            far.tokens.append(self.headers.get("Authorization", ""))
            self.wfile.write(far.says.pop(0) if far.says else WHOLE)

        def log_message(self, *_words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    far.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield far
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def far() -> Iterator[Far]:
    with running() as far:
        yield far


def portal_at(far: Far) -> Portal:
    return Portal(far.url, "id", "secret", wait=lambda _seconds: None)


@pytest.mark.parametrize("how", BROKEN)
def test_what_broke_once_is_asked_again(far: Far, how: str) -> None:
    far.says = [BROKEN[how]]
    assert portal_at(far).get("/api/v1/data/x/changes", {}) == {"data": []}
    assert len(far.asked) == 2


@pytest.mark.parametrize("how", BROKEN)
def test_what_breaks_each_time_is_no_portal_that_can_be_reached(far: Far, how: str) -> None:
    far.says = [BROKEN[how]] * ATTEMPTS
    with pytest.raises(PortalUnreachable):
        portal_at(far).get("/api/v1/data/x/changes", {})
    assert len(far.asked) == ATTEMPTS


def test_a_token_is_not_carried_to_where_an_answer_points(far: Far) -> None:
    with running() as elsewhere:
        place = f"{elsewhere.url}/caught".encode()
        far.says = [b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + place + b"\r\n\r\n"]
        with pytest.raises(PortalRefused) as refusal:
            portal_at(far).get("/api/v1/data/x/changes", {})
        assert (elsewhere.asked, elsewhere.tokens) == ([], [])
    assert refusal.value.status == 302
    assert "302" in str(refusal.value)


STOPPED = b"HTTP/1.1 503 Stopped\r\nRetry-After: 7200\r\nContent-Length: 2\r\n\r\n{}"
UNKNOWN = b"HTTP/1.1 401 Unknown\r\nContent-Length: 2\r\n\r\n{}"
NO_MORE_TODAY = b"HTTP/1.1 429 Later\r\nRetry-After: 7200\r\nContent-Length: 2\r\n\r\n{}"
UNFIT = b'HTTP/1.1 400 Unfit\r\nContent-Length: 17\r\n\r\n{"code": "unfit"}'


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_bytes(b"name\n1\n")
    said = {"file": file.name, "dataset": "1-1", "rows": 1}
    said["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    written = tmp_path / "people.json"
    written.write_text(json.dumps(said), encoding="utf-8")
    return written


@pytest.mark.parametrize("says", [[STOPPED], [NO_MORE_TODAY], [UNKNOWN, UNKNOWN]])
def test_a_file_waits_where_the_portal_takes_none(
    far: Far, manifest: Path, says: list[bytes]
) -> None:
    """A planned stop, a credential that is void for now: nothing is wrong with the file."""
    far.says = says
    with pytest.raises(PortalRefused):
        ferry.turn(manifest.parent, portal_at(far))
    assert manifest.exists()
    assert not (manifest.parent / "refused").exists()


def test_a_file_that_is_refused_is_put_away(far: Far, manifest: Path) -> None:
    far.says = [UNFIT]
    ferry.turn(manifest.parent, portal_at(far))
    assert not manifest.exists()
    receipt = manifest.parent / "refused" / "people.receipt.json"
    assert json.loads(receipt.read_text(encoding="utf-8"))["code"] == "unfit"
