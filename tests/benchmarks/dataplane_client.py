"""The other side of the measurements of the data plane, in a process of its own.

Reads a JSON plan from standard input and prints a JSON result. Eight connections are eight threads,
for the baseline as for HTTP; neither side compresses or parses what it reads.
"""

import json
import random
import socket
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

Step = Callable[[], int]


class HttpConnection:
    """A keep-alive connection that reads whole answers and looks at nothing but the status."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._head = f"Host: 127.0.0.1\r\nAuthorization: Bearer {plan['token']}\r\n\r\n"
        self._socket = socket.create_connection((plan["host"], plan["port"]), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(8 << 20)

    def get(self, path: str) -> memoryview:
        """Return the answer's body; an answer other than 200 ends the measurement."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
        filled, end = 0, -1
        while end < 0:
            filled += self._receive(filled)
            end = self._buffer.find(b"\r\n\r\n", 0, filled)
        head = bytes(self._buffer[:end]).lower()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(bytes(self._buffer[:filled]).decode())
        start = end + 4
        total = start + int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        while filled < total:
            filled += self._receive(filled)
        return memoryview(self._buffer)[start:total]

    def _receive(self, filled: int) -> int:
        count = self._socket.recv_into(memoryview(self._buffer)[filled:])
        if not count:
            raise ConnectionError("the server closed the connection")
        return count


def http_pages(plan: dict[str, Any], seed: int) -> Step:
    connection = HttpConnection(plan)
    chosen = random.Random(seed)

    def step() -> int:
        connection.get(plan["path"] + "&cursor=" + chosen.choice(plan["cursors"]))
        return 1

    return step


def bare_pages(plan: dict[str, Any], seed: int) -> Step:
    """The same rows fetched by psycopg as text, and one committed INSERT of the same record."""
    connection = psycopg.connect(plan["conninfo"])
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()
    connection.prepare_threshold = 0
    for name in ("date", "timestamp", "numeric"):
        connection.adapters.register_loader(name, TextLoader)
    chosen = random.Random(seed)

    def step() -> int:
        rows = connection.execute(plan["select"], [chosen.choice(plan["starts"])]).fetchall()
        if len(rows) != plan["rows"]:
            raise RuntimeError(f"{len(rows)} rows")
        connection.execute(plan["insert"], [len(rows), rows[0][0], rows[-1][0]])
        connection.commit()
        return 1

    return step


def run_pages(plan: dict[str, Any]) -> dict[str, Any]:
    """Count what the connections do together in `seconds`, after a second of warming up."""
    make = {"http": http_pages, "bare": bare_pages}[plan["kind"]]
    counts = [0] * plan["connections"]
    failures: list[str] = []
    begin = time.perf_counter() + 1.0
    end = begin + plan["seconds"]

    def work(number: int) -> None:
        try:
            step = make(plan, number)
            while (now := time.perf_counter()) < end:
                done = step()
                if now >= begin:
                    counts[number] += done
        except Exception as error:  # noqa: BLE001 (handed to the caller)
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(plan["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"per_second": sum(counts) / plan["seconds"], "failures": failures}


def run_latency(plan: dict[str, Any]) -> dict[str, Any]:
    """Median and 99th percentile of single requests, in milliseconds."""
    step = http_pages(plan, 1)
    for _warm in range(50):
        step()
    took = []
    for _request in range(plan["requests"]):
        started = time.perf_counter()
        step()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return {"median_ms": statistics.median(took), "p99_ms": took[int(len(took) * 0.99)]}


def run_export(plan: dict[str, Any]) -> dict[str, Any]:
    """Read one export to its end; count lines and bytes."""
    head = f"Host: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {plan['token']}\r\n\r\n"
    started = time.perf_counter()
    with socket.create_connection((plan["host"], plan["port"]), timeout=60) as connection:
        connection.sendall(f"GET {plan['path']} HTTP/1.1\r\n{head}".encode())
        lines = received = 0
        tail = b""
        while block := connection.recv(1 << 18):
            # Rows end in a bare line feed; "\r\n" belongs to HTTP.
            lines += block.count(b"\n") - (tail[-1:] + block).count(b"\r\n")
            received += len(block)
            tail = (tail + block)[-5:]
    if tail != b"0\r\n\r\n":
        raise RuntimeError("the export did not come to its proper end")
    return {"seconds": time.perf_counter() - started, "lines": lines, "bytes": received}


def run_copy(plan: dict[str, Any]) -> dict[str, Any]:
    """Read the same rows by COPY straight from the table."""
    with psycopg.connect(plan["conninfo"]) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        started = time.perf_counter()
        received = rows = 0
        with connection.cursor().copy(plan["copy"]) as stream:
            for line in stream:
                received += len(line)
                rows += 1
        return {"seconds": time.perf_counter() - started, "lines": rows, "bytes": received}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    answer = {
        "http": run_pages,
        "bare": run_pages,
        "latency": run_latency,
        "export": run_export,
        "copy": run_copy,
    }[asked["kind"]](asked)
    json.dump(answer, sys.stdout)
