"""Data elements and code lists."""

from typing import Any

import factory

from apps.standards.models import CodeList, CodeListEntry, DataElement


class CodeListFactory(factory.django.DjangoModelFactory[CodeList]):
    """A code list; `codes` are its entries, code to meaning."""

    class Meta:
        model = CodeList
        skip_postgeneration_save = True

    code = factory.Sequence(lambda number: f"list-{number}")
    name = factory.Sequence(lambda number: f"测试代码集 {number}")

    @factory.post_generation
    def codes(self: Any, create: bool, extracted: dict[str, str] | None, **kwargs: Any) -> None:
        if create:
            for position, (code, name) in enumerate((extracted or {}).items()):
                CodeListEntry.objects.create(
                    code_list=self, code=code, name=name, position=position
                )


class DataElementFactory(factory.django.DjangoModelFactory[DataElement]):
    class Meta:
        model = DataElement

    code = factory.Sequence(lambda number: f"DE-{number:04d}")
    name = factory.Sequence(lambda number: f"测试数据元 {number}")
    column_name = factory.Sequence(lambda number: f"element_{number}")
    data_type = "C"
    length = 50
