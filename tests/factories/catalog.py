"""Catalogue entries with items: drafts, and entries in force for the tests of higher apps."""

from datetime import UTC, date, datetime
from typing import Any

import factory

from apps.catalog.contracts import draw_up_contract
from apps.catalog.models import (
    Classification,
    DataItem,
    Dataset,
    DatasetAssessment,
    DatasetVersion,
)
from apps.catalog.operations import refresh
from tests.factories.accounts import DepartmentFactory

LONG_AGO = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)

# column, label, type, length, required, and what else differs from the model's defaults
Item = tuple[str, str, str, int | None, bool, dict[str, Any]]
PERSONS: tuple[Item, ...] = (
    (
        "identity_number",
        "公民身份号码",
        "C",
        18,
        True,
        {"value_check": "identity_number", "mask": "cover_identity"}
        | {"personal": True, "sensitive": True},
    ),
    ("name", "姓名", "C", 50, True, {"mask": "cover_name", "personal": True}),
    ("division_code", "行政区划代码", "C", 12, False, {"value_check": "division_code"}),
    ("registered_on", "登记日期", "D", None, False, {}),
    ("amount", "补助金额", "Y", 12, False, {"scale": 2}),
)


class ClassificationFactory(factory.django.DjangoModelFactory[Classification]):
    """A node with what its code says: its level, and the nodes above it."""

    class Meta:
        model = Classification
        django_get_or_create = ("code",)

    code = "307001"
    name = "测试分类"
    level = factory.LazyAttribute(lambda node: {1: 1, 3: 2, 6: 3}.get(len(node.code), 4))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        code = kwargs["code"]
        above = {1: 0, 3: 1, 6: 3}.get(len(code), 6)
        parent = ClassificationFactory(code=code[:above]) if above else None
        return super()._create(model_class, *args, **{"parent": parent, **kwargs})


class DatasetFactory(factory.django.DjangoModelFactory[Dataset]):
    """A complete draft about persons, lacking only its assessments.

    `items`: rows of `PERSONS`' shape, `()` for none.
    """

    class Meta:
        model = Dataset
        skip_postgeneration_save = True

    code = factory.Sequence(lambda number: f"307001/{number + 1:06d}")
    name = factory.Sequence(lambda number: f"困难群众救助信息 {number}")
    department = factory.SubFactory(DepartmentFactory)
    classification = factory.SubFactory(ClassificationFactory)
    abstract = "领取救助的困难群众的基本信息"
    holds_no_secrets = True
    contains_personal = True
    contains_sensitive = True
    grade = "3"
    sharing_attribute = "conditional"
    sharing_scope = "承担救助职责的部门"
    sharing_condition = "仅用于核对救助资格"
    key_items = factory.LazyFunction(lambda: ["identity_number"])
    contact_name = "测试联系人"
    contact_phone = "023-60000000"
    created_at = LONG_AGO
    updated_at = LONG_AGO

    @factory.post_generation
    def items(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            rows = PERSONS if extracted is None else extracted
            for position, (column, label, kind, length, required, more) in enumerate(rows, 1):
                DataItem.objects.create(
                    dataset=self,
                    position=position,
                    column_name=column,
                    name=label,
                    data_type=kind,
                    length=length,
                    required=required,
                    **more,
                )

    @factory.post_generation
    def indexed(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            refresh(self, at=LONG_AGO)


class PublishedDatasetFactory(DatasetFactory):
    """An entry in force with its version 1, for tests that do not ask how it got there."""

    status = "published"
    published_at = LONG_AGO
    release_on = date(2026, 1, 5)

    @factory.post_generation
    def version(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create:
            DatasetVersion.objects.create(
                dataset=self,
                number=1,
                contract=draw_up_contract(self, on=LONG_AGO.date()).to_json(),
                snapshot={},
                published_at=LONG_AGO,
            )


class DatasetAssessmentFactory(factory.django.DjangoModelFactory[DatasetAssessment]):
    class Meta:
        model = DatasetAssessment

    dataset = factory.SubFactory(DatasetFactory)
    kind = "secrecy"
    conclusion = "passed"
    assessed_on = date(2026, 1, 4)
    assessor = "保密办公室"
    recorded_at = LONG_AGO
