"""Judge what a file says: match, compare, validate; a verdict for each entry, in batches.

A verdict names every fault with its cell and its remedy. What the rules of the catalogue say comes
from `validation`, so that typing and importing obey one truth.

Source: 《政务信息资源目录编制指南（试行）》; house rule (design §3.9)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.accounts.models import Department
from apps.catalog.models.imports import ImportEntry
from apps.catalog.snapshots import ITEM_FIELDS
from apps.catalog.spreadsheets import comparing
from apps.catalog.spreadsheets.comparing import UNKNOWN, Difference, Line, Merged
from apps.catalog.spreadsheets.completing import complete_items, keyed
from apps.catalog.spreadsheets.faults import FAULTS_KEPT, Fault, Level
from apps.catalog.spreadsheets.known import (
    CENSUS_FIELDS,
    KnownEntries,
    KnownEntry,
    former_census,
    former_states,
    present_states,
)
from apps.catalog.spreadsheets.matching import Matching
from apps.catalog.spreadsheets.references import References
from apps.catalog.spreadsheets.refusing import (
    refuse_doubled_items,
    refuse_sensitive_without_personal,
    refuse_what_may_only_stay,
    tell_unmentioned,
)
from apps.catalog.spreadsheets.remarking import Rules
from apps.catalog.spreadsheets.rows import Book, RawEntry
from apps.catalog.spreadsheets.stating import Stated
from apps.catalog.spreadsheets.values import Reader

CHUNK: Final = 300
Action = ImportEntry.Action
Figures = Mapping[str, str | None]
NO_FIGURES: Final = dict.fromkeys(CENSUS_FIELDS)
Common = tuple[Level, str, str]
"""A fault without a cell: level, message, remedy."""


@dataclass(slots=True)
class Verdict:
    """What becomes of one entry if the file is adopted."""

    stated: Stated
    action: str = Action.UNCHANGED
    known: KnownEntry | None = None
    merged: Merged = field(default_factory=Merged)
    related: list[str] | None = None
    census: dict[str, str | None] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def raw(self) -> RawEntry:
        return self.stated.raw

    @property
    def faults(self) -> list[Fault]:
        return self.raw.faults

    @property
    def error_count(self) -> int:
        return sum(1 for fault in self.faults if fault.level == "error")

    @property
    def is_changed(self) -> bool:
        return bool(self.differences or self.merged.clashes)

    @property
    def name(self) -> str:
        return self.raw.text("name") or (self.known.name if self.known else "")

    def faults_without_cell(self) -> list[Common]:
        """Return what the entry lacks as a whole: likely the same for others of the file."""
        return [
            (fault.level, fault.gist or fault.message, fault.remedy)
            for fault in self.faults
            if not fault.cell and fault.level != "error"
        ]

    def proposal(self) -> dict[str, Any]:
        return {
            "classification": self.stated.classification,
            "fields": self.merged.fields,
            "items": self.merged.items,
            "related": self.related,
            "census": self.census,
            "differences": [difference.to_json() for difference in self.differences],
            "clashes": [clash.to_json() for clash in self.merged.clashes],
        }

    def faults_json(self) -> list[dict[str, Any]]:
        order = {"error": 0, "due": 1, "warning": 2}
        found = sorted(self.faults, key=lambda fault: (order[fault.level], fault.row))
        return [fault.to_json() for fault in found[:FAULTS_KEPT]]


@dataclass(frozen=True, slots=True)
class _Bases:
    """What rows of the file came from. states: by (entry, version); census: by entry."""

    states: Mapping[tuple[int, int], dict[str, Any]]
    census: Mapping[int, Figures]


class Judge:
    """Judges the entries of a book; `own` is the uploader's department, None for the authority.

    acts_for: the department whose drafts may be revised; the authority revises nobody's.
    """

    def __init__(self, *, own: Department | None, on: date) -> None:
        self.references = References.load()
        self.own = own
        self.on = on
        self.reader = Reader(self.references, own)

    def verdicts(self, book: Book) -> Iterator[list[Verdict]]:
        """Yield the verdicts in the order of the file, a few hundred at a time."""
        stated = [self.reader.read(raw) for raw in book.entries]
        codes = {each.code for each in stated if each.code}
        related = {code for each in stated for code in each.related or ()}
        known = KnownEntries.load(None if self.own is None else [self.own.pk], codes | related)
        self._matching = Matching(self.references, self.own, known)
        self._matching.refuse_doubled_entries(stated)
        for start in range(0, len(stated), CHUNK):
            chunk = stated[start : start + CHUNK]
            for each in chunk:
                self.reader.read_items(each)
            yield self._judge(chunk)
            for each in chunk:  # told; not needed again
                each.items = []

    def _judge(self, chunk: Sequence[Stated]) -> list[Verdict]:
        verdicts = [Verdict(stated, known=self._matching.match(stated)) for stated in chunk]
        states = present_states({verdict.known.pk for verdict in verdicts if verdict.known})
        bases = self._bases(verdicts)
        for verdict in verdicts:
            state = states.get(verdict.known.pk) if verdict.known else None
            self._compare(verdict, state, bases)
            refuse_what_may_only_stay(verdict.stated, verdict.merged)
            refuse_sensitive_without_personal(verdict.stated, verdict.merged, state)
            tell_unmentioned(verdict.stated, verdict.merged)
            self._matching.refuse_unfit(
                stated=verdict.stated,
                known=verdict.known,
                state=state,
                is_changed=verdict.is_changed,
            )
        self._remark(verdicts, states)
        for verdict in verdicts:
            verdict.action = _action(verdict)
        return verdicts

    def _remark(self, verdicts: Sequence[Verdict], states: Mapping[int, dict[str, Any]]) -> None:
        """Let the catalogue's own rules speak of what is new or changed."""
        changed = [each for each in verdicts if each.is_changed]
        rules = Rules.load(
            self.references,
            self.on,
            [(each.known, each.differences) for each in changed if each.known],
            states,
        )
        for verdict in verdicts:
            if verdict.is_changed or verdict.known is None:
                known = verdict.known
                state = states.get(known.pk) if known else None
                rules.note(verdict.stated, verdict.merged, verdict.differences, known, state)

    def _bases(self, verdicts: Sequence[Verdict]) -> "_Bases":
        """Read the older versions, and census numbers, from which rows of the file came."""
        counts = {
            verdict.known.pk: verdict.stated.count
            for verdict in verdicts
            if verdict.known and verdict.stated.count
            if verdict.stated.count < verdict.known.count
        }
        wanted = {
            (verdict.known.pk, int(verdict.stated.version))
            for verdict in verdicts
            if verdict.known and _is_number(verdict.stated.version)
            if int(verdict.stated.version) < verdict.known.version
        }
        return _Bases(
            former_states(wanted) if wanted else {}, former_census(counts) if counts else {}
        )

    def _compare(
        self,
        verdict: Verdict,
        state: dict[str, Any] | None,
        bases: "_Bases",
    ) -> None:
        stated, known = verdict.stated, verdict.known
        refuse_doubled_items(stated)
        lines = [
            Line(_of_item(item.values), removes=item.removes)
            for item in stated.items
            if item.values.get("name") or item.values.get("column_name")
        ]
        if state is None or known is None:
            verdict.merged = comparing.merge({}, stated.values, {})
            rows = comparing.merge_items([], lines, [])
            verdict.merged.items = complete_items(rows.items or [], self.references)
            _mark_personal(verdict.merged)
            keys = keyed(stated, verdict.merged.items, [])
            if keys is not None:
                verdict.merged.fields["key_items"] = keys
            verdict.related = stated.related
            verdict.census = {name: value for name, value in stated.census.items() if value}
            return
        base = self._base(verdict, known, state, bases)
        is_unknown = base is UNKNOWN
        _keep_case(stated.values, state, {} if is_unknown else base)
        merged = comparing.merge(base, stated.values, state)
        items = comparing.merge_items(
            UNKNOWN if is_unknown else base["items"], lines, state["items"]
        )
        merged.items, merged.unmentioned = items.items, items.unmentioned
        if merged.items is not None:
            merged.items = complete_items(merged.items, self.references)
        merged.differences += items.differences
        merged.clashes += items.clashes
        verdict.merged = merged
        self._compare_pointers(verdict, state, base)
        is_older = stated.count is not None and stated.count < known.count
        was = bases.census.get(known.pk, {}) if is_older else state["census"]
        self._compare_census(verdict, state["census"], was)

    def _compare_pointers(self, verdict: Verdict, state: dict[str, Any], base: Any) -> None:
        """Compare what is not a plain field: the key, related entries."""
        stated, merged = verdict.stated, verdict.merged
        pointing: dict[str, Any] = {}
        keys = keyed(
            stated, state["items"] if merged.items is None else merged.items, state["key_items"]
        )
        if keys is not None:
            pointing["key_items"] = keys
        if stated.related is not None:
            pointing["related"] = stated.related
        found = comparing.merge(base, pointing, state)
        verdict.related = found.fields.pop("related", None)
        merged.fields |= found.fields
        merged.differences += found.differences
        merged.clashes += found.clashes

    def _compare_census(self, verdict: Verdict, now: Figures, was: Figures) -> None:
        """Compare the numbers, which have no version but are counted as often as written."""
        merged = verdict.merged
        base, yours, present = (
            {f"census.{name}": value for name, value in figures.items()}
            for figures in ({**NO_FIGURES, **was}, verdict.stated.census, now)
        )
        found = comparing.merge(base, yours, present)
        verdict.census = {name[7:]: value for name, value in found.fields.items()}
        merged.clashes += found.clashes
        verdict.differences = [*merged.differences, *found.differences]

    def _base(
        self,
        verdict: Verdict,
        known: KnownEntry,
        state: dict[str, Any],
        bases: "_Bases",
    ) -> Any:
        """Return the state that the sheet came from; the present one where no stamp says else."""
        stamp = verdict.stated.version
        if not stamp or stamp == known.stamp:
            return state
        if _is_number(stamp) and int(stamp) > max(known.version, 0):
            verdict.raw.fault(
                "error",
                "version",
                _("“版本”写的是 %(stamp)s，平台上只到第 %(number)s 版")
                % {"stamp": stamp[:20], "number": known.version},
                _("重新导出后再修改，不要改动“版本”列"),
            )
            return state
        if _is_number(stamp):
            return bases.states.get((known.pk, int(stamp)), UNKNOWN)
        return UNKNOWN


def _keep_case(values: dict[str, Any], *states: Mapping[str, Any]) -> None:
    """Read a format type that is written otherwise in capitals alone as it is known."""
    for state in states:
        known = str(state.get("format_type", ""))
        if known and values.get("format_type") == known.lower():
            values["format_type"] = known
            return


def _mark_personal(merged: Merged) -> None:
    """A new entry whose items are personal information is marked so unless the sheet denies it."""
    for name, mark in (("contains_personal", "personal"), ("contains_sensitive", "sensitive")):
        if any(item.get(mark) for item in merged.items or ()):
            merged.fields.setdefault(name, True)


def _of_item(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in ITEM_FIELDS}


def _is_number(stamp: str) -> bool:
    return stamp.isascii() and stamp.isdigit() and len(stamp) < 9


def _action(verdict: Verdict) -> str:
    if verdict.error_count:
        return Action.FAULTY
    if verdict.known is None:
        return Action.CREATE
    if verdict.merged.clashes:
        return Action.CONFLICT
    return Action.REVISE if verdict.differences else Action.UNCHANGED
