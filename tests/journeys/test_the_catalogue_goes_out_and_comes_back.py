"""The authority sends the city's catalogue out, gets it back changed in many places, loses nothing.

The same story in full size: `make bench ONLY=round_trip`, or `python -m tests.round_trip` in a
city that is there.
"""

from datetime import datetime

import pytest
from django.conf import settings
from django.core.management import call_command

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.console.demo import catalogue
from apps.console.demo.city import datasets
from apps.console.demo.people import load_people
from tests.round_trip.story import Story

pytestmark = pytest.mark.django_db
EVERY = 30
CHANGES = 80


@pytest.fixture
def story(at: datetime) -> Story:
    """A small part of the demonstration city, of all its departments."""
    folder = settings.BASE_DIR / "fixtures" / "reference"
    call_command("loaddata", *sorted(map(str, folder.glob("*.json"))), verbosity=0)
    load_people(at=at)
    catalogue._load_classification()
    catalogue._load(list(datasets())[::EVERY], at)
    return Story(User.objects.get(username="authority"), at)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_change_conflict_and_fault_is_accounted_for(story: Story, seed: int) -> None:
    assert not story.untouched()
    told = story.play(CHANGES, seed)
    assert not told.wrong, "\n".join(told.wrong)
    assert told.entries == len(datasets()) // EVERY + 1
    assert sum(told.ledger.counts.values()) > 100
    assert told.counts["conflict"] >= 5
    assert told.counts["faulty"] >= 30
    assert told.counts["unchanged"] > 5
    assert told.outcomes["created"] == told.counts["create"] > 0
    assert Dataset.objects.filter(status="draft").count() == told.outcomes["created"]
