"""What one successor takes over."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.db.models import ForeignKey, Model

from apps.accounts.models import Department
from apps.accounts.pointers import Pointer


@dataclass
class Share:
    """What one successor takes over: keys per pointer, and rights on objects per model."""

    successor: Department
    keys: dict[Pointer, set[Any]] = field(default_factory=lambda: defaultdict(set))
    rights_moved: dict[type[Model], set[Any]] = field(default_factory=lambda: defaultdict(set))
    rights_copied: dict[type[Model], set[Any]] = field(default_factory=lambda: defaultdict(set))

    def keys_of(self, model: type[Model]) -> set[Any]:
        found = (keys for pointer, keys in self.keys.items() if pointer.model is model)
        return set().union(*found)

    def models(self) -> list[type[Model]]:
        return sorted({pointer.model for pointer in self.keys}, key=lambda model: model._meta.label)


def keys_to(model: type[Model], target: type[Model]) -> list[str]:
    return [
        key.name
        for key in model._meta.concrete_fields
        if isinstance(key, ForeignKey) and key.related_model is target and target is not Department
    ]
