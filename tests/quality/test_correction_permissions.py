"""The matrix of corrections: cast × action × status; list and row agree; no harm in a no."""

from datetime import datetime
from typing import Any, Final

import pytest

from apps.catalog.models import Dataset
from apps.core import access
from apps.core.errors import NotAllowed
from apps.quality.lifecycle import CORRECTION
from apps.quality.models import Correction
from apps.quality.operations import corrections
from tests.conftest import CAST
from tests.factories.accounts import InformationSystemFactory
from tests.quality.correction_stories import REASON, STORIES, Doubt, raised
from tests.quality.test_correction_lifecycle import do, picture

EVERY: Final = ("provider", "provider_head", "consumer", "consumer_head")
RAISERS: Final = ("consumer", "consumer_head")
HANDLERS: Final = ("provider", "provider_head")
# action → who; no scope asks for the status, which is the lifecycle's.
MATRIX: Final[dict[str, tuple[str, ...]]] = {
    "view": (*EVERY, "authority", "authority_leader", "auditor"),
    "see_values": EVERY,
    "accept": HANDLERS,
    "verify": HANDLERS,
    "forward": (*HANDLERS, "authority"),
    "uphold": ("provider_head",),
    "confirm": ("provider_head",),
    "hand_in": ("provider",),
    "link": ("provider",),
    "withdraw": RAISERS,
    "close": RAISERS,
    "contest": RAISERS,
    "send_back": ("authority",),
    **dict.fromkeys(["correct", "feed_back", "change", "delete"], ()),
}


def test_the_matrix_knows_every_action() -> None:
    assert set(MATRIX) == set(access.actions_of(Correction))


@pytest.mark.parametrize("status", sorted(STORIES))
def test_who_may_do_what(doubt: Doubt, cast: dict[str, Any], at: datetime, status: str) -> None:
    correction = STORIES[status](doubt, at)
    wrong = []
    for action, admitted in MATRIX.items():
        for name in CAST:
            expected = name in admitted
            on_row = access.allowed(cast[name], action, correction, at=at)
            rows = access.rows(cast[name], action, Correction, at=at)
            in_list = rows.filter(pk=correction.pk).exists()
            if (on_row, in_list) != (expected, expected):
                wrong.append((name, action, on_row, in_list))
    assert wrong == []


def test_who_may_raise_and_who_looks_at_his_own_table(
    doubt: Doubt, cast: dict[str, Any], at: datetime
) -> None:
    for action, admitted in (("raise_correction", RAISERS), ("look_up_own_row", HANDLERS)):
        found = {name for name in CAST if access.allowed(cast[name], action, doubt.dataset, at=at)}
        assert found == set(admitted), action


def test_a_system_sees_and_ends_its_own_only(doubt: Doubt, at: datetime) -> None:
    of_people = raised(doubt, at)
    system = InformationSystemFactory(department=doubt.editor.department)
    user = system.service_user
    assert access.allowed(user, "raise_correction", doubt.dataset, at=at)
    corrections.withdraw(correction=of_people, actor=doubt.editor, at=at, reason=REASON)
    own = corrections.raise_correction(
        dataset=doubt.dataset, actor=user, at=at, row_id=2, item="grade", claimed_value="甲"
    )
    assert own.system == system
    assert list(access.rows(user, "view", Correction, at=at)) == [own]
    for action in ("withdraw", "close", "contest"):
        assert access.allowed(user, action, own, at=at)
        assert not access.allowed(user, action, of_people, at=at)
    assert access.allowed(doubt.editor, "withdraw", own, at=at)


STATUS_OF: Final = {
    **dict.fromkeys(["accept", "withdraw"], "raised"),
    **dict.fromkeys(["verify", "forward"], "accepted"),
    **dict.fromkeys(["uphold", "confirm"], "verifying"),
    **dict.fromkeys(["close", "contest"], "feedback"),
    "send_back": "contested",
}


@pytest.mark.parametrize("name", sorted(STATUS_OF))
def test_who_may_not_is_refused_and_changes_nothing(
    doubt: Doubt, cast: dict[str, Any], at: datetime, name: str
) -> None:
    correction = STORIES[STATUS_OF[name]](doubt, at)
    assert correction.status in CORRECTION.move(name).sources
    before = picture(correction)
    for who in CAST:
        if who in MATRIX[name]:
            continue
        with pytest.raises(NotAllowed):
            do(name, correction, doubt, at, actor=cast[who])
        assert picture(correction) == before


def test_who_may_not_land_hands_in_no_correction(
    doubt: Doubt, cast: dict[str, Any], at: datetime
) -> None:
    correction = STORIES["correcting"](doubt, at)
    before = picture(correction), doubt.dataset.batches.count()
    for who in set(CAST) - {"provider"}:
        with pytest.raises(NotAllowed):
            corrections.hand_in(correction=correction, actor=cast[who], at=at)
    assert (picture(correction), doubt.dataset.batches.count()) == before


def test_who_has_no_grant_raises_nothing(doubt: Doubt, cast: dict[str, Any], at: datetime) -> None:
    for who in set(CAST) - set(RAISERS):
        with pytest.raises(NotAllowed):
            corrections.raise_correction(
                dataset=doubt.dataset, actor=cast[who], at=at, description="缺少三月"
            )
    assert not Correction.objects.exists()
    assert Dataset.objects.filter(pk=doubt.dataset.pk).exists()
