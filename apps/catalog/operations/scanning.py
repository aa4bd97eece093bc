"""Look over the whole catalogue for entries that hold the same data; may be repeated at will."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.catalog import radar
from apps.catalog.lifecycle import DUPLICATE
from apps.catalog.models import DECIDED, Duplicate, DuplicateStatus
from apps.core import access, jobs
from apps.ledger import operations as ledger


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan came to: pairs found new, reopened, with other evidence, no longer alike."""

    opened: int = 0
    reopened: int = 0
    changed: int = 0
    lapsed: int = 0


@transaction.atomic
def request_scan(*, actor: User, at: datetime) -> None:
    """Have the worker look for duplicates now.

    Raises:
        NotAllowed: the actor does not decide for the authority.
    """
    standing = access.require(actor, "scan", Duplicate, at=at)
    ledger.record(standing, "catalog.request_scan", None, at=at)
    jobs.wake("catalog.scan_duplicates")


@transaction.atomic
def scan_duplicates(*, actor: User, at: datetime) -> Scan:
    """Find pairs of entries that seem to hold the same data, and keep what is known up to date.

    A decision stands until its evidence changes; then the pair is open again. What is no longer
    alike lapses, if nobody decided it. A scan that finds nothing new changes nothing.

    Source: 《政务数据共享条例》第十九条
    Raises:
        NotAllowed: neither the authority's officer nor the platform itself.
    """
    standing = access.require(actor, "scan", Duplicate, at=at)
    found = {(pair.first, pair.second): pair for pair in radar.pairs(radar.read())}
    known = {
        (row.first_id, row.second_id): row for row in Duplicate.objects.select_for_update().all()
    }
    new = [_duplicate(pair, at) for key, pair in found.items() if key not in known]
    Duplicate.objects.bulk_create(new, batch_size=500)
    counts = {"reopened": 0, "changed": 0, "lapsed": 0}
    for key, row in known.items():
        change = _update(row, found.get(key), actor, at)
        if change:
            counts[change] += 1
    scan = Scan(opened=len(new), **counts)
    if new or any(counts.values()):
        details = {"opened": scan.opened, **counts}
        ledger.record(standing, "catalog.scan_duplicates", None, at=at, details=details)
    return scan


def _duplicate(pair: radar.Pair, at: datetime) -> Duplicate:
    return Duplicate(
        first_id=pair.first,
        second_id=pair.second,
        created_at=at,
        updated_at=at,
        **_facts(pair),
    )


def _facts(pair: radar.Pair) -> dict[str, Any]:
    return {
        "score": pair.score,
        "name_score": pair.name_score,
        "item_score": pair.item_score,
        "evidence": pair.evidence,
        "fingerprint": pair.fingerprint,
    }


def _update(row: Duplicate, pair: radar.Pair | None, actor: User, at: datetime) -> str:
    """Bring a known pair up to date; return what happened to it, "" for nothing."""
    if pair is None:
        if row.status != DuplicateStatus.OPEN:
            return ""
        DUPLICATE.apply(row, "lapse", actor=actor, at=at)
        return "lapsed"
    is_same = pair.fingerprint == row.fingerprint
    if row.status == DuplicateStatus.LAPSED or (row.status in DECIDED and not is_same):
        reason = str(_("数据项或者名称有变化，依据与作出决定时不同"))
        undecided = {"decided_by": None, "decided_at": None, "designation": None, "remark": ""}
        fields: dict[str, Any] = {**undecided, **_facts(pair)}
        DUPLICATE.apply(row, "reconsider", actor=actor, at=at, reason=reason, **fields)
        return "reopened"
    if is_same:
        return ""
    Duplicate.objects.filter(pk=row.pk, status=DuplicateStatus.OPEN).update(
        updated_at=at, revision=row.revision + 1, **_facts(pair)
    )
    return "changed"
