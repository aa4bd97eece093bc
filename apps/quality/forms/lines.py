"""Lines of a rule's form: conditions on a row, and pairs of columns of two tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from apps.core.contracts import Column
from apps.quality.wording import COMPARISONS

MOST_LINES: Final = 10
TRUTHS: Final = {"": True, "是": True, "true": True, "否": False, "false": False}


@dataclass
class ConditionLine:
    """One condition as typed: item, operator, and a value or another column."""

    number: int
    item: str = ""
    operator: str = "eq"
    value: str = ""
    other: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.item or self.value or self.other)


class ConditionLines:
    """The conditions under one name (`when`, `then`); blank ones are left out.

    data: the posted fields `then-item-0`, `then-operator-0`, …; None shows `initial`.
    """

    def __init__(
        self,
        name: str,
        columns: Sequence[Column],
        *,
        initial: Sequence[Mapping[str, Any]] = (),
        data: Mapping[str, Any] | None = None,
        blank: int = 1,
    ) -> None:
        self.name = name
        self.columns = columns
        self.operators = COMPARISONS.items()
        lines = self._typed(data) if data is not None else self._stored(initial)
        self.filled = [line for line in lines if not line.is_blank]
        free = max(0, min(blank, MOST_LINES - len(self.filled)))
        self.lines = [
            *self.filled,
            *(ConditionLine(number) for number in range(len(self.filled), len(self.filled) + free)),
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """Return the conditions as `apps.quality.parameters` takes them."""
        return [self._json(line) for line in self.filled]

    def _json(self, line: ConditionLine) -> dict[str, Any]:
        told: dict[str, Any] = {"item": line.item, "operator": line.operator}
        value = line.value.strip()
        if line.operator == "is_null":
            return {**told, "value": TRUTHS.get(value, value)}
        if line.other and not value:
            return {**told, "other": line.other}
        if line.operator == "in":
            # Chinese commas and the enumeration comma are what people type.
            parts = value.replace("，", ",").replace("、", ",").split(",")
            return {**told, "value": [part.strip() for part in parts if part.strip()]}
        return {**told, "value": value}

    def _typed(self, data: Mapping[str, Any]) -> list[ConditionLine]:
        found: list[ConditionLine] = []
        for number in range(MOST_LINES):
            told = {
                part: str(data.get(f"{self.name}-{part}-{number}", "")).strip()
                for part in ("item", "operator", "value", "other")
            }
            line = ConditionLine(len(found), **{**told, "operator": told["operator"] or "eq"})
            if not line.is_blank:
                found.append(line)
        return found

    def _stored(self, initial: Sequence[Mapping[str, Any]]) -> list[ConditionLine]:
        return [
            ConditionLine(
                number,
                str(one["item"]),
                str(one["operator"]),
                _as_text(one.get("value")),
                str(one.get("other", "")),
            )
            for number, one in enumerate(initial)
        ]


@dataclass
class PairLine:
    number: int
    own: str = ""
    theirs: str = ""


class PairLines:
    """Pairs of an own column and one of the other table, under one name (`match`, `same`)."""

    def __init__(
        self,
        name: str,
        own: Sequence[Column],
        theirs: Sequence[Column],
        *,
        initial: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.own = own
        self.theirs = theirs
        if data is not None:
            typed = [
                (
                    str(data.get(f"{name}-own-{number}", "")),
                    str(data.get(f"{name}-theirs-{number}", "")),
                )
                for number in range(MOST_LINES)
            ]
        else:
            typed = list((initial or {}).items())
        self.filled = [
            PairLine(number, *pair)
            for number, pair in enumerate(pair for pair in typed if all(pair))
        ]
        self.lines = [*self.filled, PairLine(len(self.filled))]

    def as_json(self) -> dict[str, str]:
        return {line.own: line.theirs for line in self.filled}


def _as_text(value: Any) -> str:
    match value:
        case None | True:
            return ""
        case False:
            return "否"
        case list():
            return "，".join(str(part) for part in value)
        case _:
            return str(value)
