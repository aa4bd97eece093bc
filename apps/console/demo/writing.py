"""Entries written by hand, through the operations of the screens; a few are left on their way."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Department, InformationSystem, User
from apps.catalog import operations as catalog
from apps.catalog.models import (
    AssessmentKind,
    Classification,
    Conclusion,
    Dataset,
    Grade,
    OpeningAttribute,
    SharingAttribute,
)
from apps.console.demo.catalogue import elements, item_fields
from apps.console.demo.city import DatasetPlan, datasets
from apps.console.demo.people import clerk_and_head

# department, the entry whose shape it has, its own name, where it stands
UNDERWAY: Final = (
    ("D008", "临时救助基本信息", "临时救助金发放明细", "draft"),
    ("D008", "养老机构基本信息", "养老机构床位使用情况", "awaiting_head"),
    ("D008", "慈善组织基本信息", "慈善组织年度捐赠收支", "submitted"),
    ("D008", "留守儿童基本信息", "留守儿童关爱服务记录", "returned"),
    ("D003", "学籍基本信息", "学生资助发放信息", "awaiting_head"),
    ("D003", "学籍基本信息", "校外培训机构学员缴费信息", "submitted"),
    ("D021", "医疗机构基本信息", "互联网医院备案信息", "submitted"),
)


def load_underway(*, at: datetime) -> None:
    """Write the entries that are still on their way to publication."""
    plans = {plan.name: plan for plan in datasets()}
    for days, (department, shape, name, until) in enumerate(UNDERWAY, start=2):
        if Dataset.objects.filter(name=name, department__code=department).exists():
            continue
        plan = replace(plans[shape], name=name)
        with transaction.atomic():
            _walk(plan, department, until, morning(at, days))


def morning(at: datetime, days: int) -> datetime:
    """Return the beginning of an office day, so many days before."""
    local = timezone.localtime(at) - timedelta(days=days)
    return local.replace(hour=9, minute=10, second=0, microsecond=0)


def _walk(plan: DatasetPlan, department: str, until: str, at: datetime) -> None:
    editor, head = clerk_and_head(Department.objects.get(code=department))
    dataset = write_entry(plan, actor=editor, at=at)
    if until == "draft":
        return
    assess(dataset, actor=editor, at=at)
    catalog.submit(dataset=dataset, actor=editor, at=at + timedelta(hours=2))
    if until == "awaiting_head":
        return
    catalog.approve(dataset=dataset, actor=head, at=at + timedelta(hours=6))
    if until == "returned":
        officer = User.objects.get(username="authority")
        catalog.send_back(
            dataset=dataset,
            actor=officer,
            at=at + timedelta(hours=25),
            reason="共享条件过窄：请对照三定规定写明可以使用的部门和场景。",
        )


def write_entry(plan: DatasetPlan, *, actor: User, at: datetime, **details: Any) -> Dataset:
    """Enter a draft of the plan's shape, as the department's clerk would type it."""
    conditional = plan.sharing == SharingAttribute.CONDITIONAL
    fields: dict[str, Any] = {
        "name": plan.name,
        "abstract": f"{plan.name}，供各部门办理业务时核验和分析使用。",
        "sharing_attribute": plan.sharing,
        "sharing_scope": "本市各级政务部门" if conditional else "",
        "sharing_condition": "仅用于履行法定职责，不得转交第三方" if conditional else "",
        "opening_attribute": OpeningAttribute.NOT_OPENED,
        "update_cycle": plan.cycle,
        "holds_no_secrets": True,
        "legal_duty": f"{plan.topic}管理",
        "service_item": f"{plan.topic}办理",
        "system": InformationSystem.objects.filter(
            code=plan.system, department=actor.department_id
        ).first(),
        "grade": Grade.THREE if plan.is_sensitive else Grade.TWO,
        "contains_personal": plan.is_personal,
        "contains_sensitive": plan.is_sensitive,
        "themes": [plan.topic],
        "contact_name": actor.get_full_name(),
        "contact_phone": "023-12345678",
        "key_items": list(plan.key),
    }
    standard = elements()
    return catalog.create_dataset(
        actor=actor,
        at=at,
        classification=Classification.objects.get(code=plan.classification),
        items=[item_fields(item, plan.key, standard) for item in plan.items],
        **{**fields, **details},
    )


def assess(dataset: Dataset, *, actor: User, at: datetime) -> None:
    """Record the assessments without which an entry cannot be submitted."""
    for kind in AssessmentKind:
        if kind == AssessmentKind.SECRECY or dataset.contains_personal:
            catalog.record_assessment(
                dataset=dataset,
                kind=kind,
                conclusion=Conclusion.PASSED,
                assessed_on=timezone.localdate(at),
                assessor=f"{dataset.department.short_name}保密审查小组",
                actor=actor,
                at=at,
            )
