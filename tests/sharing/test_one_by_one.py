"""Periodic work: what cannot be done for one row, or in one step, stops no other."""

from datetime import datetime
from functools import partial

import pytest

from apps.accounts.models import Department
from apps.core.errors import Conflict
from apps.sharing.operations.one_by_one import each_by_itself
from apps.sharing.tasks import all_in_turn
from tests.factories.accounts import DepartmentFactory


@pytest.mark.django_db
def test_one_that_cannot_be_done_stops_no_other() -> None:
    rows = [DepartmentFactory() for _number in range(3)]

    def step(row: Department) -> int:
        if row == rows[1]:
            raise Conflict("正在被占用")
        return row.pk

    done, problems = each_by_itself(rows, step)
    assert done == [rows[0].pk, rows[2].pk]
    assert [str(problem) for problem in problems] == ["正在被占用"]


@pytest.mark.django_db
def test_what_nobody_foresaw_of_a_row_stops_no_other_and_fails_the_job(at: datetime) -> None:
    rows = [DepartmentFactory() for _number in range(3)]
    done: list[int] = []

    def step(row: Department) -> None:
        if row == rows[0]:
            raise ZeroDivisionError
        if row == rows[1]:
            raise Conflict("正在被占用")
        done.append(row.pk)

    def carry_out(at: datetime) -> None:
        _done, problems = each_by_itself(rows, step)
        done.append(len(problems))

    with pytest.raises(ExceptionGroup) as failure:
        all_in_turn([carry_out, lambda _at: done.append(0)], at)
    assert done == [rows[2].pk, 1, 0]
    assert [type(error) for error in failure.value.exceptions] == [ZeroDivisionError]

    with pytest.raises(ExceptionGroup):
        each_by_itself(rows, step)


def test_a_step_that_failed_is_told_after_the_others_were_taken(at: datetime) -> None:
    taken: list[str] = []

    def step(name: str, at: datetime) -> None:
        taken.append(name)
        if name == "second":
            raise ValueError(name)

    with pytest.raises(ExceptionGroup) as failure:
        all_in_turn([partial(step, name) for name in ("first", "second", "third")], at)
    assert taken == ["first", "second", "third"]
    assert [str(error) for error in failure.value.exceptions] == ["second"]
