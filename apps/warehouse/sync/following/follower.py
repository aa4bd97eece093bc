"""Bring a copy to what its grant shows: all at first, then by the changes, page after page."""

import json
import logging
from dataclasses import dataclass, replace
from typing import Any, Protocol

from apps.warehouse.sync.following.copy import DISPUTED, KEY, Copy, Overtaken, Page, Standing
from apps.warehouse.sync.following.files import Published
from apps.warehouse.sync.portal import PortalRefused

BEGIN_ANEW = ("resync_required", "cursor_invalid")
OVER = ("grant_ended", "grant_expired", "no_grant")
ANEW_IN_A_TURN = 5

logger = logging.getLogger("huiliu-sync")


class Unsettled(Exception):
    """The grant's terms changed again and again while the copy was begun anew."""


class Source(Protocol):
    """Who answers: the portal from afar, or the gateway beside it."""

    def get(self, place: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Read one answer; raises PortalRefused and, from afar, PortalUnreachable."""
        ...


@dataclass
class Follower:
    """One copy and where it comes from. published: the files of a folder, None for a database.

    empties: take everything out when the grant is over.
    """

    copy: Copy
    portal: Source
    limit: int = 5_000
    published: Published | None = None
    empties: bool = False

    @property
    def place(self) -> str:
        return f"/api/v1/data/{self.copy.dataset.replace('/', '-')}"

    def turn(self) -> Standing:
        """Follow the feed until the copy is complete; return how it stands then.

        Raises:
            PortalRefused, PortalUnreachable, sqlalchemy.exc.SQLAlchemyError, OSError.
        """
        try:
            return self._turn()
        except PortalRefused as refusal:
            if self.empties and refusal.code in OVER:
                self.copy.clear()
                self._publish(self.copy.standing())
            raise

    def _turn(self) -> Standing:
        standing = self.copy.standing()
        begun = 0
        while True:
            try:
                if not standing.cursor:
                    begun += 1
                    if begun > ANEW_IN_A_TURN:
                        raise Unsettled("授权内容反复变化，稍后再读")
                    standing = self._begin()
                standing = self._page(standing)
            except PortalRefused as refusal:
                if refusal.code not in BEGIN_ANEW:
                    raise
                logger.warning("%s：%s", self.copy.name, refusal)
                standing = replace(standing, cursor="")
            except Overtaken:
                standing = self.copy.standing()
            if standing.is_complete and standing.cursor:
                self._publish(standing)
                return standing

    def _begin(self) -> Standing:
        """Shape the copy and read the first page of all.

        The columns are asked for again after it: had they changed in between, the page would not
        be of them.
        """
        columns = self._columns()
        standing = self.copy.begin_anew(_grant_of(columns), columns["columns"])
        self._publish(standing)
        standing = self._page(standing)
        again = self._columns()
        if (again["columns"], again["grant"]) != (columns["columns"], columns["grant"]):
            return replace(standing, cursor="")
        return standing

    def _page(self, standing: Standing) -> Standing:
        query = {"limit": str(self.limit), "cursor": standing.cursor}
        answer = self.portal.get(f"{self.place}/changes", query)
        if _grant_of(answer) != standing.grant:
            raise PortalRefused(409, "resync_required", "授权已变更，从头读起", answer)
        following = replace(
            standing,
            cursor=str(answer["next"]),
            horizon=int(answer["horizon"]),
            is_complete=bool(answer["is_complete"]),
        )
        return self.copy.apply(standing, page_of(answer["data"]), following)

    def _columns(self) -> dict[str, Any]:
        return self.portal.get(f"{self.place}/columns", {})

    def _publish(self, standing: Standing) -> None:
        if self.published is not None:
            self.published.publish(self.copy, standing)


def page_of(events: list[dict[str, Any]]) -> Page:
    """Sort the events of a page by what they do."""
    page = Page()
    for each in events:
        operation = each["_op"]
        if operation == "delete":
            page.gone.append(int(each[KEY]))
        elif operation == "mark":
            page.marks.append({KEY: each[KEY], DISPUTED: mark_text(each)})
        else:
            page.rows.append({**each, DISPUTED: mark_text(each)})
    return page


def mark_text(row: dict[str, Any]) -> str | None:
    """Return the doubtful items of a row as they are kept; None where there is no doubt."""
    return json.dumps(row[DISPUTED], ensure_ascii=False) if row.get(DISPUTED) else None


def _grant_of(answer: dict[str, Any]) -> tuple[int, int]:
    return int(answer["grant"]["id"]), int(answer["grant"]["version"])
