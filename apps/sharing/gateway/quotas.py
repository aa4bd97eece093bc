"""How many different records a system may ask about in an hour.

Of a key that was asked for only a keyed digest is kept, with the moment of the question from which
its hour counts; asked for again within it, it costs nothing and writes nothing. Calls of one system
wait for each other on its row while they find room, or two at once would both find it; not for
each other's answers, nor for the disk: a server that crashes forgets the last moment's questions,
which the access records tell all the same.

Source: house rule (issue 5: verification under quota)
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any, Final

import orjson
from django.conf import settings
from django.db import connection

from apps.sharing.gateway import prepared
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.refusals import QuotaExceeded
from apps.sharing.models import VerifiedKey

WINDOW: Final = timedelta(hours=1)
DIGEST_BYTES: Final = 12

_TAKE: Final = """
SELECT fresh, free_after FROM sharing_take_verified_keys(
       %(system)s, %(keys)s::text[], %(at)s, %(since)s, %(most)s)
"""
_GIVE_BACK: Final = """
DELETE FROM sharing_verifiedkey
 WHERE system_id = %(system)s AND digest = ANY(%(keys)s::text[]) AND asked_at = %(at)s
"""


def digest_of(call: Call, key: Sequence[Any]) -> str:
    """Return what is kept of a key: nobody finds the key by it who has not the portal's secret."""
    return digest_of_key(call.dataset_id, key)


def digest_of_key(dataset_id: int, key: Sequence[Any]) -> str:
    """Return the same where no call is made."""
    text = orjson.dumps([dataset_id, *key])
    return blake2b(text, key=_secret(settings.SECRET_KEY), digest_size=DIGEST_BYTES).hexdigest()


@lru_cache(maxsize=4)
def _secret(portal: str) -> bytes:
    return sha256(b"huiliu.gateway.verify" + portal.encode()).digest()


@contextmanager
def within_quota(call: Call, keys: Sequence[str]) -> Iterator[None]:
    """Let the block ask about these keys, if the system's hour has room for them.

    A block that fails has asked about nothing.

    Raises:
        QuotaExceeded: it has no room; `wait` says in how many seconds it will.
    """
    taken = [] if call.trial else _take(call, sorted(set(keys)))
    try:
        yield
    except BaseException:
        if taken:
            with connection.cursor() as cursor:
                cursor.execute(_GIVE_BACK, _of(call, taken))
        raise


def forget_asked(at: datetime) -> int:
    """Let go of the questions whose hour is over; return how many."""
    gone, _by_model = VerifiedKey.objects.filter(asked_at__lte=at - WINDOW).delete()
    return gone


def _take(call: Call, keys: list[str]) -> list[str]:
    """Return those of the keys that were not asked for within the hour.

    Raises:
        QuotaExceeded: with them it would be too many; nothing is taken.
    """
    limit = settings.VERIFIED_KEYS_AN_HOUR
    found = prepared.fetch_one(_TAKE, {**_of(call, keys), "most": limit})
    assert found is not None
    fresh, free_after = found
    if fresh is None:
        raise QuotaExceeded(wait=_wait(call, free_after), limit=limit)
    return list(fresh)


def _of(call: Call, keys: list[str]) -> dict[str, Any]:
    # Digests need no quotes; psycopg would look for them in every one.
    listed = "{" + ",".join(keys) + "}"
    return {"system": call.system_id, "at": call.at, "since": call.at - WINDOW, "keys": listed}


def _wait(call: Call, asked_at: datetime) -> int:
    """Return the seconds until a question of that moment is an hour old."""
    return max(1, math.ceil((asked_at + WINDOW - call.at).total_seconds()))
