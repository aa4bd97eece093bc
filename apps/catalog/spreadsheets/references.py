"""What cells point to: departments, systems, classes, standards; read once for a whole file."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from apps.accounts.models import Department, InformationSystem
from apps.catalog.models import Classification
from apps.catalog.surroundings import significant
from apps.standards.models import CodeList, DataElement


@dataclass(slots=True)
class References:
    """Everything by what people may write for it; values are codes, as snapshots keep them.

    former, system_codes: what an entry may still point to though nobody may choose it anew.
    """

    departments: dict[str, Department] = field(default_factory=dict)
    department_by_id: dict[int, Department] = field(default_factory=dict)
    former: frozenset[str] = frozenset()
    systems: dict[tuple[int, str], InformationSystem] = field(default_factory=dict)
    system_codes: frozenset[str] = frozenset()
    system_names: dict[int, frozenset[str]] = field(default_factory=dict)
    classes: dict[str, Classification] = field(default_factory=dict)
    children: dict[str, dict[str, str]] = field(default_factory=dict)
    elements: dict[str, DataElement] = field(default_factory=dict)
    code_lists: dict[str, CodeList] = field(default_factory=dict)

    @classmethod
    def load(cls) -> "References":
        """Read it all, in six statements."""
        references = cls()
        departments = list(Department.objects.all())
        references._load_departments([each for each in departments if each.valid_to is None])
        references.former = frozenset(each.code for each in departments if each.valid_to)
        references._load_systems(InformationSystem.objects.all())
        references._load_classes(Classification.objects.select_related("parent"))
        for element in DataElement.objects.select_related("code_list").order_by("-code"):
            for word in (element.name, element.code):
                references.elements[significant(word)] = element
        for code_list in CodeList.objects.order_by("-code"):
            for word in (code_list.name, code_list.code):
                references.code_lists[significant(word)] = code_list
        return references

    def _load_departments(self, departments: Iterable[Department]) -> None:
        for department in departments:
            self.department_by_id[department.pk] = department
            for word in (department.short_name, department.name, department.code, department.uscc):
                if word:
                    self.departments[significant(word)] = department

    def _load_systems(self, systems: Iterable[InformationSystem]) -> None:
        names: dict[int, set[str]] = {}
        codes = set()
        for system in systems:
            codes.add(system.code)
            names.setdefault(system.department_id, set()).add(significant(system.name))
            for word in (system.name, system.code):
                self.systems[system.department_id, significant(word)] = system
        self.system_codes = frozenset(codes)
        self.system_names = {key: frozenset(found) for key, found in names.items()}

    def _load_classes(self, classes: Iterable[Classification]) -> None:
        for node in classes:
            self.classes[node.code] = node
            above = node.parent.code if node.parent else ""
            words = self.children.setdefault(above, {})
            own = node.code.removeprefix(above)
            for word in (node.name, own, node.code, f"{own}{node.name}", f"{node.code}{node.name}"):
                words.setdefault(significant(word), node.code)
