"""`huiliu-sync follow` and `huiliu-sync check`."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy

from apps.warehouse.sync.following.checking import Unproved, check
from apps.warehouse.sync.following.configuring import configured_copies
from apps.warehouse.sync.following.follower import Follower, Unsettled
from apps.warehouse.sync.portal import PortalRefused, PortalUnreachable

TROUBLES = (
    PortalRefused,
    PortalUnreachable,
    sqlalchemy.exc.SQLAlchemyError,
    OSError,
    Unsettled,
    Unproved,
)

STOPPED = "planned_stop"
MOST_WAITED = 900.0  # seconds

logger = logging.getLogger("huiliu-sync")


def follow(config: Path, *, once: bool) -> int:
    """Bring every copy up to date, once or for ever; 0 when all went well.

    Whom the portal told when to come again does not ask before; a planned stop is no failure.
    """
    followers, pause_seconds = configured_copies(config)
    waiting: dict[str, float] = {}
    while True:
        now = time.monotonic()
        due = [each for each in followers if waiting.get(each.copy.name, now) <= now]
        went_well = [_guarded(each, _followed, waiting) for each in due]
        if once:
            return 0 if all(went_well) else 1
        time.sleep(pause_seconds)


def prove(config: Path, *, mend: bool, table: str = "") -> int:
    """Check every copy, or the one of that name, and print what was found; 0 when all are exact."""
    followers, _pause = configured_copies(config)
    chosen = [each for each in followers if table in ("", each.copy.name)]
    if not chosen:
        logger.error("没有名为 %s 的副本", table)
        return 2

    def proved(follower: Follower) -> bool:
        verdict = check(follower, mend=mend)
        told = {"table": follower.copy.name, **verdict.to_json()}
        print(json.dumps(told, ensure_ascii=False))
        return verdict.is_exact

    exact = [_guarded(each, proved) for each in chosen]
    return 0 if all(exact) else 1


def standings(config: Path) -> list[dict[str, Any]]:
    """Return how far the copies of a configuration are; it may have none."""
    followers, _pause = configured_copies(config, needed=False)
    found = [(follower, follower.copy.standing()) for follower in followers]
    return [
        {
            "name": follower.copy.name,
            "dataset": follower.copy.dataset,
            "horizon": standing.horizon if standing.cursor else None,
            "is_complete": standing.is_complete and bool(standing.cursor),
            "updated_at": standing.updated_at,
        }
        for follower, standing in found
    ]


def _followed(follower: Follower) -> bool:
    before = follower.copy.standing()
    after = follower.turn()
    if after.revision != before.revision:
        logger.info("%s：已到批次 %s", follower.copy.name, after.horizon)
    return True


def _guarded(
    follower: Follower,
    work: Callable[[Follower], bool],
    waiting: dict[str, float] | None = None,
) -> bool:
    """Do it and say whether it went well; `waiting` is told when the portal may be asked again."""
    try:
        return work(follower)
    except TROUBLES as error:
        if waiting is not None and isinstance(error, PortalRefused):
            # A stop may end before its announced time: asking now and then costs nothing.
            seconds = min(float(error.facts.get("retry_after", 0)), MOST_WAITED)
            waiting[follower.copy.name] = time.monotonic() + seconds
            if error.code == STOPPED:
                logger.warning("%s：%s", follower.copy.name, error)
                return True
        words = " ".join(str(getattr(error, "orig", None) or error).split())
        logger.error("%s：%s", follower.copy.name, words)  # noqa: TRY400 (words are enough)
        return False
