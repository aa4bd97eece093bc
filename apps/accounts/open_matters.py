"""What a person still owes: it is handed over before the account can be disabled."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.accounts.pointers import Pointer, pointers_to_people

EXAMPLES = 5


@dataclass(frozen=True)
class OpenMatter:
    """The open rows of one model that name a person in one field, with labels for the eyes."""

    pointer: Pointer
    label: str
    part: str
    rows: QuerySet[Any]
    count: int

    @property
    def model_label(self) -> str:
        return self.pointer.model._meta.label

    def examples(self) -> list[str]:
        return [str(row) for row in self.rows[:EXAMPLES]]


def open_matters(user: User) -> list[OpenMatter]:
    """Return everything open that names the person, per model and field."""
    found = []
    for pointer in pointers_to_people():
        rows = pointer.rows(user)
        count = rows.count()
        if count:
            field = pointer.model._meta.get_field(pointer.field)
            label = str(pointer.model._meta.verbose_name_plural)
            part = str(getattr(field, "verbose_name", pointer.field))
            found.append(OpenMatter(pointer, label, part, rows, count))
    return found
