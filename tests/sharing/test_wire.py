"""Statements that travel together: what they answer, what is kept ready, what an error leaves."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from psycopg import errors

from apps.sharing.gateway import pool
from apps.sharing.gateway.wire import MOST_PREPARED, Exchange, GatewayConnection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def notes() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE wire_notes (number int UNIQUE DEFERRABLE, words text)")
    yield "wire_notes"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE wire_notes")


@pytest.fixture
def wire(notes: str) -> Iterator[GatewayConnection]:
    """A connection of the owner, who may write; those of the pool may not."""
    place = connection.settings_dict
    made = GatewayConnection.connect(
        host=place["HOST"],
        port=place["PORT"],
        user=place["USER"],
        password=place["PASSWORD"],
        dbname=place["NAME"],
        autocommit=True,
    )
    yield made
    made.close()


def written(notes: str) -> list[tuple[int, str | None]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number, words FROM {notes} ORDER BY number")
        return list(cursor.fetchall())


def test_what_is_told_and_asked_is_one_transaction(wire: GatewayConnection, notes: str) -> None:
    with Exchange(wire) as exchange:
        exchange.say("BEGIN")
        exchange.tell(f"INSERT INTO {notes} VALUES (%s, %s), (2, NULL)", [1, "it's 100 %"])
        rows = exchange.ask(f"SELECT number, words FROM {notes} WHERE number <= %s", [5])
        assert rows == [(1, "it's 100 %"), (2, None)]
        assert written(notes) == []  # nobody else sees it before the end
        exchange.end("COMMIT")
    assert written(notes) == [(1, "it's 100 %"), (2, None)]


def test_values_have_names_or_places(wire: GatewayConnection) -> None:
    asked = "SELECT %(a)s::int + %(b)s::int * %(a)s::int, 7 %% 4, %(c)s::date, %(d)s::numeric"
    given = {"a": 3, "b": 4, "c": date(2026, 11, 28), "d": Decimal("1.50"), "unused": 1}
    with Exchange(wire) as exchange:
        assert exchange.ask(asked, given) == [(15, 3, date(2026, 11, 28), Decimal("1.50"))]
        assert exchange.ask("SELECT %s::text, %s::text", ["%s", None]) == [("%s", None)]
        exchange.end("SELECT 1")


def test_an_error_closes_the_connection_and_leaves_nothing(
    wire: GatewayConnection, notes: str
) -> None:
    def write() -> None:
        with Exchange(wire) as exchange:
            exchange.say("BEGIN")
            exchange.tell(f"INSERT INTO {notes} VALUES (%s, 'lost')", [1])
            exchange.ask("SELECT 1 / %s", [0])

    with pytest.raises(errors.DivisionByZero):
        write()
    assert wire.closed
    assert written(notes) == []


def test_what_the_commit_refuses_is_raised(wire: GatewayConnection, notes: str) -> None:
    def write() -> None:
        with Exchange(wire) as exchange:
            exchange.say("BEGIN")
            exchange.say("SET CONSTRAINTS ALL DEFERRED")
            exchange.tell(f"INSERT INTO {notes} VALUES (%s, 'once'), (1, 'twice')", [1])
            exchange.end("COMMIT")

    with pytest.raises(errors.UniqueViolation):
        write()
    assert wire.closed
    assert written(notes) == []


def test_a_refusal_of_our_own_ends_the_conversation_too(
    wire: GatewayConnection, notes: str
) -> None:
    def write() -> None:
        with Exchange(wire) as exchange:
            exchange.say("BEGIN")
            exchange.ask(f"INSERT INTO {notes} VALUES (1, %s) RETURNING number", ["refused"])
            raise LookupError

    with pytest.raises(LookupError):
        write()
    assert wire.closed  # what was written stays unseen also while its transaction is open
    assert written(notes) == []


def test_statements_are_planned_once_and_the_oldest_go(wire: GatewayConnection) -> None:
    def ask(number: int) -> int:
        with Exchange(wire) as exchange:
            found: int = exchange.ask(f"SELECT %s::int + {number}", [1])[0][0]
            exchange.end("SELECT 1")
        return found

    for number in (0, 1, 0, 1):
        assert ask(number) == number + 1
    assert wire.drawn == 2
    for number in range(2, MOST_PREPARED):
        ask(number)
    ask(0)  # used last, so that the one after it goes
    ask(MOST_PREPARED)
    held = {text for text, _types in wire.ready}
    assert len(held) == MOST_PREPARED == _held_by(wire)
    assert {"SELECT $1::int + 0"} == held & {"SELECT $1::int + 0", "SELECT $1::int + 1"}
    assert ask(1) == 2


def test_values_of_another_type_are_planned_anew(wire: GatewayConnection) -> None:
    with Exchange(wire) as exchange:
        found = [exchange.ask("SELECT %s", [given])[0][0] for given in (1, "one", 1 << 40)]
        exchange.end("SELECT 1")
    assert found == [1, "one", 1 << 40]


def test_a_plan_that_outlived_its_view_is_refused_and_not_lent_again(
    wire: GatewayConnection, notes: str
) -> None:
    def ask() -> None:
        with Exchange(wire) as exchange:
            exchange.ask(f"SELECT * FROM {notes} WHERE number = %s", [1])
            exchange.end("SELECT 1")

    ask()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {notes} ADD COLUMN more text")
    with pytest.raises(errors.FeatureNotSupported):
        ask()
    assert wire.closed


def test_the_pool_gives_new_connections_when_it_is_renewed() -> None:
    with pool.connection() as lent:
        before = lent.info.backend_pid
    pool.renew()
    with pool.connection() as lent:
        assert lent.info.backend_pid != before


def _held_by(wire: GatewayConnection) -> int:
    with wire.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False)
        (count,) = cursor.fetchone() or (0,)
        return int(count)
