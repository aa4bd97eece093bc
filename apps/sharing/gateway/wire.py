"""Statements of one transaction that travel together, planned once a connection.

psycopg takes every statement through a cursor, a wait and a write of its own. A call of the data
plane makes six, and those cost more than all else that Python does for it. Here whatever needs no
earlier answer goes out in one write and is answered in one read: of a call the beginning, the role
and the read; then the recorder's role, the record and the commit.

A connection that met an error is closed, so that nothing half done is ever lent again.

Source: house rule (design §4: keep the data plane thin)
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self

from psycopg import Connection, errors, generators
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

MOST_PREPARED: Final = 100  # of a connection; what was not used for longest goes
_PLACE: Final = re.compile(r"%(?:(%)|s|\((\w+)\)s)")
_GOOD: Final = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK, ExecStatus.PIPELINE_SYNC)

Row = tuple[Any, ...]
Values = Sequence[Any] | Mapping[str, Any]


class GatewayConnection(Connection[Any]):
    """A connection that knows which statements it holds ready, the one used last at the end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ready: dict[tuple[str, tuple[int, ...]], bytes] = {}
        self.drawn = 0


class Exchange:
    """A conversation on a connection; what is only said is sent with the next thing asked.

    Raises:
        psycopg.Error: what the server says, as of `connection.execute`.
    """

    def __init__(self, connection: GatewayConnection) -> None:
        self._connection = connection
        self._wire = connection.pgconn
        self._turn = Transformer(connection)
        self._unanswered = 0

    def __enter__(self) -> Self:
        self._wire.enter_pipeline_mode()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._connection.close()
        else:
            self._wire.exit_pipeline_mode()

    def say(self, statement: str) -> None:
        """Add a statement without values, which is not kept ready."""
        self._wire.send_query_params(statement.encode(), None)
        self._unanswered += 1

    def tell(self, statement: str, values: Values) -> None:
        """Add a statement that is planned once; `%s` or `%(name)s` stand for its values."""
        text, names = _numbered(statement)
        given = [values[name] for name in names] if isinstance(values, Mapping) else values
        formats = [PyFormat.TEXT] * len(given)
        dumped = self._turn.dump_sequence(given, formats)
        name = self._prepared(text, self._turn.types or ())
        self._wire.send_query_prepared(name, dumped)
        self._unanswered += 1

    def ask(self, statement: str, values: Values) -> list[Row]:
        """Add a statement, send all that was added, and return its rows."""
        self.tell(statement, values)
        self._wire.send_flush_request()
        found = self._connection.wait(self._answers())[-1]
        self._turn.set_pgresult(found)
        return self._turn.load_rows(0, found.ntuples, tuple)

    def end(self, statement: str) -> None:
        """Add the statement that ends the transaction, and wait until all is done."""
        self.say(statement)
        self._wire.pipeline_sync()
        self._unanswered += 1
        self._connection.wait(self._answers())

    def _answers(self) -> PQGen[list[PGresult]]:
        yield from generators.send(self._wire)
        answers: list[PGresult] = []
        while self._unanswered:
            for answer in (yield from generators.fetch_many(self._wire)):
                if answer.status not in _GOOD:
                    raise errors.error_from_result(answer)
                answers.append(answer)
            self._unanswered -= 1
        return answers

    def _prepared(self, text: str, types: tuple[int, ...]) -> bytes:
        """Return the name under which the statement is ready, having it made so at need."""
        ready = self._connection.ready
        name = ready.pop((text, types), None)
        if name is None:
            if len(ready) >= MOST_PREPARED:
                longest = next(iter(ready))
                self.say(f"DEALLOCATE {ready.pop(longest).decode()}")
            self._connection.drawn += 1
            name = f"huiliu_{self._connection.drawn}".encode()
            self._wire.send_prepare(name, text.encode(), types)
            self._unanswered += 1
        ready[text, types] = name
        return name


@lru_cache(maxsize=4096)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement with the server's own places, `$1`, and the names of its values.

    Of places without a name the values follow each other; a name stands for one value throughout.
    """
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1]:
            return "%"
        name = found[2] or f"#{len(names)}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(place, statement), tuple(names)
