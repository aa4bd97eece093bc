"""Compare what was planned with the verdicts, and with what was written; both ways."""

import copy
from collections import Counter
from collections.abc import Collection
from typing import Any

from apps.catalog.models import CatalogImport, Dataset, DatasetChange
from apps.catalog.spreadsheets.comparing import ORDER, REMOVED
from apps.catalog.spreadsheets.known import present_states
from tests.round_trip.ledger import Ledger, Note, State, plain
from tests.round_trip.pages import Page


def reported(subject: CatalogImport) -> dict[Note, str]:
    """Return everything that the verdicts name, of faults with their words."""
    found: dict[Note, str] = {}
    for entry in subject.entries.order_by("position"):
        key = entry.code if entry.dataset_id else entry.name
        if entry.action == "create":
            found[Note("create", key)] = ""
        for each in entry.proposal["differences"]:
            found[_difference(key, each)] = ""
        for each in entry.proposal["clashes"]:
            values = plain([each["base"], each["yours"], each["current"]])
            found[Note("clash", key, each["item"], each["field"], values)] = ""
        for each in entry.faults:
            note = Note(each["level"], key, each["cell"], each["field"])
            found[note] = "".join([found.get(note, ""), each["message"]])
    return found


def _difference(key: str, each: dict[str, Any]) -> Note:
    if each["field"] == "added":
        return Note("added", key, "", "", plain(each["new"]))
    if each["field"] == REMOVED:
        return Note("removed", key, each["item"])
    if each["field"] == ORDER:
        return Note("order", key, "", "", plain(each["new"]))
    return Note("field", key, each["item"], each["field"], plain(each["new"]))


def of_verdicts(subject: CatalogImport, ledger: Ledger, page: Page) -> list[str]:
    """Say what was planned and not reported, what was reported and not planned; in any words."""
    planned, found = ledger.all_notes(page), reported(subject)
    wrong = [f"not reported: {note}" for note in planned.keys() - found.keys()]
    wrong += [f"not planned: {note} {found[note]}" for note in found.keys() - planned.keys()]
    wrong += [
        f"{note} should say “{words}”, says “{found[note]}”"
        for note, words in planned.items()
        if words not in found.get(note, words)
    ]
    actions = Counter(
        (entry.code if entry.dataset_id else entry.name, entry.action)
        for entry in subject.entries.all()
    )
    for each, expected in expected_actions(ledger, page).items():
        if actions[each] != expected:
            wrong.append(f"verdict {each}: {expected} planned, {actions[each]} found")
    if sum(actions.values()) != subject.summary["entries"]:
        wrong.append("entries were lost")
    return sorted(wrong)


def faulty(ledger: Ledger) -> set[str]:
    """Return the entries that may not be taken over."""
    return {fault.entry for fault in ledger.faults if fault.level == "error"}


def expected_actions(ledger: Ledger, page: Page) -> Counter[tuple[str, str]]:
    """Return each entry's verdict as it follows from the plan."""
    bad = faulty(ledger)
    clashing = {note.entry for note in ledger.notes if note.kind == "clash"}
    changed = {note.entry for note in ledger.notes if note.is_change}
    found: Counter[tuple[str, str]] = Counter()
    new = {*ledger.created, *(entry for entry in bad if entry not in page.entries)}
    for code in [*page.entries, *new]:
        if code in bad:
            action = "faulty"
        elif code in ledger.created:
            action = "create"
        elif code in clashing:
            action = "conflict"
        else:
            action = "revise" if code in changed else "unchanged"
        found[code, action] += 1
    return found


def states_of(codes: Collection[str] | None = None) -> dict[str, State]:
    """Return the state of entries by code, as they are in force or in draft."""
    entries = Dataset.objects.all() if codes is None else Dataset.objects.filter(code__in=codes)
    pairs = dict(entries.values_list("pk", "code"))
    return {pairs[pk]: state for pk, state in present_states(pairs.keys()).items()}


def of_writing(subject: CatalogImport, ledger: Ledger, before: dict[str, State]) -> list[str]:
    """Say what differs from the plan in what was written, and in all that should be as it was.

    before: the states of all entries when the adoption began.
    """
    now = states_of()
    wrong = [*_changes(subject, ledger, before), *_creations(subject, ledger)]
    for code, state in before.items():
        expected = _figures(_expected(ledger, code, state))
        if _figures(now[code]) != expected:
            wrong.append(f"{code}: {expected} planned, {_figures(now[code])} written")
        if _without(now[code], "census") != _without(state, "census"):
            wrong.append(f"{code} was changed in force")
    made = {entry.code for entry in subject.entries.filter(outcome="created")}
    return wrong + [f"{code} came from nowhere" for code in now.keys() - before.keys() - made]


def _figures(state: State) -> dict[str, Any]:
    return {name: value for name, value in state["census"].items() if value is not None}


def _expected(ledger: Ledger, code: str, state: State) -> State:
    """Return the state after the planned changes and the decisions of the entry."""
    expected = copy.deepcopy(state)
    if code not in faulty(ledger):
        for effect in ledger.effects.get(code, ()):
            effect(expected)
    return expected


def _changes(subject: CatalogImport, ledger: Ledger, before: dict[str, State]) -> list[str]:
    """Lay every change that the sheet began over its entry, and compare with the plan."""
    changes = {
        change.dataset.code: change
        for change in DatasetChange.objects.filter(
            pk__in=subject.entries.exclude(change=None).values("change")
        ).select_related("dataset")
    }
    wrong = []
    for code, state in before.items():
        expected = _expected(ledger, code, state)
        proposed = copy.deepcopy(state)
        change = changes.pop(code, None)
        if change is not None:
            proposed |= change.fields
            proposed["items"] = state["items"] if change.items is None else change.items
        if (change is None) != (_without(expected, "census") == _without(state, "census")):
            wrong.append(f"{code}: {'no' if change is None else 'a needless'} change was begun")
        wrong += _differing(code, expected, proposed)
    return wrong + [f"{code}: a change of nothing known" for code in changes]


def _differing(code: str, expected: State, found: State) -> list[str]:
    wrong = [
        f"{code}.{name}: {expected[name]!r} planned, {found[name]!r} written"
        for name in expected
        if name not in {"items", "census"} and expected[name] != found[name]
    ]
    rows = [[_without(row, "position") for row in state["items"]] for state in (expected, found)]
    if rows[0] != rows[1]:
        wrong.append(f"{code}.items: {rows[0]} planned, {rows[1]} written")
    return wrong


def _creations(subject: CatalogImport, ledger: Ledger) -> list[str]:
    codes = dict(subject.entries.filter(outcome="created").values_list("name", "code"))
    wrong = [f"{name} was not planned" for name in codes.keys() - ledger.created.keys()]
    states = states_of([*codes.values()])
    for name, expected in ledger.created.items():
        found = states.get(codes.get(name, ""))
        if found is None:
            wrong.append(f"{name} was not made")
            continue
        for row in found["items"]:
            row["pk"] = None
        wrong += _differing(name, _without(expected, "code", "is_open"), found)
        if _figures(found) != expected["census"]:
            wrong.append(f"{name} counts {_figures(found)}")
    return wrong


def _without(state: State, *names: str) -> State:
    return {name: value for name, value in state.items() if name not in names}
