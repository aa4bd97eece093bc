"""What the database itself refuses: columns, rows, tables, functions that leak, after every end."""

from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection

from apps.sharing import operations as sharing
from apps.sharing import provisioning
from apps.sharing.models import Grant
from tests.factories.sharing import ROWS, Scene
from tests.sharing.conftest import Read


def test_it_reads_exactly_the_granted_columns_and_rows(landed_grant: Grant, read: Read) -> None:
    rows = read(landed_grant, f"SELECT * FROM share.g_{landed_grant.pk} ORDER BY _id")
    assert [row[2:4] for row in rows] == [
        ("110105********002X", "张小三"),
        ("440524********0014", "李四"),
        ("500103********0111", "王五"),
    ]
    assert len(rows[0]) == 2 + 4
