"""The other side of the measurements of the data plane, in a process of its own.

Reads a JSON plan from standard input and prints a JSON result. Eight connections are eight threads,
for the baseline as for HTTP; neither side compresses or parses what it reads.
"""

import json
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

Step = Callable[[], None]


class HttpConnection:
    """A keep-alive connection that reads whole answers and looks at nothing but the status."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.token = str(plan.get("token", ""))
        self._socket = socket.create_connection((plan["host"], plan["port"]), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(8 << 20)

    def get(self, path: str) -> memoryview:
        return self._ask(f"GET {path} HTTP/1.1\r\n{self._head()}\r\n".encode())

    def post(self, path: str, body: str) -> memoryview:
        kind = "Content-Type: application/json\r\n"
        head = f"POST {path} HTTP/1.1\r\n{self._head()}{kind}Content-Length: {len(body)}\r\n\r\n"
        return self._ask(head.encode() + body.encode())

    def _head(self) -> str:
        return f"Host: 127.0.0.1\r\nAuthorization: Bearer {self.token}\r\n"

    def _ask(self, question: bytes) -> memoryview:
        """Return the answer's body; an answer other than 200 ends the measurement."""
        self._socket.sendall(question)
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


def http_calls(plan: dict[str, Any], seed: int) -> Step:
    """Any of the plan's addresses, or of its bodies to the one address."""
    connection = HttpConnection(plan)
    chosen = random.Random(seed)

    def step() -> None:
        if "bodies" in plan:
            connection.post(plan["paths"][0], chosen.choice(plan["bodies"]))
        else:
            connection.get(chosen.choice(plan["paths"]))

    return step


def bare_reads(plan: dict[str, Any], seed: int) -> Step:
    """The same rows fetched by psycopg as text, and one committed INSERT of the same record."""
    connection = psycopg.connect(plan["conninfo"])
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()
    connection.prepare_threshold = 0
    for name in ("date", "timestamp", "numeric"):
        connection.adapters.register_loader(name, TextLoader)
    chosen = random.Random(seed)

    def step() -> None:
        rows = connection.execute(plan["select"], [chosen.choice(plan["values"])]).fetchall()
        if len(rows) != plan["rows"]:
            raise RuntimeError(f"{len(rows)} rows")
        connection.execute(plan["insert"], [len(rows), rows[0][0], rows[-1][0]])
        connection.commit()

    return step


def run_calls(plan: dict[str, Any]) -> dict[str, Any]:
    """Count what the connections do together in `seconds`, after a second of warming up.

    Also gives the median and the 99th percentile of one call, in milliseconds.
    """
    make = {"http": http_calls, "bare": bare_reads}[plan["kind"]]
    took: list[list[float]] = [[] for _connection in range(plan["connections"])]
    failures: list[str] = []
    begin = time.perf_counter() + 1.0
    end = begin + plan["seconds"]

    def work(number: int) -> None:
        try:
            step = make(plan, number)
            while (started := time.perf_counter()) < end:
                step()
                if started >= begin:
                    took[number].append((time.perf_counter() - started) * 1000)
        except Exception as error:  # noqa: BLE001 (handed to the caller)
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(plan["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = sorted(each for of_one in took for each in of_one) or [0.0]
    return {
        "per_second": len(every) / plan["seconds"],
        "median_ms": every[len(every) // 2],
        "p99_ms": every[int(len(every) * 0.99)],
        "failures": failures,
    }


def run_replay(plan: dict[str, Any]) -> dict[str, Any]:
    """Carry out every call of a list, [path, token] each, as often as it takes; give the seconds.

    The connections draw from one list, so that none waits for another's share.
    """
    total, taking = plan["total"], iter(range(plan["total"]))
    lock = threading.Lock()
    failures: list[str] = []

    def work() -> None:
        connection = HttpConnection(plan)
        try:
            while True:
                with lock:
                    number = next(taking, None)
                if number is None:
                    return
                path, connection.token = plan["calls"][number % len(plan["calls"])]
                connection.get(path)
        except Exception as error:  # noqa: BLE001 (handed to the caller)
            failures.append(repr(error))

    started = time.perf_counter()
    threads = [threading.Thread(target=work) for _number in range(plan["connections"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.perf_counter() - started, "calls": total, "failures": failures}


def run_export(plan: dict[str, Any]) -> dict[str, Any]:
    """Read one export to its end; count lines and bytes."""
    head = f"Host: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {plan['token']}\r\n\r\n"
    started = time.perf_counter()
    with socket.create_connection((plan["host"], plan["port"]), timeout=60) as connection:
        connection.sendall(f"GET {plan['paths'][0]} HTTP/1.1\r\n{head}".encode())
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
        "http": run_calls,
        "bare": run_calls,
        "replay": run_replay,
        "export": run_export,
        "copy": run_copy,
    }[asked["kind"]](asked)
    json.dump(answer, sys.stdout)
