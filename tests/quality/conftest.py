"""What tests of quality stand on: policies of clocks, a dataset about persons, a doubted value."""

from typing import Any

import pytest

from apps.catalog.models import Dataset
from tests.factories.clocks import install_policies
from tests.factories.warehouse import published
from tests.quality.correction_fixtures import doubt

__all__ = ["dataset", "doubt", "policies"]


@pytest.fixture(autouse=True)
def policies(db: None) -> None:
    install_policies()


@pytest.fixture
def dataset(provider_department: Any, authority_department: Any) -> Dataset:
    return published(department=provider_department)
