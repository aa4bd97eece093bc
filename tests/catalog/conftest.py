"""What every test of the catalogue stands on."""

from typing import Any

import pytest

from tests.catalog.stories import People
from tests.factories.clocks import install_policies


@pytest.fixture
def people(db: None, provider: Any, provider_head: Any, authority: Any) -> People:
    install_policies()
    return People(provider, provider_head, authority)
