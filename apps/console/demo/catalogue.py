"""Bring the city's 3,170 catalogue entries to life, as a city brings its old catalogue along.

They enter published, in bulk, with their versions and contracts; the entries of the story go
through every operation instead.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from apps.accounts.models import Department, InformationSystem
from apps.accounts.queries import platform_user
from apps.catalog import operations
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    DataItem,
    Dataset,
    DatasetAssessment,
    DatasetStatus,
    Grade,
    OpeningAttribute,
    SharingAttribute,
    UpdateCycle,
)
from apps.console.demo.city import STORY, DatasetPlan, ItemPlan, datasets, departments
from apps.core.copying import copy_in, remember
from apps.standards.models import DataElement

DEPARTMENTS_CLASS: Final = "307"  # 部门信息资源 · 省级及以下部门
CHUNK: Final = 500
TAKEN_OVER: Final = "既有目录转入"
DUTY_OF_KIND: Final = (("监督检查结果", "监督检查"), ("奖惩信息", "奖励"))


def load_catalogue(*, at: datetime) -> int:
    """Make every entry of the plan that is not there yet; return how many were made."""
    _load_classification()
    known = set(Dataset.objects.values_list("code", flat=True))
    missing = [plan for plan in datasets() if plan.code not in known and plan.name != STORY]
    for start in range(0, len(missing), CHUNK):
        _load(missing[start : start + CHUNK], at)
    return len(missing)


def _load_classification() -> None:
    parent = Classification.objects.get(code=DEPARTMENTS_CLASS)
    for plan in departments():
        Classification.objects.get_or_create(
            code=plan.classification,
            defaults={
                "name": plan.short_name,
                "level": Classification.Level.CATEGORY,
                "parent": parent,
            },
        )


def _load(plans: list[DatasetPlan], at: datetime) -> None:
    providers = Department.objects.in_bulk(field_name="code")
    classes = Classification.objects.in_bulk(field_name="code")
    systems = InformationSystem.objects.in_bulk(field_name="code")
    entries = [
        _dataset(plan, providers[plan.department], classes[plan.classification], systems, at)
        for plan in plans
    ]
    made = Dataset.objects.bulk_create(entries)
    standard = elements()
    copy_in(
        DataItem,
        [
            DataItem(
                dataset=dataset, position=position, **item_fields(item, dataset.key_items, standard)
            )
            for dataset, plan in zip(made, plans, strict=True)
            for position, item in enumerate(plan.items, start=1)
        ],
    )
    chosen = Dataset.objects.filter(pk__in=[dataset.pk for dataset in made])
    remember(Dataset, within=chosen, reason=TAKEN_OVER, at=at)
    items = DataItem.objects.filter(dataset__in=chosen)
    remember(DataItem, within=items, reason=TAKEN_OVER, at=at)
    _assess(made, at)
    operations.take_over(datasets=made, actor=platform_user(), at=at)


def _dataset(
    plan: DatasetPlan,
    provider: Department,
    classification: Classification,
    systems: dict[str, InformationSystem],
    at: datetime,
) -> Dataset:
    conditional = plan.sharing == SharingAttribute.CONDITIONAL
    published_at = at - timedelta(days=30 + (plan.sequence * 37 + len(plan.name) * 11) % 700)
    return Dataset(
        code=plan.code,
        name=plan.name,
        department=provider,
        internal_unit="信息中心",
        abstract=plan.abstract,
        classification=classification,
        sharing_attribute=plan.sharing,
        sharing_scope="本市各级政务部门" if conditional else "",
        sharing_condition="仅用于履行法定职责，不得转交第三方" if conditional else "",
        opening_attribute=(
            OpeningAttribute.NOT_OPENED if conditional else OpeningAttribute.UNCONDITIONAL
        ),
        update_cycle=UpdateCycle(plan.cycle),
        release_on=timezone.localdate(published_at),
        holds_no_secrets=True,
        legal_duty=_legal_duty(plan, provider),
        service_item=f"{plan.topic}办理",
        system=systems.get(plan.system),
        grade=_grade(plan),
        contains_personal=plan.is_personal,
        contains_sensitive=plan.is_sensitive,
        themes=[plan.topic],
        contact_name=f"{provider.short_name}数据专员",
        contact_phone="023-12345678",
        key_items=list(plan.key),
        status=DatasetStatus.PUBLISHED,
        submitted_at=published_at - timedelta(days=1),
        published_at=published_at,
        created_at=published_at - timedelta(days=3),
        updated_at=published_at,
    )


def _legal_duty(plan: DatasetPlan, provider: Department) -> str:
    """The duty to administer the topic, and the one of which records of this kind come."""
    duties = [f"{provider.short_name}三定规定 · {plan.topic}管理"]
    duties += [f"{plan.topic}{duty}" for kind, duty in DUTY_OF_KIND if plan.name.endswith(kind)]
    return "、".join(duties)


def _grade(plan: DatasetPlan) -> str:
    if plan.is_sensitive:
        return Grade.THREE
    return Grade.TWO if plan.sharing == SharingAttribute.CONDITIONAL else Grade.ONE


def elements() -> dict[str, DataElement]:
    """Return the standard items by the column that they are usually kept in."""
    return {
        element.column_name: element for element in DataElement.objects.select_related("code_list")
    }


def item_fields(
    plan: ItemPlan, key: Collection[str], standard: Mapping[str, DataElement]
) -> dict[str, Any]:
    """Return the fields of the planned item, by name; it follows a standard where there is one."""
    element = standard.get(plan.column)
    return {
        "name": plan.label,
        "column_name": plan.column,
        "data_type": plan.type,
        "length": plan.length,
        "scale": 2 if plan.type in {"N", "Y"} else None,
        "required": plan.column in key,
        "value_check": plan.check,
        "mask": plan.mask,
        "personal": bool(plan.privacy),
        "sensitive": plan.privacy == "sensitive",
        "data_element": element,
        "code_list": element and element.code_list,
    }


def _assess(made: list[Dataset], at: datetime) -> None:
    kinds = [
        (dataset, kind)
        for dataset in made
        for kind in AssessmentKind
        if kind == AssessmentKind.SECRECY or dataset.contains_personal
    ]
    DatasetAssessment.objects.bulk_create(
        DatasetAssessment(
            dataset=dataset,
            kind=kind,
            conclusion=Conclusion.PASSED,
            assessed_on=timezone.localdate(dataset.created_at),
            assessor=f"{dataset.department.short_name}保密审查小组",
            recorded_at=at,
        )
        for dataset, kind in kinds
    )
