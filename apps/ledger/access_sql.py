"""The statements by which data reads are recorded, for any psycopg connection.

The data plane runs them as the recorder role, which may insert and nothing else: not even read
back what it wrote. So a stream draws its number first (`NEXT_RECORD_ID`), then opens and closes
under it; a page draws none and is one statement.

    SET LOCAL ROLE <recorder>;  PAGE  {"opened_at": …, …};  COMMIT     -- before the page is sent

Source: 《网络数据安全管理条例》第十二条 (provision is recorded, kept three years); house rule (§7)
"""

from typing import Any

import orjson
from psycopg import sql
from psycopg.types.json import Jsonb

RECORD_COLUMNS = (
    "opened_at",
    "grant_id",
    "grant_version",
    "system_id",
    "user_id",
    "dataset_id",
    "table",
    "kind",
    "query",
    "horizon",
    "rows",
    "bytes",
    "first_id",
    "last_id",
    "purpose",
    "client_address",
)
CLOSE_COLUMNS = (
    "record_id",
    "opened_at",
    "closed_at",
    "rows",
    "bytes",
    "first_id",
    "last_id",
    "outcome",
)


def _insert(table: str, columns: tuple[str, ...]) -> str:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )
    return statement.as_string()


NEXT_RECORD_ID = "SELECT nextval('ledger_accessrecord_id_seq')"
# A page or a single answer: rows, bytes and range are known; nothing is closed later.
PAGE = _insert("ledger_accessrecord", RECORD_COLUMNS)
# A stream: `id` from NEXT_RECORD_ID; rows, bytes, first_id and last_id stay None until the close.
OPEN = _insert("ledger_accessrecord", ("id", *RECORD_COLUMNS))
CLOSE = _insert("ledger_accessclose", CLOSE_COLUMNS)


def recorder_role(database: str) -> str:
    """The role that may insert access records of this database, and nothing else."""
    return f"{database}_recorder"


def record_parameters(**values: Any) -> dict[str, Any]:
    """Fill what a record leaves out, for PAGE and OPEN.

    Raises:
        TypeError: a name that no column has.
    """
    unknown = values.keys() - {"id", *RECORD_COLUMNS}
    if unknown:
        raise TypeError(f"access records have no {sorted(unknown)}")
    parameters = dict.fromkeys(RECORD_COLUMNS) | {"purpose": "", "query": {}} | values
    return parameters | {"query": Jsonb(parameters["query"], dumps=orjson.dumps)}
