"""`_hash` is what it always was: md5 as Python has it, over the values in the table's order."""

import hashlib
from datetime import date

import duckdb
import pytest

from apps.core.contracts import Contract
from apps.standards.checks import macros_sql
from apps.warehouse.landing import rules
from tests.factories.warehouse import column

COLUMNS = (
    column("code", "编号", length=20),
    column("name", "名称", length=50),
    column("amount", "金额", "Y", length=12, scale=2),
    column("happened_on", "日期", "D"),
)
CONTRACT = Contract(dataset_id=1, code="307001/000001", columns=COLUMNS, key=("code",))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("A1", "渝中区", "12.50", "2026-01-31"), ("A1", "渝中区", "12.50", "2026-01-31")),
        (("A2", None, "3", None), ("A2", None, "3.00", None)),
        (("A3", "", "-0.5", "20260131"), ("A3", None, "-0.50", "2026-01-31")),
    ],
)
def test_it_is_sixty_bits_of_md5_over_the_values_with_their_places(
    row: tuple[str | None, ...], said: tuple[str | None, ...]
) -> None:
    names = [each.name for each in COLUMNS]
    with duckdb.connect() as engine:
        engine.execute(macros_sql(on=date(2026, 11, 18)))
        engine.execute(f"CREATE TABLE raw ({', '.join(f'{name} VARCHAR' for name in names)})")
        engine.execute("INSERT INTO raw VALUES (?, ?, ?, ?)", list(row))
        typed = rules.typed_select(CONTRACT, "raw")
        hashed = rules.row_hash(CONTRACT, names)
        found = engine.execute(f"SELECT {hashed} FROM ({typed}) AS typed").fetchone()
    text = "".join(f"\0{place}:{value}" for place, value in enumerate(said) if value is not None)
    digest = hashlib.md5(text.encode()).digest()
    assert found == (int.from_bytes(digest[:8], "little") >> 4,)
