"""What is carried out for many rows, so that one that cannot be done stops no other."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Model

from apps.core.errors import DomainError

RowT = TypeVar("RowT", bound=Model)
ResultT = TypeVar("ResultT")

logger = logging.getLogger(__name__)
_gathered: ContextVar[list[Exception] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathering() -> Iterator[list[Exception]]:
    """Gather what rows unexpectedly failed with, for a task that raises it when all is done."""
    failures: list[Exception] = []
    token = _gathered.set(failures)
    try:
        yield failures
    finally:
        _gathered.reset(token)


def each_by_itself(
    rows: Iterable[RowT], step: Callable[[RowT], ResultT]
) -> tuple[list[ResultT], list[DomainError]]:
    """Carry out a step, a transaction of its own, for every row; what fails waits for the next run.

    Return what came of those that were done, and why the others were not. What nobody foresaw is
    logged, and raised by the task that gathers it.

    Raises:
        ExceptionGroup: something unforeseen, after all rows, where no task gathers it.
    """
    results: list[ResultT] = []
    problems: list[DomainError] = []
    unforeseen: list[Exception] = []
    for row in list(rows):
        try:
            results.append(step(row))
        except DomainError as error:
            logger.warning("%s %s: %s", row._meta.label, row.pk, error)
            problems.append(error)
        except Exception as error:
            logger.exception("%s %s failed", row._meta.label, row.pk)
            unforeseen.append(error)
    gathered = _gathered.get()
    if gathered is not None:
        gathered += unforeseen
    elif unforeseen:
        raise ExceptionGroup("rows failed", unforeseen)
    return results, problems


@dataclass(frozen=True, slots=True)
class Tried(Generic[RowT]):
    """What became of one row of several: None where it was done, else why not."""

    row: RowT
    error: DomainError | None


def try_each(rows: Iterable[RowT], step: Callable[[RowT], object]) -> list[Tried[RowT]]:
    """Do it to each row that a person chose, each by itself, and say what became of it."""
    tried = []
    for row in rows:
        try:
            step(row)
            tried.append(Tried(row, None))
        except DomainError as error:
            tried.append(Tried(row, error))
    return tried
