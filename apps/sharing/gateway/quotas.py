"""How many different records a system may ask about in an hour, counted from the access records.

The count lies in the records themselves: each keeps a keyed digest of every key that was asked for,
so that a repeated question costs nothing and no key is written down. Calls of one system wait for
each other on its row, or two at once would both find room.

Source: house rule (issue 5: verification under quota)
"""

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from apps.accounts.models import InformationSystem
from apps.sharing.gateway.calls import Call
from apps.sharing.gateway.refusals import QuotaExceeded

WINDOW: Final = timedelta(hours=1)
DIGEST_CHARACTERS: Final = 24

_ASKED: Final = """
SELECT key, max(r.opened_at)
  FROM ledger_accessrecord r, jsonb_array_elements_text(r.query -> 'keys') AS key
 WHERE r.grant_id IN (SELECT id FROM sharing_grant WHERE system_id = %s)
   AND r.kind = 'verify' AND r.opened_at > %s
 GROUP BY key
"""


def digest_of(call: Call, key: Sequence[Any]) -> str:
    """Return what is kept of a key: nobody finds the key by it who has not the portal's secret."""
    text = json.dumps([call.dataset_id, *key], ensure_ascii=False)
    digest = salted_hmac("huiliu.gateway.verify", text, algorithm="sha256").hexdigest()
    return digest[:DIGEST_CHARACTERS]


@contextmanager
def within_quota(call: Call, keys: Sequence[str]) -> Iterator[None]:
    """Let the block ask about these keys and record it, if the system's hour has room for them.

    Raises:
        QuotaExceeded: it has not; `wait` says in how many seconds it will.
    """
    with transaction.atomic():
        InformationSystem.objects.select_for_update(of=("self",), no_key=True).get(
            pk=call.system_id
        )
        asked = _asked(call)
        limit = settings.VERIFIED_KEYS_AN_HOUR
        excess = len(asked.keys() | set(keys)) - limit
        if excess > 0:
            raise QuotaExceeded(wait=_wait(call, asked, keys, excess), limit=limit)
        yield


def _asked(call: Call) -> dict[str, datetime]:
    """Return the keys of the last hour, each with the moment of its last question."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [call.system_id, call.at - WINDOW])
        return dict(cursor.fetchall())


def _wait(call: Call, asked: dict[str, datetime], keys: Sequence[str], excess: int) -> int:
    """Return the seconds until enough of the other keys are an hour old."""
    others = sorted(moment for key, moment in asked.items() if key not in keys)
    free_at = others[min(excess, len(others)) - 1] if others else call.at
    return max(1, math.ceil((free_at + WINDOW - call.at).total_seconds()))
