"""The scene of corrections; a test module imports the fixture that it uses."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.quality.correction_stories import Doubt, made_doubt


@pytest.fixture
def doubt(
    db: None,
    consumer: Any,
    consumer_head: Any,
    provider: Any,
    provider_head: Any,
    authority: Any,
) -> Iterator[Doubt]:
    """A landed table with one wrong value, and everybody who has to do with it."""
    with made_doubt(consumer, consumer_head, provider, provider_head, authority) as made:
        yield made
