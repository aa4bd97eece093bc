"""Departments with their group, people with their roles, systems with their service user."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from apps.accounts.models import (
    Delegation,
    Department,
    InformationSystem,
    Region,
    Role,
    RoleAssignment,
    SharingOffice,
    User,
)

PASSWORD = "Huiliu-test-2026"
LONG_AGO = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


class RegionFactory(factory.django.DjangoModelFactory[Region]):
    """The city, unless another key is given; then a district of it."""

    class Meta:
        model = Region
        django_get_or_create = ("key",)

    key = "chongqing"
    code = factory.Maybe(
        factory.LazyAttribute(lambda region: region.key == "chongqing"), "500000", None
    )
    name = factory.Maybe(
        factory.LazyAttribute(lambda region: region.key == "chongqing"),
        "重庆市",
        factory.SelfAttribute("key"),
    )
    kind = factory.Maybe(
        factory.LazyAttribute(lambda region: region.key == "chongqing"), "city", "district"
    )
    parent = factory.LazyAttribute(lambda r: None if r.kind == "city" else RegionFactory())


class GroupFactory(factory.django.DjangoModelFactory[Group]):
    class Meta:
        model = Group

    name = factory.Sequence(lambda number: f"测试权限组 {number}")


class DepartmentFactory(factory.django.DjangoModelFactory[Department]):
    class Meta:
        model = Department

    code = factory.Sequence(lambda number: f"T{number:04d}")
    name = factory.Sequence(lambda number: f"测试部门 {number}")
    region = factory.SubFactory(RegionFactory)
    group = factory.SubFactory(GroupFactory)


class SharingOfficeFactory(factory.django.DjangoModelFactory[SharingOffice]):
    class Meta:
        model = SharingOffice

    department = factory.SubFactory(DepartmentFactory)
    name = "政务数据共享工作处"


class RoleFactory(factory.django.DjangoModelFactory[Role]):
    class Meta:
        model = Role
        django_get_or_create = ("code",)

    code = "department_editor"
    name = factory.SelfAttribute("code")
    description = factory.SelfAttribute("code")


class UserFactory(factory.django.DjangoModelFactory[User]):
    """A person of a department; `roles` are codes, held since long ago."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user-{number}")
    name = factory.Sequence(lambda number: f"测试人员 {number}")
    department = factory.SubFactory(DepartmentFactory)
    password = factory.LazyFunction(lambda: make_password(PASSWORD))
    joined_at = LONG_AGO
    password_changed_at = LONG_AGO

    @factory.post_generation
    def group(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and self.department_id is not None:
            self.groups.add(self.department.group_id)

    @factory.post_generation
    def roles(self: Any, create: bool, extracted: Iterable[str] | None, **kwargs: Any) -> None:
        if create:
            for code in extracted or ():
                RoleAssignment.objects.create(
                    user=self,
                    role=RoleFactory(code=code),
                    starts_on=date(2020, 1, 1),
                    assigned_at=LONG_AGO,
                )


class InformationSystemFactory(factory.django.DjangoModelFactory[InformationSystem]):
    class Meta:
        model = InformationSystem

    code = factory.Sequence(lambda number: f"S-{number + 1:04d}")
    name = factory.Sequence(lambda number: f"测试业务系统 {number}")
    department = factory.SubFactory(DepartmentFactory)
    status = "running"
    built_on = date(2020, 6, 1)
    created_at = LONG_AGO
    updated_at = LONG_AGO
    service_user = factory.SubFactory(
        UserFactory,
        kind="service",
        username=factory.LazyAttribute(lambda user: f"sys-{user.factory_parent.code.lower()}"),
        name=factory.SelfAttribute("..name"),
        department=factory.SelfAttribute("..department"),
        password=factory.LazyFunction(lambda: make_password(None)),
    )


OutOfService = Callable[[InformationSystem], object]


def retire(system: InformationSystem) -> None:
    InformationSystem.objects.filter(pk=system.pk).update(status="retired")


def disable(system: InformationSystem) -> None:
    User.objects.filter(pk=system.service_user_id).update(is_active=False)


OUT_OF_SERVICE: tuple[OutOfService, ...] = (retire, disable)


class DelegationFactory(factory.django.DjangoModelFactory[Delegation]):
    class Meta:
        model = Delegation

    principal = factory.SubFactory(UserFactory)
    deputy = factory.SubFactory(
        UserFactory, department=factory.SelfAttribute("..principal.department")
    )
    starts_on = date(2026, 1, 1)
    ends_on = date(2026, 12, 31)
    reason = "出差"
    delegated_by = factory.SelfAttribute("principal")
    delegated_at = LONG_AGO
