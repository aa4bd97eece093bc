"""Prove that a copy is exact, or say which rows are not, and mend them.

Ranges that differ are asked for in smaller ones, down to a hundred rows; of those the rows of that
very moment are fetched and compared. Only what differs is read again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from apps.warehouse.sync import canonical
from apps.warehouse.sync.following.copy import DISPUTED, KEY, Page, Standing
from apps.warehouse.sync.following.follower import Follower, mark_text

COARSE_ROWS = 10_000
FINE_ROWS = 100


class Unproved(Exception):
    """The copy is on its way: what it holds is no state of one moment."""


@dataclass(frozen=True)
class Difference:
    """A range that is not as it should be: `_id`s that lack, are too many, or hold other values.

    last: None for all that follows.
    """

    first: int
    last: int | None
    lacking: Sequence[int]
    surplus: Sequence[int]
    altered: Sequence[int]

    def to_json(self) -> dict[str, Any]:
        return {
            "from_id": self.first,
            "to_id": self.last,
            "lacking": list(self.lacking),
            "surplus": list(self.surplus),
            "altered": list(self.altered),
        }


@dataclass
class Verdict:
    """What a check found. rows: how many the copy should hold; mended: whether it now does."""

    horizon: int
    rows: int = 0
    differences: list[Difference] = field(default_factory=list)
    mended: bool = False
    files_are_whole: bool = True

    @property
    def is_exact(self) -> bool:
        return self.files_are_whole and (self.mended or not self.differences)

    def to_json(self) -> dict[str, Any]:
        return {
            "horizon": self.horizon,
            "rows": self.rows,
            "is_exact": self.is_exact,
            "mended": self.mended,
            "files_are_whole": self.files_are_whole,
            "differences": [each.to_json() for each in self.differences],
        }


def check(follower: Follower, *, mend: bool = False) -> Verdict:
    """Compare the copy with the proof of its own moment; nobody changes it meanwhile.

    Raises:
        Unproved: the copy is not complete; follow it first.
        PortalRefused, PortalUnreachable, sqlalchemy.exc.SQLAlchemyError.
    """
    copy = follower.copy
    with copy.held() as (connection, standing):
        if not standing.cursor or not standing.is_complete:
            raise Unproved(f"{copy.name} 还没有读完一轮，先用 follow 读到完整")
        verdict = Verdict(standing.horizon)
        look = _Look(follower, connection, standing, mend=mend)
        for found in look.differing(0, None, COARSE_ROWS, verdict):
            verdict.differences.append(found)
        if mend and verdict.differences:
            verdict.mended = not list(look.differing(0, None, COARSE_ROWS))
            copy.note_change(connection, standing)
    if follower.published is not None:
        if mend and not follower.published.is_whole():
            follower.published.manifest.unlink(missing_ok=True)
        if mend:
            follower.published.publish(copy, copy.standing())
        verdict.files_are_whole = follower.published.is_whole()
    return verdict


@dataclass
class _Look:
    follower: Follower
    connection: Connection
    standing: Standing
    mend: bool

    def differing(
        self, first: int, last: int | None, size: int, verdict: Verdict | None = None
    ) -> Iterator[Difference]:
        """Yield the ranges in which the copy is not as it should be."""
        for proved in self._proof(first, last, size):
            begin, end = int(proved["from_id"]), proved["to_id"]
            if verdict is not None:
                verdict.rows += proved["count"]
            if (proved["count"], proved["sha256"]) == self._reckoned(begin, end):
                continue
            if size > FINE_ROWS:
                yield from self.differing(begin, end, FINE_ROWS)
            else:
                yield self._compared(begin, end)

    def _proof(self, first: int, last: int | None, size: int) -> Iterator[dict[str, Any]]:
        following: int | None = first
        while following is not None:
            query = {**self._asked(following, last), "size": str(size)}
            answer = self.follower.portal.get(f"{self.follower.place}/changes/proof", query)
            yield from answer["ranges"]
            following = answer["next_from_id"]

    def _asked(self, first: int, last: int | None) -> dict[str, str]:
        asked = {"cursor": self.standing.cursor, "from_id": str(first)}
        return asked if last is None else {**asked, "to_id": str(last)}

    def _reckoned(self, first: int, last: int | None) -> tuple[int, str]:
        rows = self.follower.copy.rows(self.connection, self.standing, first, last)
        plain = ((row_id, values) for row_id, values, _mark in rows)
        return canonical.counted(plain, self.standing.kinds)

    def _compared(self, first: int, last: int | None) -> Difference:
        right = {int(row[KEY]): row for row in self._right_rows(first, last)}
        kinds, names = self.standing.kinds, self.standing.names
        held = {
            row_id: canonical.line(row_id, kinds, values)
            for row_id, values, _mark in self.follower.copy.rows(
                self.connection, self.standing, first, last
            )
        }
        altered = [
            row_id
            for row_id, row in right.items()
            if row_id in held
            and canonical.line(row_id, kinds, [row[name] for name in names]) != held[row_id]
        ]
        if self.mend:
            self.follower.copy.empty_range(self.connection, self.standing, first, last)
            page = Page(rows=list(right.values()))
            self.follower.copy.put(self.connection, self.standing, page)
        return Difference(
            first, last, sorted(right.keys() - held), sorted(held.keys() - right), altered
        )

    def _right_rows(self, first: int, last: int | None) -> Iterator[dict[str, Any]]:
        following: int | None = first
        while following is not None:
            query = {**self._asked(following, last), "limit": str(self.follower.limit)}
            answer = self.follower.portal.get(f"{self.follower.place}/changes/rows", query)
            for row in answer["data"]:
                yield {**row, DISPUTED: mark_text(row)}
            following = answer["next_from_id"]
