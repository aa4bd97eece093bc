"""Connections of the data plane: a pool of its own, logged in as a role that may read nothing.

`huiliu_gateway` inherits no right; every transaction takes the role of the calling system, so a
mistake in Python cannot read more than the grant. The pool is opened on the live database's name
at the first use in a process, and again in a forked one.

Source: house rule (design §4)
"""

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection as django_connection
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from apps.sharing.gateway.refusals import Busy
from apps.sharing.gateway.wire import GatewayConnection

POOL_SIZE = 8
WAIT_SECONDS = 5.0
# Starting parallel workers costs 10 ms a page; compiling a plan costs more than running it.
SESSION = {
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "statement_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    "search_path": "public",
    "TimeZone": "Asia/Shanghai",
    "DateStyle": "ISO",
    "application_name": "huiliu-gateway",
}
# Dates and numbers travel as PostgreSQL writes them: no digit is lost and nothing is parsed.
WRITTEN_AS_TEXT = ("date", "timestamp", "numeric")

_pools: dict[tuple[int, str], ConnectionPool[GatewayConnection]] = {}
_opening = threading.Lock()


def database() -> str:
    """Return the live database's name, the prefix of every role."""
    return str(django_connection.settings_dict["NAME"])


@contextmanager
def connection() -> Iterator[GatewayConnection]:
    """Lend a connection in autocommit mode; whatever was left open is rolled back.

    Raises:
        Busy: none became free in time.
    """
    try:
        lent = _pool().getconn(timeout=WAIT_SECONDS)
    except PoolTimeout:
        raise Busy from None
    try:
        yield lent
    finally:
        _pool().putconn(lent)


def mend() -> None:
    """Throw out the idle connections that the server has closed, after a restart for one."""
    _pool().check()


def renew() -> None:
    """Replace every connection: the plans that they hold ready outlived what they were made for."""
    _pool().drain()


def close() -> None:
    """Close this process's pools; the next use opens them anew."""
    with _opening:
        for key in [key for key in _pools if key[0] == os.getpid()]:
            _pools.pop(key).close()


def _pool() -> ConnectionPool[GatewayConnection]:
    key = (os.getpid(), database())
    found = _pools.get(key)
    if found is not None:
        return found
    with _opening:
        if key not in _pools:
            _pools[key] = _open(key[1])
        return _pools[key]


def _open(name: str) -> ConnectionPool[GatewayConnection]:
    place = settings.GATEWAY
    options = " ".join(f"-c {option}={value}" for option, value in SESSION.items())
    pool = ConnectionPool(
        connection_class=GatewayConnection,
        kwargs={
            "host": place["host"],
            "port": place["port"],
            "user": place["user"],
            "password": place["password"],
            "dbname": name,
            "options": options,
            "autocommit": True,
        },
        min_size=0,
        max_size=int(place.get("pool_size", POOL_SIZE)),
        configure=_configure,
        open=False,
        name=f"gateway-{name}",
    )
    pool.open()
    return pool


def _configure(made: GatewayConnection) -> None:
    for type_name in WRITTEN_AS_TEXT:
        made.adapters.register_loader(type_name, TextLoader)


atexit.register(close)
