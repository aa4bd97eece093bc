"""The people of a work task."""

from typing import Any

import pytest

from tests.factories.clocks import install_policies
from tests.supervision.task_stories import Bureau


@pytest.fixture
def bureau(authority: Any, provider: Any, provider_head: Any) -> Bureau:
    return Bureau(officer=authority, editor=provider, head=provider_head)


@pytest.fixture
def policies(db: None) -> None:
    install_policies()
