"""Choose, by a seed, which entries are changed and how; each kind of edit at least once."""

from collections.abc import Collection, Sequence
from random import Random
from typing import Any

from apps.accounts.models import Department, InformationSystem
from apps.standards.models import CodeList, DataElement
from tests.round_trip import edits, fault_edits, item_edits, meanwhile, newcomers
from tests.round_trip.hands import City, Edit, Hands
from tests.round_trip.ledger import Ledger
from tests.round_trip.meanwhile import Meeting, Platform
from tests.round_trip.pages import Entry, Page

CHANGES = (*edits.CHANGES, *item_edits.CHANGES)
NOTHING = (*edits.NOTHING, *item_edits.NOTHING)
PER_ENTRY = 3
"""Edits that may meet in one entry."""


class Plan:
    """Takes entries from the pool and lets edits at them; what happened is in the ledger."""

    def __init__(self, page: Page, states: dict[str, dict[str, Any]], seed: int) -> None:
        self.page = page
        self.ledger = Ledger()
        self.pick = Random(seed)
        for code, entry in page.entries.items():
            entry.state = states[code]
        fit = [entry for entry in page.entries.values() if _is_fit(entry)]
        self.pool = self.pick.sample(fit, len(fit))
        self.city = _city([entry.code for entry in fit])

    def make(
        self, changes: int, platform: Platform, *, but: Collection[str] = frozenset()
    ) -> Ledger:
        """Plan so many changes, every fault, every meeting with the platform, every newcomer.

        but: the faults and changes that are not to be made.
        """
        for name, fault in fault_edits.FAULTS.items():
            if name not in but:
                self._once(f"fault: {name}", fault)
        for meeting in (*meanwhile.CONFLICTS, *meanwhile.OTHERS):
            self._once(f"meanwhile: {meeting.__name__}", _meeting(meeting, platform))
        for newcomer in newcomers.NEW:
            self._once(f"new: {newcomer.__name__}", newcomer)
        self._spread(changes, but)
        return self.ledger

    def _once(self, name: str, edit: Edit) -> None:
        """Let the first entry that is fit have it, alone."""
        for place, entry in enumerate(self.pool):
            if edit(self._hands(entry)):
                del self.pool[place]
                self._count(name)
                return
        raise ValueError(f"no entry is fit for {name}")

    def _spread(self, changes: int, but: Collection[str]) -> None:
        """Every kind once; then as it comes, several in an entry too."""
        kinds = [edit for edit in CHANGES if edit.__name__ not in but]
        wanted = [*NOTHING, *kinds]
        wanted += self.pick.choices(kinds, k=max(0, changes - len(kinds)))
        few = self.pool[: max(8, len(wanted) // PER_ENTRY + 4)]
        for edit in wanted:
            name = f"{edit.__module__.rpartition('.')[2]}: {edit.__name__}"
            entries = [*self.pick.sample(few, len(few)), *self.pool]
            if any(edit(self._hands(entry)) for entry in entries):
                self._count(name)
            elif name not in self.ledger.counts:
                raise ValueError(f"no entry is fit for {name}")

    def _hands(self, entry: Entry) -> Hands:
        return Hands(self.page, self.ledger, entry, self.pick, self.city)

    def _count(self, name: str) -> None:
        self.ledger.counts[name] = self.ledger.counts.get(name, 0) + 1


def _meeting(meeting: Meeting, platform: Platform) -> Edit:
    return lambda hands: meeting(hands, platform)


def _is_fit(entry: Entry) -> bool:
    """In force, with nothing under way, and with rows enough to get wrong."""
    return bool(entry.state.get("is_open")) and len(entry.rows) > 2


def _city(codes: Sequence[str]) -> City:
    systems: dict[str, list[tuple[str, str]]] = {}
    rows = InformationSystem.objects.order_by("code").values_list(
        "department__code", "code", "name"
    )
    for department, code, name in rows:
        systems.setdefault(department, []).append((code, name))
    departments = Department.objects.filter(valid_to=None).order_by("code")
    return City(
        systems=systems,
        departments=list(departments.values_list("code", "short_name")),
        elements=list(DataElement.objects.order_by("code").values_list("code", "name")),
        code_lists=list(CodeList.objects.order_by("code").values_list("code", "name")),
        codes=list(codes),
    )
