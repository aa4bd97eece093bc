"""How many different records a system may ask about in an hour.

Of a key that was asked for only a keyed digest is kept, with the moment of the question from which
its hour counts; asked for again within it, it costs nothing and writes nothing. Calls of one system
wait for each other on its row while they find room, or two at once would both find it; not for
each other's answers, nor for the disk: a server that crashes forgets the last moment's questions,
which the access records tell all the same.

Source: house rule (issue 5: verification under quota)
"""

import hmac
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.refusals import QuotaExceeded
from apps.sharing.models import VerifiedKey

WINDOW: Final = timedelta(hours=1)
DIGEST_CHARACTERS: Final = 24

_LOCK: Final = "SELECT 1 FROM accounts_informationsystem WHERE id = %(system)s FOR NO KEY UPDATE"
_TAKE: Final = """
WITH fresh AS (
  INSERT INTO sharing_verifiedkey AS known (system_id, digest, asked_at)
  SELECT %(system)s, asked.digest, %(at)s FROM unnest(%(keys)s::text[]) AS asked (digest)
   WHERE NOT EXISTS (SELECT FROM sharing_verifiedkey k WHERE k.system_id = %(system)s
                        AND k.digest = asked.digest AND k.asked_at > %(since)s)
      ON CONFLICT (system_id, digest) DO UPDATE SET asked_at = excluded.asked_at
  RETURNING digest
)
SELECT ARRAY(SELECT digest FROM fresh),
       (SELECT count(*) FROM sharing_verifiedkey
         WHERE system_id = %(system)s AND asked_at > %(since)s),
       set_config('synchronous_commit', 'off', TRUE)
"""
_GIVE_BACK: Final = """
DELETE FROM sharing_verifiedkey
 WHERE system_id = %(system)s AND digest = ANY(%(keys)s) AND asked_at = %(at)s
"""
_OTHERS: Final = """
SELECT asked_at FROM sharing_verifiedkey
 WHERE system_id = %(system)s AND asked_at > %(since)s AND digest <> ALL(%(keys)s)
 ORDER BY asked_at OFFSET GREATEST(0, %(excess)s - 1) LIMIT 1
"""


def digest_of(call: Call, key: Sequence[Any]) -> str:
    """Return what is kept of a key: nobody finds the key by it who has not the portal's secret."""
    text = json.dumps([call.dataset_id, *key], ensure_ascii=False)
    digest = _keyed(settings.SECRET_KEY).copy()
    digest.update(text.encode())
    return digest.hexdigest()[:DIGEST_CHARACTERS]


@lru_cache(maxsize=4)
def _keyed(secret: str) -> hmac.HMAC:
    """Return the beginning of every digest; drawing its key takes as long as the rest."""
    salt = "huiliu.gateway.verify"
    return salted_hmac(salt, "", secret=secret, algorithm="sha256")


@contextmanager
def within_quota(call: Call, keys: Sequence[str]) -> Iterator[None]:
    """Let the block ask about these keys, if the system's hour has room for them.

    A block that fails has asked about nothing.

    Raises:
        QuotaExceeded: it has no room; `wait` says in how many seconds it will.
    """
    taken = _take(call, sorted(set(keys)))
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


@transaction.atomic
def _take(call: Call, keys: list[str]) -> list[str]:
    """Return those of the keys that were not asked for within the hour.

    Raises:
        QuotaExceeded: with them it would be too many; nothing is taken.
    """
    given, limit = _of(call, keys), settings.VERIFIED_KEYS_AN_HOUR
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, given)
        cursor.execute(_TAKE, given)
        fresh, standing, _quietly = cursor.fetchone()
        excess = len(fresh) + standing - limit
        if fresh and excess > 0:
            cursor.execute(_OTHERS, {**given, "excess": excess})
            found = cursor.fetchone()
            raise QuotaExceeded(wait=_wait(call, found[0] if found else call.at), limit=limit)
    return list(fresh)


def _of(call: Call, keys: list[str]) -> dict[str, Any]:
    return {"system": call.system_id, "at": call.at, "since": call.at - WINDOW, "keys": keys}


def _wait(call: Call, asked_at: datetime) -> int:
    """Return the seconds until a question of that moment is an hour old."""
    return max(1, math.ceil((asked_at + WINDOW - call.at).total_seconds()))
