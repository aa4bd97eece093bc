"""The lines of a COPY, taken as they arrive.

psycopg goes through its waiting loop for every line, which costs more than the line itself. Here
all lines that the connection has received are taken at once; only an empty buffer is waited for.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from psycopg import Connection, errors, generators
from psycopg.abc import PQGen
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Wait


def read(connection: Connection[Any], statement: str) -> list[bytes]:
    """Run a `COPY … TO STDOUT` and return its lines, each one row even where it holds line breaks.

    Raises:
        psycopg.Error: what the server says, as of `connection.execute`.
    """
    wire = connection.pgconn
    wire.send_query(statement.encode())
    _expect(connection.wait(generators.execute(wire)), ExecStatus.COPY_OUT)
    try:
        lines = _received(connection, wire)
    except BaseException:
        connection.close()  # in the middle of a COPY it is of no use to anybody
        raise
    _expect(connection.wait(generators.fetch_many(wire)), ExecStatus.COMMAND_OK)
    return lines


def read_up_to(
    connection: Connection[Any], statement: str, *, size_bytes: int
) -> tuple[list[bytes], bool]:
    """Return the lines of a COPY until there are so many bytes, and whether they were cut there.

    What is left is given up, and the connection with it.

    Raises:
        psycopg.Error: as `read`.
    """
    with closing(blocks(connection, statement, size_bytes=size_bytes)) as found:
        lines = next(found, [])
        is_cut = sum(map(len, lines)) >= size_bytes
        if not is_cut:
            next(found, None)  # the end, so that the connection is good for more
    return lines, is_cut


def blocks(
    connection: Connection[Any], statement: str, *, size_bytes: int
) -> Generator[list[bytes]]:
    """Run a `COPY … TO STDOUT` and yield its lines in lists of about so many bytes.

    Close the generator: one that is left in the middle takes the connection with it.

    Raises:
        psycopg.Error: as `read`.
    """
    wire = connection.pgconn
    wire.send_query(statement.encode())
    _expect(connection.wait(generators.execute(wire)), ExecStatus.COPY_OUT)
    try:
        yield from _in_blocks(connection, wire, size_bytes)
    except BaseException:
        connection.close()
        raise
    _expect(connection.wait(generators.fetch_many(wire)), ExecStatus.COMMAND_OK)


def _in_blocks(connection: Connection[Any], wire: PGconn, size_bytes: int) -> Iterator[list[bytes]]:
    lines: list[bytes] = []
    held = 0
    while True:
        size, line = wire.get_copy_data(1)
        if size > 0:
            lines.append(bytes(line))
            held += size
            if held >= size_bytes:
                yield lines
                lines, held = [], 0
        elif size == 0:
            connection.wait(_more(wire))
        else:
            if lines:
                yield lines
            return


def _received(connection: Connection[Any], wire: PGconn) -> list[bytes]:
    lines: list[bytes] = []
    while True:
        size, line = wire.get_copy_data(1)
        if size > 0:
            lines.append(bytes(line))
        elif size == 0:
            connection.wait(_more(wire))
        else:
            return lines


def _more(wire: PGconn) -> PQGen[None]:
    while not (yield Wait.R):
        pass
    wire.consume_input()


def _expect(results: list[PGresult], status: ExecStatus) -> None:
    for result in results:
        if result.status != status:
            raise errors.error_from_result(result)
