"""Send the catalogue out, change the page, bring it back; account for everything."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.test import Client

from apps.accounts.models import User
from apps.catalog import operations as catalog
from apps.catalog.models import CatalogImport, Dataset
from apps.catalog.spreadsheets.known import known_entries
from tests.round_trip import accounting
from tests.round_trip.ledger import Ledger, State
from tests.round_trip.meanwhile import Platform
from tests.round_trip.office import UNFIT, saved_again
from tests.round_trip.pages import Page
from tests.round_trip.planning import Plan

IN_FORCE = ("published", "withdrawal_requested")
Check = Callable[[CatalogImport], None]


@dataclass
class Told:
    """What came of it. wrong: everything that is not accounted for, in words; seconds: by step."""

    ledger: Ledger
    entries: int = 0
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)


class Story:
    """The authority's officer sends the whole catalogue out and brings it back.

    check: does what the worker does with a received import, here or in a process of its own;
    office: the form in which an office program saves the sheet before it comes back, "" for none.
    """

    def __init__(
        self, officer: User, at: datetime, check: Check | None = None, office: str = ""
    ) -> None:
        self.office = office
        self.platform = Platform(officer, at)
        self.check = check or (lambda _subject: catalog.check_imports(at=at) and None)
        self.client = Client(headers={"host": "127.0.0.1"})
        self.client.force_login(officer)
        self.told = Told(Ledger())

    def untouched(self) -> list[str]:
        """Bring the export back as it went out; return what is not said to be unchanged."""
        subject = self._brought_in(self._sent_out(), "untouched")
        others = subject.entries.exclude(action="unchanged", faults=[])
        catalog.discard(subject=subject, actor=self.platform.officer, at=self.platform.at)
        return [f"{entry.code} {entry.action} {entry.faults}" for entry in others]

    def play(self, changes: int, seed: int) -> Told:
        """Change the page in so many places, and what else belongs to it; account for all."""
        page = Page.read(self._sent_out())
        plan = Plan(page, _states(), seed)
        but = UNFIT[self.office]
        ledger = self._timed("plan", lambda: plan.make(changes, self.platform, but=but))
        told = self.told = Told(ledger, len(page.entries), seconds=self.told.seconds)
        subject = self._brought_in(page.written(), "check")
        told.rows, told.counts = subject.summary["rows"], subject.summary["counts"]
        told.wrong = accounting.of_verdicts(subject, ledger, page)
        before = accounting.states_of()
        self._decide(subject, ledger)
        self._timed("adopt", lambda: self._adopt(subject))
        told.outcomes = subject.summary.get("outcomes", {})
        if subject.status != "adopted":
            told.wrong.append(f"{subject.status}: {subject.problem}")
        told.wrong += accounting.of_writing(subject, ledger, before)
        return told

    def _sent_out(self) -> bytes:
        answer = self._timed("export", lambda: self.client.get("/api/v1/datasets.xlsx"))
        if answer.status_code != 200:
            raise RuntimeError(answer.content.decode())
        content: bytes = b"".join(answer)  # the client closes what it has read
        return content

    def _brought_in(self, content: bytes, step: str) -> CatalogImport:
        if self.office:
            given = content
            content = self._timed(f"{step} in office", lambda: saved_again(given, self.office))
        answer = self.client.post(
            f"/api/v1/catalog-imports?file_name=全市目录.{self.office or 'xlsx'}",
            content,
            content_type="application/octet-stream",
        )
        subject = CatalogImport.objects.get(pk=answer.json()["id"])
        self._timed(step, lambda: self.check(subject))
        subject.refresh_from_db()
        if subject.status != "checked":
            raise RuntimeError(f"{subject.status}: {subject.problem}")
        return subject

    def _decide(self, subject: CatalogImport, ledger: Ledger) -> None:
        """Decide the conflicts as planned, by a person."""
        for entry in subject.entries.filter(action="conflict"):
            catalog.decide_import(
                entry=entry,
                actor=self.platform.officer,
                at=self.platform.at,
                decisions=ledger.decisions[entry.code],
            )

    def _adopt(self, subject: CatalogImport) -> None:
        officer, at = self.platform.officer, self.platform.at
        catalog.adopt(subject=subject, actor=officer, at=at, scope="good")
        catalog.adopt_imports(at=at)
        subject.refresh_from_db()

    def _timed(self, step: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = work()
        self.told.seconds[step] = round(time.perf_counter() - start, 1)
        return result


def _states() -> dict[str, State]:
    """Return every entry's state, with whether it may be changed by a sheet."""
    known = {each.code: each for each in known_entries(Dataset.objects.all())}
    states = accounting.states_of()
    for code, state in states.items():
        entry = known[code]
        state["is_open"] = entry.status in IN_FORCE and not entry.has_open_change
    return states
