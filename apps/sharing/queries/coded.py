"""Values of coded items: what a condition may name, and how codes are called."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from apps.catalog import queries as catalog
from apps.catalog.models import Dataset
from apps.core import conditions
from apps.core.conditions import Condition
from apps.core.contracts import Column
from apps.core.errors import InvalidInput
from apps.standards.models import CodeListEntry
from apps.standards.queries import names_by_list

MOST_OFFERED: Final = 500


def refuse_unknown_codes(dataset: Dataset, entries: Iterable[dict[str, Any]]) -> None:
    """Refuse conditions that no record can meet, because they name what is no code.

    Raises:
        InvalidInput: `unknown_code`; who wrote the name of a code is told the code.
    """
    columns = catalog.contract_of(dataset).columns
    known = {column.name: column for column in columns}
    for condition in conditions.parse(entries, columns):
        refuse_unknown_code(dataset, condition, known[condition.item])


def refuse_unknown_code(dataset: Dataset, condition: Condition, column: Column) -> None:
    """Refuse one condition as `refuse_unknown_codes` does.

    Codes that ended are codes: records under them may be there still. So are those that came since
    the entry was published.

    Raises:
        InvalidInput: `unknown_code`.
    """
    strange = conditions.not_among_codes(condition, column)
    if not strange:
        return
    lists = dataset.items.filter(column_name=column.name).values("code_list")
    entries = CodeListEntry.objects.filter(code_list__in=lists)
    codes = dict(entries.values_list("code", "name"))
    wrong = next((value for value in strange if value not in codes), None)
    if wrong is None:
        return
    meant = next((code for code, name in codes.items() if name == wrong), None)
    words = {"item": column.label, "value": wrong, "code": meant, "such": next(iter(codes), "")}
    text = _("“%(value)s”不是“%(item)s”的代码，代码写法如 %(such)s")
    if meant is not None:
        text = _("“%(value)s”是名称，“%(item)s”按代码比较，写 %(code)s")
    raise InvalidInput(text % words, code="unknown_code", field="row_condition", item=column.name)


def offered_codes(dataset: Dataset, at: datetime) -> dict[str, list[tuple[str, str]]]:
    """Return column name → (code, what it means) of the items with lists short enough to offer."""
    coded = dict(dataset.items.exclude(code_list=None).values_list("column_name", "code_list_id"))
    names = names_by_list(set(coded.values()), on=timezone.localdate(at))
    return {
        column: list(names[code_list].items())
        for column, code_list in coded.items()
        if len(names[code_list]) <= MOST_OFFERED
    }
