"""Register claims of speed, run them, print them as a table and keep them as JSON.

    @claim("warehouse.land_new", target="<= 1.6")
    def land_new() -> Measurement:
        return Measurement(ours / theirs, {"rows": 1_000_000})

`python -m tests.benchmarks [part]` runs them in a database of their own; the part of a claim is
what stands before the point of its name. Results of parts that did not run are kept.
"""

import json
import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Measurement:
    """ratio: what the target speaks of; detail: the figures it comes from, units in their names."""

    ratio: float
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """name: "part.what"; target: an operator and a number, as "<= 1.6".

    It is chosen by its name, its part, or the file that it stands in: `warehouse` or `landing`.
    """

    name: str
    target: str
    measure: Callable[[], Measurement]

    @property
    def part(self) -> str:
        return self.name.partition(".")[0]

    @property
    def names(self) -> set[str]:
        return {self.name, self.part, self.measure.__module__.rpartition(".test_")[2]}

    def is_met(self, ratio: float) -> bool:
        sign, number = self.target.split()
        return _OPERATORS[sign](ratio, float(number))


registry: dict[str, Claim] = {}


def claim(
    name: str, *, target: str
) -> Callable[[Callable[[], Measurement]], Callable[[], Measurement]]:
    """Register a measurement under the name of the claim that it proves."""

    def register(measure: Callable[[], Measurement]) -> Callable[[], Measurement]:
        if name in registry:
            raise ValueError(f"{name} is claimed twice")
        registry[name] = Claim(name, target, measure)
        return measure

    return register


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(only: Sequence[str], report: Path) -> bool:
    """Measure the claims of these parts or files (all when none is named); say if all are met."""
    chosen = [known for known in registry.values() if not only or known.names & {*only}]
    results = []
    for known in chosen:
        print(f"… {known.name}", flush=True)
        results.append(_result(known))
        keep(results[-1:], report)  # what was measured is kept, whatever comes after
    print(table(results))
    return all(result["met"] for result in results)


def _result(known: Claim) -> dict[str, Any]:
    measured = known.measure()
    return {
        "claim": known.name,
        "ratio": round(measured.ratio, 3),
        "target": known.target,
        "met": known.is_met(measured.ratio),
        "detail": measured.detail,
    }


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the results as lines of text, one claim each, its figures below."""
    width = max((len(result["claim"]) for result in results), default=0)
    lines = [f"{'claim':<{width}}  {'ratio':>7}  {'target':>8}  met"]
    for result in results:
        met = "yes" if result["met"] else "NO"
        lines.append(
            f"{result['claim']:<{width}}  {result['ratio']:>7.2f}  {result['target']:>8}  {met}"
        )
        figures = ", ".join(f"{name} {value}" for name, value in result["detail"].items())
        if figures:
            lines.append(f"{'':<{width}}  {figures}")
    return "\n".join(lines)


def keep(results: Sequence[dict[str, Any]], report: Path) -> None:
    """Write the results into the report, over those of the same claims."""
    known: dict[str, dict[str, Any]] = {}
    if report.exists():
        known = {kept["claim"]: kept for kept in json.loads(report.read_text("utf-8"))}
    known |= {result["claim"]: result for result in results}
    report.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([known[name] for name in sorted(known)], ensure_ascii=False, indent=2)
    report.write_text(text + "\n", "utf-8")
