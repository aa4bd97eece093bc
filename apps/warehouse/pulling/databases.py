"""Engines for the databases of departments: the checked address, read only, never for ever."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql
import sqlalchemy
from django.utils.translation import gettext_lazy as _
from pymysql.cursors import SSCursor
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from apps.core import outbound
from apps.warehouse.pulling.refusals import SourceFailed, told
from apps.warehouse.sync.reading import UnfitValue
from apps.warehouse.sync.watermarks import UnfitWatermark

CONNECT_SECONDS = 10
SILENCE_SECONDS = 120  # a source that says nothing for so long is taken for dead
READ_ONLY = "-c default_transaction_read_only=on -c statement_timeout=1800000"  # milliseconds


@dataclass(frozen=True)
class Login:
    """A database and who reads it; the secret stands here only while it is read."""

    kind: str
    host: str
    port: int
    database: str
    username: str
    secret: str
    requires_tls: bool = False


@contextmanager
def opened(login: Login) -> Iterator[sqlalchemy.Engine]:
    """Yield an engine that connects to the address that was checked now.

    Raises:
        AddressRefused, HostUnknown: before anything is connected to.
        SourceFailed: the source refused, died, or holds what cannot be read.
    """
    place = outbound.checked(login.host, login.port)
    engine = _engine_of(login, place)
    try:
        yield engine
    except NoSuchTableError as error:
        raise SourceFailed(
            _("来源里没有表“%(table)s”，或者用户没有读取的权限") % {"table": told(error)},
            code="source_table_missing",
        ) from error
    except UnfitValue as error:
        raise SourceFailed(
            _("来源的列“%(column)s”是 %(kind)s，不能作为文本读取；在来源建一个视图转换")
            % {"column": error.column, "kind": error.kind},
            code="source_value_unfit",
        ) from error
    except UnfitWatermark as error:
        raise SourceFailed(
            _("水位列的值（%(kind)s）不能比较先后；选时间或者递增的整数列") % {"kind": error},
            code="watermark_unfit",
        ) from error
    except (SQLAlchemyError, psycopg.Error, pymysql.MySQLError, OSError) as error:
        raise SourceFailed(
            _("来源拒绝或者中断了：%(words)s") % {"words": told(getattr(error, "orig", error))},
            code="source_unreachable",
        ) from error
    finally:
        engine.dispose()


def _engine_of(login: Login, place: outbound.Checked) -> sqlalchemy.Engine:
    if login.kind == "postgresql":
        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=lambda: _postgresql(login, place), poolclass=NullPool
        )
    # A reading that was given up leaves a closed line behind, on which nothing can be rolled back.
    engine = sqlalchemy.create_engine(
        "mysql+pymysql://",
        creator=lambda: _mysql(login, place),
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
    )
    dialect: Any = engine.dialect
    assert dialect.supports_server_side_cursors  # asking chooses the driver's own cursor
    dialect._sscursor = AbandoningCursor  # noqa: SLF001 (no public way to name it)
    return engine


class AbandoningCursor(SSCursor):
    """Hangs up when it is closed in the middle; the driver's own would fetch all that is left."""

    connection: Any
    _result: Any

    def close(self) -> None:
        result, line = self._result, self.connection
        if result is not None and line is not None and result.unbuffered_active:
            result.unbuffered_active = False
            result.connection = None
            line._force_close()  # noqa: SLF001 (`close` would say goodbye and wait)
            self.connection = None
            return
        super().close()

    __del__ = close


def _postgresql(login: Login, place: outbound.Checked) -> Any:
    return psycopg.connect(
        host=place.host,
        hostaddr=place.address,
        port=place.port,
        dbname=login.database,
        user=login.username,
        password=login.secret,
        sslmode="require" if login.requires_tls else "prefer",
        connect_timeout=CONNECT_SECONDS,
        keepalives_idle=30,
        tcp_user_timeout=SILENCE_SECONDS * 1000,
        application_name="huiliu",
        options=READ_ONLY,
    )


def _mysql(login: Login, place: outbound.Checked) -> Any:
    connection = pymysql.connect(
        host=place.host,
        port=place.port,
        database=login.database,
        user=login.username,
        password=login.secret,
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS,
        read_timeout=SILENCE_SECONDS,
        write_timeout=SILENCE_SECONDS,
        ssl={"check_hostname": False} if login.requires_tls else None,
        local_infile=False,
        init_command="SET SESSION TRANSACTION READ ONLY",
        defer_connect=True,
    )
    line = socket.create_connection((place.address, place.port), CONNECT_SECONDS)
    line.settimeout(None)
    connection.connect(line)
    return connection
