"""Whatever arrives, the balance adds up and the table is what a few lines of Python say it is."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.warehouse.models import Batch
from tests.factories.warehouse import column, landed, published
from tests.warehouse.conftest import Rows

pytestmark = pytest.mark.django_db

EXAMPLES = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
COLUMNS = (
    column("code", "编号", length=4, required=True, normalise=()),
    column("words", "内容", "M", normalise=()),
    column("grade", "等级", codes=("甲", "乙"), normalise=()),
)
# NUL and stray carriage returns are faults of their own and tested as such.
WORDS = st.text(
    st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])
    | st.sampled_from('",\n 汉'),
    max_size=12,
)
CODES = st.sampled_from(["a", "b", "c", "d", "汉", " e", "", "太长的编号"])
ROWS = st.lists(
    st.tuples(CODES, WORDS, st.sampled_from(["甲", "乙", "", "丙"])), min_size=1, max_size=12
)
MODES = st.sampled_from(["append", "upsert", "snapshot", "delete"])
Row = tuple[str, str, str]
State = dict[str, tuple[str | None, str | None]]


@dataclass
class Expected:
    """What a batch must do to a state."""

    state: State
    rejected: int
    duplicate: int
    deleted: int


def expect(before: State, arrived: list[Row], mode: str) -> Expected:
    sound = [row for row in arrived if is_sound(row, only_key=mode == "delete")]
    last: State = {code: (words or None, grade or None) for code, words, grade in sound}
    duplicate, rejected = len(sound) - len(last), len(arrived) - len(sound)
    after = dict(before)
    if mode == "delete":
        after = {code: row for code, row in before.items() if code not in last}
        return Expected(after, rejected, duplicate, len(before) - len(after))
    if mode == "append":
        rejected += sum(code in before and before[code] != row for code, row in last.items())
        return Expected(last | before, rejected, duplicate, 0)
    if mode == "snapshot":
        named = {code for code, _words, _grade in arrived}
        after = {code: row for code, row in before.items() if code in named}
    return Expected(after | last, rejected, duplicate, len(before) - len(after))


def is_sound(row: Row, *, only_key: bool) -> bool:
    code, _words, grade = row
    return 0 < len(code) <= 4 and (only_key or grade != "丙")


def written(rows: list[Row], quoting: Any) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=quoting, lineterminator="\n")
    writer.writerow(["code", "words", "grade"])
    writer.writerows(rows)
    return buffer.getvalue()


def adds_up(batch: Batch) -> bool:
    parts = batch.landed + batch.changed + batch.unchanged + batch.duplicate + batch.rejected
    return batch.declared == parts


@EXAMPLES
@given(
    batches=st.lists(st.tuples(MODES, ROWS), min_size=1, max_size=3),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_modes_do_what_they_say(
    provider: Any,
    provider_department: Any,
    rows: Rows,
    batches: list[tuple[str, list[Row]]],
    quoting: Any,
) -> None:
    dataset = published(*COLUMNS, department=provider_department)
    state: State = {}
    for number, (mode, arrived) in enumerate(batches):
        wanted = expect(state, arrived, mode)
        # A number at the end of the name keeps no file from being looked at again.
        content = written(arrived, quoting) + "\n" * number
        batch = landed(dataset, content, actor=provider, mode=mode)
        assert batch.status == "landed", (batch.message_code, batch.message)
        assert batch.declared == len(arrived)
        assert adds_up(batch)
        assert (batch.rejected, batch.duplicate, batch.deleted) == (
            wanted.rejected,
            wanted.duplicate,
            wanted.deleted,
        )
        state = wanted.state
        found = {
            code: (words, grade) for code, words, grade in rows(dataset, "code", "words", "grade")
        }
        assert found == state
        numbers = list(batch.rejections.values_list("record_number", flat=True))
        assert len(numbers) >= batch.rejected
        assert set(numbers) <= set(range(1, len(arrived) + 1))


@EXAMPLES
@given(
    rows_sent=ROWS,
    damage=st.lists(
        st.tuples(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)), max_size=4
    ),
)
def test_a_damaged_file_lands_whole_or_is_refused_in_words(
    provider: Any,
    provider_department: Any,
    rows_sent: list[Row],
    damage: list[tuple[int, bytes, int]],
) -> None:
    """Bytes put in and cut out anywhere: no exception, no record without an account."""
    content = bytearray(written(rows_sent, csv.QUOTE_MINIMAL).encode())
    for place, put_in, cut_out in damage:
        at = place % (len(content) + 1)
        content[at : at + cut_out] = put_in
    dataset = published(*COLUMNS, department=provider_department)
    batch = landed(dataset, bytes(content), actor=provider)
    assert batch.status in ("landed", "refused"), batch.status
    if batch.status == "refused":
        assert batch.message_code
        assert batch.message
        return
    assert adds_up(batch)
    assert batch.rejections.filter(kind="rejected").count() == batch.rejected
