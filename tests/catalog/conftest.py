"""What every test of the catalogue stands on."""

from typing import Any

import pytest

from tests.catalog.demand_stories import Parties
from tests.catalog.stories import People
from tests.factories.clocks import install_policies


@pytest.fixture
def people(db: None, provider: Any, provider_head: Any, authority: Any) -> People:
    install_policies()
    return People(provider, provider_head, authority)


@pytest.fixture
def parties(
    db: None,
    consumer: Any,
    consumer_head: Any,
    authority: Any,
    provider: Any,
    provider_head: Any,
) -> Parties:
    """Those who bring a demand through; the consumer wants, the provider has."""
    install_policies()
    return Parties(consumer, consumer_head, authority, provider, provider_head)
