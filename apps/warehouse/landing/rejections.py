"""Everything of a file that did not land, in the order of its records, whole and explained."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from apps.warehouse.landing.arrivals import Arrivals
from apps.warehouse.landing.reasons import record_reason, rule_reason

_AT_ONCE = 5_000
_GRAVEST_FIRST = ("rejected", "quarantine", "duplicate")
Explain = Callable[[int], list[dict[str, Any]]]
Finding = tuple[int, str, Explain]


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """kind: "rejected", "quarantine" or "duplicate"; raw: the record as it stands in the file."""

    kind: str
    number: int
    line: int
    raw: str
    reasons: list[dict[str, Any]]


def rejected_records(arrivals: Arrivals, *, most: int | None = None) -> Iterator[RejectedRecord]:
    """Yield what did not land, by record number; at most so many when `most` is given."""
    grouped = groupby(heapq.merge(*_findings(arrivals), key=itemgetter(0)), key=itemgetter(0))
    numbered = ((number, list(findings)) for number, findings in grouped)
    limited = islice(numbered, most)
    while chunk := dict(islice(limited, _AT_ONCE)):
        for record in arrivals.survey.index.find(list(chunk)):
            findings = chunk[record.number]
            line = arrivals.survey.line_of(record)
            kinds = {kind for _number, kind, _explain in findings}
            yield RejectedRecord(
                kind=next(kind for kind in _GRAVEST_FIRST if kind in kinds),
                number=record.number,
                line=line,
                raw=record.raw.decode(),
                reasons=[
                    reason for _number, _kind, explain in findings for reason in explain(line)
                ],
            )


def _findings(arrivals: Arrivals) -> list[Iterator[Finding]]:
    return [
        _unreadable(arrivals),
        _faulty(arrivals),
        _broken(arrivals),
        _by_code(arrivals.already_there(), "rejected", "key_exists"),
        _by_code(arrivals.repeated(), "duplicate", "duplicate_key"),
    ]


def _unreadable(arrivals: Arrivals) -> Iterator[Finding]:
    for record in arrivals.unreadable:
        yield record.number, "rejected", _of_record(record.code)


def _faulty(arrivals: Arrivals) -> Iterator[Finding]:
    for number in sorted(arrivals.survey.faults):
        yield number, "rejected", _of_record(*arrivals.survey.faults[number])


def _broken(arrivals: Arrivals) -> Iterator[Finding]:
    names = arrivals.reader.columns
    for number, places, values in arrivals.broken():
        texts = dict(zip(names, values, strict=True))
        broken = [(arrivals.rules[place], texts) for place in places]
        is_quarantine = all(rule.is_quarantine for rule, _texts in broken)
        yield number, "quarantine" if is_quarantine else "rejected", _of_rules(broken)


def _by_code(numbers: Iterator[int], kind: str, code: str) -> Iterator[Finding]:
    for number in numbers:
        yield number, kind, _of_record(code)


def _of_record(*codes: str) -> Explain:
    return lambda line: [record_reason(code, line) for code in codes]


def _of_rules(broken: list[tuple[Any, dict[str, str | None]]]) -> Explain:
    return lambda line: [rule_reason(rule, texts[rule.column.name], line) for rule, texts in broken]
