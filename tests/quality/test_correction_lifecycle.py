"""Every pair of status and move of a correction, legal and illegal; clock, to-dos, marks follow."""

from datetime import datetime
from typing import Any, Final

import pytest

from apps.clocks.models import Clock
from apps.clocks.queries import running
from apps.core.errors import IllegalMove, NotAllowed, StaleRevision
from apps.ledger import queries as ledger
from apps.ledger.models import Event
from apps.quality import queries
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction, CorrectionStatus
from apps.quality.operations import corrections
from tests.quality.correction_stories import REASON, STORIES, Doubt

PAIRS = [(status, move.name) for status in CorrectionStatus.values for move in CORRECTION.moves]
ACTOR_OF: Final = {
    **dict.fromkeys(["withdraw", "close", "contest"], "editor"),
    **dict.fromkeys(["accept", "verify", "forward"], "provider"),
    **dict.fromkeys(["uphold", "confirm"], "provider_head"),
    "send_back": "officer",
}
BY_PLATFORM: Final = {"correct", "feed_back"}


def do(name: str, correction: Correction, doubt: Doubt, at: datetime, **more: Any) -> None:
    if name in BY_PLATFORM:
        corrections.settle_due(at=at)
        return
    words: dict[str, Any] = {"reason": REASON} if CORRECTION.move(name).reason else {}
    if name == "forward":
        words["department"] = doubt.officer.department
    actor = more.pop("actor", None) or getattr(doubt, ACTOR_OF[name])
    getattr(corrections, name)(correction=correction, actor=actor, at=at, **words, **more)


def picture(correction: Correction) -> tuple[Any, ...]:
    return (
        Correction.objects.filter(pk=correction.pk).values().get(),
        correction.history.count(),
        list(Clock.objects.order_by("pk").values_list("pk", "state", "due_at")),
        Event.objects.filter(outcome="done").count(),
        list(ledger.open_todos_of(correction).order_by("pk").values_list("kind", flat=True)),
    )


@pytest.mark.parametrize(("status", "name"), PAIRS)
def test_it_moves_only_along_the_table(
    status: str,
    name: str,
    doubt: Doubt,
    at: datetime,
) -> None:
    correction = STORIES["handed_in" if (status, name) == ("correcting", "correct") else status](
        doubt, at
    )
    assert correction.status == status
    before = picture(correction)
    move = CORRECTION.move(name)
    if status in move.sources:
        do(name, correction, doubt, at)
        correction.refresh_from_db()
        assert correction.status == move.target
        assert correction.revision == before[0]["revision"] + 1
        assert correction.history.count() == before[1] + 1
        assert Event.objects.filter(outcome="done").count() == before[3] + 1
        return
    if name in BY_PLATFORM:
        if status not in {"corrected", "confirmed_right"}:  # there the platform has another move
            do(name, correction, doubt, at)  # repeat-safe: not its turn, so nothing
    else:
        with pytest.raises((IllegalMove, NotAllowed)):
            do(name, correction, doubt, at)
    assert picture(correction) == before


@pytest.mark.parametrize("status", sorted(STORIES))
def test_whoever_owes_the_next_step_has_it_among_his_todos(
    status: str,
    doubt: Doubt,
    at: datetime,
) -> None:
    correction = STORIES[status](doubt, at)
    owed_by = {
        "raised": doubt.provider.department,
        "accepted": doubt.provider.department,
        "verifying": doubt.provider_head.department,
        "correcting": doubt.provider.department,
        "handed_in": doubt.provider.department,
        "feedback": doubt.editor.department,
        "contested": doubt.officer.department,
    }
    expected = [owed_by[status]] if status in owed_by else []
    assert [todo.department for todo in ledger.open_todos_of(correction)] == expected


@pytest.mark.parametrize("status", sorted(STORIES))
def test_ten_workdays_run_until_it_is_decided(
    status: str,
    doubt: Doubt,
    at: datetime,
) -> None:
    correction = STORIES[status](doubt, at)
    is_due = status in {"raised", "accepted", "verifying"}
    assert [clock.policy.code for clock in running(correction)] == ["correction.verify"] * is_due
    for clock in running(correction):
        assert clock.due_on.isoformat() == "2026-12-02"


@pytest.mark.parametrize("status", sorted(STORIES))
def test_the_value_is_marked_while_the_doubt_is_open(
    status: str,
    doubt: Doubt,
    at: datetime,
) -> None:
    STORIES[status](doubt, at)
    is_over = status in {"corrected", "closed", "withdrawn"}
    expected = frozenset() if is_over else frozenset({"born_on"})
    assert queries.marks_of_row(doubt.dataset.pk, 1) == expected
    assert queries.has_marks(doubt.dataset.pk) is not is_over
    assert queries.marks_of_row(doubt.dataset.pk, 2) == frozenset()


def test_it_refuses_what_was_decided_on_an_old_page(
    doubt: Doubt,
    at: datetime,
) -> None:
    correction = STORIES["verifying"](doubt, at)
    before = picture(correction)
    with pytest.raises(StaleRevision):
        do("uphold", correction, doubt, at, revision=correction.revision - 1)
    assert picture(correction) == before
