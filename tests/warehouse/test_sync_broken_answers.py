"""`huiliu-sync` outlives answers that break off or are none, and shows its token to no one else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

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
            self.wfile.write(TOKEN)

        def do_GET(self) -> None:
            far.asked.append(self.path)
            far.tokens.append(self.headers.get("Authorization", ""))
            self.wfile.write(far.says.pop(0) if far.says else WHOLE)

        def log_message(self, *_words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    far.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
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
