"""A department's file server: a real one on this machine, which can be told to misbehave."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FileServer:
    """content: what it serves; etag: by what it knows whether it changed.

    status: what it answers first, `busy` times. cut_after: bytes after which it hangs up.
    pause: seconds that it waits after every byte.
    redirects: {path: location}. asked: the headers of each request.
    """

    content: bytes = b""
    etag: str = '"1"'
    status: int = 200
    busy: int = 0
    cut_after: int | None = None
    announce: bool = True
    pause: float = 0
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/people.csv") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Handler(BaseHTTPRequestHandler):
    told: FileServer

    def do_GET(self) -> None:
        told = self.told
        told.asked.append({**dict(self.headers.items()), "path": self.path})
        if self.path in told.redirects:
            self.send_response(302)
            self.send_header("Location", told.redirects[self.path])
            self.end_without_content()
        elif told.busy > 0:
            told.busy -= 1
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_without_content()
        elif told.etag and self.headers.get("If-None-Match") == told.etag:
            self.send_response(304)
            self.end_headers()
        else:
            self.serve()

    def end_without_content(self) -> None:
        self.send_header("Content-Length", "0")
        self.end_headers()

    def serve(self) -> None:
        told = self.told
        self.send_response(told.status)
        if told.announce:
            self.send_header("Content-Length", str(len(told.content)))
        if told.etag:
            self.send_header("ETag", told.etag)
        self.end_headers()
        content = told.content[: told.cut_after]
        pieces = [bytes([each]) for each in content] if told.pause else [content]
        with suppress(OSError):
            for piece in pieces:
                self.wfile.write(piece)
                time.sleep(told.pause)

    def log_message(self, *_words: Any) -> None:
        return


@contextmanager
def running() -> Iterator[FileServer]:
    told = FileServer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Told", (Handler,), {"told": told}))
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
