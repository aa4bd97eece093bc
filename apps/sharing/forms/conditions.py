"""The builder of row conditions: lines of item, operator and value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import conditions
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.sharing.queries.coded import offered_codes, refuse_unknown_code

OPERATORS: Final[dict[str, str | Promise]] = {
    "eq": _("等于"),
    "in": _("属于"),
    "prefix": _("开头是"),
    "gte": _("不小于（不早于）"),
    "lte": _("不大于（不晚于）"),
    "gt": _("大于（晚于）"),
    "lt": _("小于（早于）"),
    "is_null": _("为空"),
}
MOST_LINES: Final = 12


@dataclass
class ConditionLine:
    """One line as typed; `error` says what is wrong with it."""

    number: int
    item: str = ""
    operator: str = "eq"
    value: str = ""
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return not self.item and not self.value


class ConditionLines:
    """The lines of a form; blank ones are left out, everything typed is kept.

    data: the posted fields `item-0`, `operator-0`, `value-0`, …; None shows `initial`.
    dataset: whose coded items offer their codes while a value is typed.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        initial: Sequence[dict[str, Any]] = (),
        data: Mapping[str, Any] | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        self.columns = columns
        self.dataset = dataset
        self.operators = OPERATORS.items()
        self.lines = self._typed(data) if data is not None else self._stored(initial)
        if data is None or "add_line" in data or not self.lines:
            self._add_blank()

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        *,
        initial: Sequence[dict[str, Any]] = (),
        data: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return the lines over a dataset's items; coded ones offer their codes."""
        columns = catalog.contract_of(dataset).columns
        return cls(columns, initial=initial, data=data, dataset=dataset)

    def is_valid(self) -> bool:
        """Check every line that is not blank, and write its fault beside it."""
        known = {column.name: column for column in self.columns}
        for line in self.filled:
            try:
                if line.item not in known:
                    raise InvalidInput(_("选择数据项"))
                column = known[line.item]
                parsed = conditions.parse_one(column, line.operator, self._value(line))
                if self.dataset is not None:
                    refuse_unknown_code(self.dataset, parsed, column)
            except InvalidInput as error:
                line.error = str(error)
        return not self.errors

    @property
    def filled(self) -> list[ConditionLine]:
        return [line for line in self.lines if not line.is_blank]

    @property
    def errors(self) -> list[ConditionLine]:
        return [line for line in self.lines if line.error]

    def codes(self) -> dict[str, list[tuple[str, str]]]:
        """Return what coded items may be compared with: column name → (code, meaning)."""
        return offered_codes(self.dataset, timezone.now()) if self.dataset else {}

    def as_json(self) -> list[dict[str, Any]]:
        """Return the conditions as operations take them."""
        return [
            {"item": line.item, "operator": line.operator, "value": self._value(line)}
            for line in self.filled
        ]

    def _value(self, line: ConditionLine) -> str:
        # Chinese commas and the enumeration comma are what people type.
        if line.operator == "in":
            return line.value.replace("，", ",").replace("、", ",")
        if line.operator == "is_null":
            return {"": "true", "是": "true", "否": "false"}.get(line.value.strip(), line.value)
        return line.value.strip()

    def _typed(self, data: Mapping[str, Any]) -> list[ConditionLine]:
        numbers = range(MOST_LINES)
        lines = [
            ConditionLine(
                number,
                str(data.get(f"item-{number}", "")),
                str(data.get(f"operator-{number}", "eq")),
                str(data.get(f"value-{number}", "")),
            )
            for number in numbers
        ]
        return [line for line in lines if not line.is_blank]

    def _stored(self, initial: Sequence[dict[str, Any]]) -> list[ConditionLine]:
        return [
            ConditionLine(number, entry["item"], entry["operator"], _as_text(entry["value"]))
            for number, entry in enumerate(initial)
        ]

    def _add_blank(self) -> None:
        if len(self.lines) < MOST_LINES:
            following = max((line.number for line in self.lines), default=-1) + 1
            free = next(
                number
                for number in [*range(following, MOST_LINES), *range(MOST_LINES)]
                if number not in {line.number for line in self.lines}
            )
            self.lines.append(ConditionLine(free))


def _as_text(value: Any, joint: str = ",") -> str:
    if isinstance(value, bool):
        return str(_("是") if value else _("否"))
    if isinstance(value, list | tuple):
        return joint.join(str(part) for part in value)
    return str(value)
