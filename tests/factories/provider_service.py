"""A provider's own HTTP service, in a thread: it answers as a test tells it to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDS = [
    {"card": "11010519491231002X", "who": {"name": "张小三"}, "area": "500103",
     "day": "2026-01-05", "sum": "1200.50"},
    {"card": "440524188001010014", "who": {"name": "李四"}, "area": "500103",
     "day": "2026-02-06", "sum": 800},
    {"card": "500112198505050222", "who": {"name": "赵六"}, "area": "500112",
     "day": None, "sum": None},
]  # fmt: skip


class Service:
    """What was asked, and what is answered next."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[BaseHTTPRequestHandler], None] = with_records

    def tells(self, status: int, body: bytes, **headers: str) -> None:
        self.answer = lambda handler: send(handler, status, body, **headers)

    def sleeps(self, seconds: float) -> None:
        def slowly(handler: BaseHTTPRequestHandler) -> None:
            time.sleep(seconds)
            with_records(handler)

        self.answer = slowly

    def trickles(self) -> None:
        """One byte at a time: each read succeeds, the whole never ends."""

        def drop_by_drop(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.end_headers()
            for _byte in range(300):
                try:
                    handler.wfile.write(b" ")
                    handler.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)

        self.answer = drop_by_drop

    def trickles_headers(self) -> None:
        """The same, before the headers are over."""

        def drop_by_drop(handler: BaseHTTPRequestHandler) -> None:
            try:
                handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                for _byte in range(60):
                    handler.wfile.write(b"x")
                    time.sleep(0.1)
            except OSError:
                return

        self.answer = drop_by_drop


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    try:
        handler.wfile.write(body)
    except OSError:
        return


def with_records(handler: BaseHTTPRequestHandler) -> None:
    body = json.dumps({"code": 0, "data": {"list": RECORDS}}, ensure_ascii=False)
    send(handler, 200, body.encode())


@contextmanager
def running() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(dict(parse_qsl(urlsplit(self.path).query)))
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.asked.append(json.loads(body))
            self._answer()

        def _answer(self) -> None:
            service.headers.append({name.lower(): value for name, value in self.headers.items()})
            service.answer(self)

        def log_message(self, *_words: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}/api/query"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
