"""The server's own views on roles, for what belongs to the whole server."""

from typing import Any

import pytest
from django.db import connection

from apps.ledger.access_sql import recorder_role


@pytest.fixture
def recorder(db: Any) -> str:
    return recorder_role(str(connection.settings_dict["NAME"]))
