"""Compare what a caller holds with what the grant shows, and say no more than yes or no.

Records are named by the whole business key, which the grant must show unmasked. Values are
normalised as a landing batch would, then compared in one statement, read as the system's own role,
or, where the grant is for verification only, as the grant's verifier, a role that no consumer has.
A masked item is never compared: an answer would give the true value away.

Source: house rule (design §4, issue 5)
"""

from collections.abc import KeysView, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from apps.core import conditions
from apps.core.contracts import Column, Contract
from apps.core.errors import DomainError, InvalidInput
from apps.ledger import access_sql
from apps.sharing.gateway import formats, pages, quotas
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.contracts import contract_of_version
from apps.sharing.gateway.shapes import KEY, Shape
from apps.sharing.gateway.wire import Exchange, GatewayConnection
from apps.sharing.gateway.written_alike import written_alike

MAXIMUM_RECORDS: Final = 100
MAXIMUM_CHARACTERS: Final = 4000

Record = dict[str, str | None]
Answer = dict[str, bool | None]


@dataclass(frozen=True, slots=True)
class Verification:
    """A checked question: records as given, and which columns name and are compared.

    masked: granted items that are answered with null, as those that the entry lists no more.
    """

    records: tuple[Record, ...]
    key: tuple[Column, ...]
    compared: tuple[Column, ...]
    masked: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the access record keeps: of the keys digests, of the values nothing."""

    question: Verification
    keys: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        names = sorted({column.name for column in self.question.compared} | self.question.masked)
        return {"records": len(self.question.records), "items": names, "keys": list(self.keys)}


def read_verification(body: Any, call: Call, shape: Shape) -> Verification:
    """Check the body against what the grant shows.

    Raises:
        InvalidInput: names the record and the item that is wrong; what is not granted is as if it
            did not exist. `key_not_readable`: the grant does not show all of the key.
    """
    given = body.get("records") if isinstance(body, dict) and set(body) == {"records"} else None
    if not isinstance(given, list) or not 0 < len(given) <= MAXIMUM_RECORDS:
        raise InvalidInput(
            _("正文须为只含 records 的对象；records 为列表，1 至 %(limit)s 条")
            % {"limit": MAXIMUM_RECORDS},
            code="invalid_records",
            field="records",
        )
    contract = contract_of_version(call.contract_id)
    key = _key(contract, shape)
    names, key_names = (dict.fromkeys(each).keys() for each in (shape.names, contract.key))
    records = tuple(_record(place, row, names, key_names) for place, row in enumerate(given))
    asked = {name for record in records for name in record} - key_names
    plain = {r.name: r.column for r in shape.columns if not r.is_masked}
    compared = [name for name in plain if name in asked]
    return Verification(
        records, key, tuple(plain[name] for name in compared), frozenset(asked - set(compared))
    )


def verify(call: Call, question: Verification) -> bytes:
    """Compare, record, and return the answer.

    Raises:
        QuotaExceeded: too many different records in an hour.
        GrantRefused: the database refused what was admitted a moment ago.
        Busy, TooSlow: try again later.
    """
    columns = (*question.key, *question.compared)
    given = {c.name: [record.get(c.name) for record in question.records] for c in columns}
    written = written_alike(columns, given)
    keys = [
        quotas.digest_of(call, key)
        for key in zip(*(written[column.name][0] for column in question.key), strict=True)
    ]
    refusal: DomainError | None = None
    with quotas.within_quota(call, keys):
        try:
            return pages.guarded(
                call, lambda connection: _compare(connection, call, question, written, keys)
            )
        except DomainError as raised:  # raised in here it would undo its own record
            refusal = raised
    raise refusal


def _compare(
    connection: GatewayConnection,
    call: Call,
    question: Verification,
    written: dict[str, tuple[list[str | None], list[bool]]],
    keys: Sequence[str],
) -> bytes:
    values = (values for values, _could in written.values())
    asked = orjson.dumps(list(zip(range(len(question.records)), *values, strict=True))).decode()
    text = statement(call.relation, question.key, question.compared)
    with Exchange(connection) as exchange:
        found = {
            place: (row_id, matches)
            for place, row_id, *matches in pages.ask_as(exchange, call.role, text, [asked])
            if all(written[column.name][1][place] for column in question.key)
        }
        body = orjson.dumps(_answer(call, question, written, found))
        pages.refuse_if_over(call, at=timezone.now())
        ids = [row_id for row_id, _matches in found.values()]
        pages.record(
            exchange,
            access_sql.PAGE,
            call,
            _Asked(question, sorted(set(keys))),
            kind="verify",
            rows=len(ids),
            bytes=len(body),
            first_id=min(ids, default=None),
            last_id=max(ids, default=None),
        )
    return body


def _answer(
    call: Call,
    question: Verification,
    written: dict[str, tuple[list[str | None], list[bool]]],
    found: dict[int, tuple[int, list[bool | None]]],
) -> dict[str, Any]:
    rows = []
    names = [column.name for column in question.compared]
    key = {column.name for column in question.key}
    for place, record in enumerate(question.records):
        items: Answer = {name: None for name in record if name not in key}
        if place in found:
            for name, match in zip(names, found[place][1], strict=True):
                if name in items:
                    items[name] = match if written[name][1][place] else False
        rows.append({"found": place in found, "items": items})
    return {**formats.grant_of(call), "count": len(rows), "found": len(found), "data": rows}


@lru_cache(maxsize=4096)
def statement(relation: str, key: tuple[Column, ...], compared: tuple[Column, ...]) -> str:
    """Return the SELECT of place, `_id` and, by column, true, false, or null for no value.

    Bound: as one JSON, of every record its place and the values of these columns as texts.
    """
    # Without digits or scale: a cast to those would round the caller's value until it fits.
    types = ["text", *(conditions.CASTS[column.type] for column in (*key[1:], *compared))]
    names = [sql.Identifier(column.name) for column in (*key, *compared)]
    taken = ["(a ->> 0)::int", *(f"(a ->> {n})::{kind}" for n, kind in enumerate(types, 1))]
    first, *others = names[: len(key)]
    same = [sql.SQL("held.{0} = r.{0}").format(first)]
    same += [sql.SQL("held.{0} IS NOT DISTINCT FROM r.{0}").format(name) for name in others]
    # Stated but not held: nothing to compare with.
    matches = [
        sql.SQL(
            "CASE WHEN v.{0} IS NULL AND r.{0} IS NOT NULL THEN NULL"
            " ELSE v.{0} IS NOT DISTINCT FROM r.{0} END"
        ).format(name)
        for name in names[len(key) :]
    ]
    # OFFSET 0: each record by the index of the key, never by reading the table.
    text = sql.SQL(
        "SELECT {wanted} FROM (SELECT {taken} FROM json_array_elements(%s::json) AS a)"
        " AS r ({names}) CROSS JOIN LATERAL"
        " (SELECT {held} FROM {view} AS held WHERE {same} OFFSET 0) AS v"
    ).format(
        wanted=sql.SQL(", ").join([sql.SQL("r._place, v._id"), *matches]),
        taken=sql.SQL(", ".join(taken)),  # types of a closed set
        names=sql.SQL(", ").join([sql.Identifier("_place"), *names]),
        held=sql.SQL(", ").join(map(sql.Identifier, [KEY, *(c.name for c in compared)])),
        view=sql.SQL(relation),
        same=sql.SQL(" AND ").join(same),
    )
    return text.as_string()


def _key(contract: Contract, shape: Shape) -> tuple[Column, ...]:
    for name in contract.key:
        readable = shape.find(name)
        if readable is None or readable.is_masked:
            raise InvalidInput(
                _("授权不含全部主键的原值，不能核验；主键须列入授权且不脱敏"),
                code="key_not_readable",
                field="records",
            )
    return tuple(contract.column(name) for name in contract.key)


def _record(place: int, row: Any, names: KeysView[str], key: KeysView[str]) -> Record:
    where = f"records[{place}]"
    if not isinstance(row, dict):
        raise InvalidInput(_("每条记录须为对象"), code="invalid_records", field=where)
    if not row.keys() <= names:
        unknown = next(name for name in row if name not in names)
        raise InvalidInput(
            _("授权中没有数据项“%(name)s”；可用：%(known)s")
            % {"name": unknown[:80], "known": "、".join(names)},
            code="unknown_field",
            field=where,
        )
    if not key <= row.keys():
        raise InvalidInput(
            _("主键须写全：%(names)s") % {"names": "、".join(key)},
            code="key_incomplete",
            field=where,
        )
    if len(row) == len(key):
        raise InvalidInput(
            _("除主键外，至少写出一个要核验的数据项"), code="invalid_records", field=where
        )
    return {name: _text(value, where, name) for name, value in row.items()}


def _text(value: Any, where: str, name: str) -> str | None:
    """Return the value as a file would write it; a list or an object is none."""
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    is_plain = isinstance(value, str | int | float)
    if not is_plain or "\x00" in text or len(text) > MAXIMUM_CHARACTERS:
        raise InvalidInput(
            _("数据项“%(name)s”的值须为文本、数或者真假，至多 %(limit)s 个字符")
            % {"name": name, "limit": MAXIMUM_CHARACTERS},
            code="invalid_value",
            field=where,
            item=name,
        )
    return text
