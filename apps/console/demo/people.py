"""Bring the city's departments, people and information systems to life.

Idempotent by code: a second run finds everything there.
"""

from collections import Counter
from datetime import date, datetime
from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from simple_history.utils import bulk_create_with_history

from apps.accounts.models import (
    Department,
    InformationSystem,
    Region,
    Role,
    RoleAssignment,
    SharingOffice,
    User,
)
from apps.accounts.queries import members_with, platform_user
from apps.console.demo.city import SystemPlan, departments, invented_uscc, systems

PASSWORD: Final = "huiliu-demo"  # noqa: S105 demonstration accounts, listed on the sign-in page
AUTHORITY: Final = "D037"  # 市大数据应用发展管理局
PROVIDER: Final = "D008"  # 市民政局
CONSUMER: Final = "D003"  # 市教委
DISTRICT: Final = "500101"
DISTRICT_DEPARTMENT: Final = f"Q{DISTRICT}-01"  # 万州区教委, below the district's authority
DISTRICT_SYSTEM: Final = SystemPlan(
    code="S-0899", name="万州区学生资助管理系统", department=DISTRICT_DEPARTMENT, topic="学生资助"
)
CATEGORIES: Final = {
    "政府部门": Department.Category.GOVERNMENT,
    "市政府派出机构": Department.Category.GOVERNMENT,
    "政府直属/事业": Department.Category.INSTITUTION,
    "党委机构": Department.Category.PARTY,
    "司法机关": Department.Category.JUDICIAL,
    "群团": Department.Category.MASS_ORGANISATION,
    "中央在渝单位": Department.Category.CENTRAL_UNIT,
}
BOUND: Final = {"政府部门", "市政府派出机构", "政府直属/事业", "中央在渝单位"}

# username, name, department, roles, what the sign-in page says of the account
CAST: Final = (
    ("provider-editor", "周敏", PROVIDER, ("department_editor",), "市民政局 · 经办人"),
    ("provider-second", "吴婷", PROVIDER, ("department_editor",), "市民政局 · 复核人"),
    (
        "provider-head",
        "陈建国",
        PROVIDER,
        ("department_approver",),
        "市民政局 · 共享工作机构负责人",
    ),
    ("consumer-editor", "李晓燕", CONSUMER, ("department_editor",), "市教委 · 经办人"),
    ("consumer-head", "王志强", CONSUMER, ("department_approver",), "市教委 · 共享工作机构负责人"),
    (
        "district-editor",
        "冉小琴",
        DISTRICT_DEPARTMENT,
        ("department_editor",),
        "万州区教委 · 经办人",
    ),
    (
        "district-approver",
        "牟国华",
        DISTRICT_DEPARTMENT,
        ("department_approver",),
        "万州区教委 · 共享工作机构负责人",
    ),
    (
        "district-head",
        "谭玉兰",
        f"Q{DISTRICT}",
        ("department_approver",),
        "万州区大数据局 · 转报本区县的申请",
    ),
    ("authority", "刘洋", AUTHORITY, ("authority_officer",), "主管部门 · 经办人"),
    ("authority-leader", "杨光明", AUTHORITY, ("authority_leader",), "主管部门 · 负责人"),
    ("system-admin", "赵磊", AUTHORITY, ("system_admin",), "系统管理员"),
    ("security-admin", "孙静", AUTHORITY, ("security_admin",), "安全管理员"),
    ("auditor", "何正", AUTHORITY, ("audit_admin",), "审计管理员"),
    ("citizen", "市民小林", "", (), "社会公众"),
)
# Opened by the head of a department, when there is a system with grants (`sharing_life`).
SUPPLIER: Final = ("supplier", "供应商 · 只绑定一个信息系统")


def load_people(*, at: datetime) -> None:
    """Make departments of the city and of its districts, the cast, and 899 systems."""
    _load_departments()
    _load_cast(at)
    _load_staff(at)
    _load_second_clerks(at)
    _load_systems(at)


def cast_accounts() -> list[tuple[str, str]]:
    """Return the demo accounts as (username, what they are) for the sign-in page."""
    return [*((username, title) for username, _, _, _, title in CAST), SUPPLIER]


def clerk_and_head(department: Department) -> tuple[User, User]:
    """Return who writes for the department, and who signs for it."""
    return (
        members_with("department_editor", department).order_by("pk")[0],
        members_with("department_approver", department).order_by("pk")[0],
    )


def second_clerk(department: Department) -> User:
    """Return who confirms what the clerk proposes on data of high grade."""
    return members_with("department_editor", department).order_by("pk")[1]


def _load_departments() -> None:
    city = Region.objects.get(kind=Region.Kind.CITY)
    plans = [
        Department(
            code=plan.code,
            name=plan.name,
            short_name=plan.short_name,
            uscc=plan.uscc,
            category=CATEGORIES[plan.category],
            region=city,
            is_authority=plan.code == AUTHORITY,
            is_bound=plan.category in BOUND,
        )
        for plan in departments()
    ]
    plans += [_district_bureau(region, number) for number, region in enumerate(_districts())]
    plans.append(_district_department(Region.objects.get(code=DISTRICT)))
    known = set(Department.objects.values_list("code", flat=True))
    missing = [plan for plan in plans if plan.code not in known]
    groups = Group.objects.bulk_create([Group(name=f"部门 {plan.code}") for plan in missing])
    for plan, group in zip(missing, groups, strict=True):
        plan.group = group
    bulk_create_with_history(missing, Department, default_change_reason="演示数据")


def _districts() -> list[Region]:
    """The districts in force when the city is loaded; the two abolished ones have a successor."""
    return list(
        Region.objects.filter(parent__kind=Region.Kind.CITY, valid_to=None)
        .exclude(code=None)
        .order_by("code")
    )


def _district_bureau(region: Region, number: int) -> Department:
    return Department(
        code=f"Q{region.code}",
        name=f"{region.name}大数据应用发展管理局",
        short_name=f"{region.name}大数据局",
        uscc=invented_uscc("11", str(region.code), 900 + number),
        region=region,
        is_authority=True,
    )


def _district_department(region: Region) -> Department:
    return Department(
        code=DISTRICT_DEPARTMENT,
        name=f"{region.name}教育委员会",
        short_name=f"{region.name}教委",
        uscc=invented_uscc("11", DISTRICT, 950),
        region=region,
    )


def _load_cast(at: datetime) -> None:
    by_code = Department.objects.in_bulk(field_name="code")
    for username, name, department, roles, _title in CAST:
        user, made = User.objects.get_or_create(
            username=username,
            defaults={
                "name": name,
                "department": by_code.get(department),
                "kind": User.Kind.PERSON if department else User.Kind.CITIZEN,
                "joined_at": at,
                "password_changed_at": at,
                "email": f"{username}@example.invalid",
                "phone": "023-12345678",
            },
        )
        if made:
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
            user.groups.set([user.department.group] if user.department else [])
            _assign(user, roles, at)


def _load_staff(at: datetime) -> None:
    """Give every other department an editor and a head, who cannot sign in."""
    with_head = set(
        RoleAssignment.objects.filter(role="department_approver").values_list(
            "user__department__code", flat=True
        )
    )
    without = Department.objects.exclude(code__in=with_head).select_related("group")
    people, parts = [], []
    for department in without:
        for role, title in (("department_editor", "经办人"), ("department_approver", "负责人")):
            people.append(
                User(
                    username=f"{department.code.lower()}-{role.removeprefix('department_')}",
                    name=f"{department.short_name}{title}",
                    department=department,
                    password=make_password(None),
                    joined_at=at,
                )
            )
            parts.append(role)
    _employ(people, parts, at)
    _load_offices()


def _load_second_clerks(at: datetime) -> None:
    """Give every department with one editor a second, who confirms what the first proposes."""
    editors = RoleAssignment.objects.filter(role="department_editor")
    counts = Counter(editors.values_list("user__department", flat=True))
    people = [
        User(
            username=f"{department.code.lower()}-second",
            name=f"{department.short_name}复核人",
            department=department,
            password=make_password(None),
            joined_at=at,
        )
        for department in Department.objects.select_related("group").order_by("pk")
        if counts[department.pk] == 1
    ]
    _employ(people, ["department_editor"] * len(people), at)


def _employ(people: list[User], parts: list[str], at: datetime) -> None:
    """Save new people of departments, each with the role that stands at his place in `parts`."""
    User.objects.bulk_create(people)
    memberships = User.groups.through
    memberships.objects.bulk_create(
        memberships(user=person, group=person.department.group)
        for person in people
        if person.department
    )
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=person, role_id=role, starts_on=date(2025, 8, 1), assigned_at=at)
        for person, role in zip(people, parts, strict=True)
    )


def _load_offices() -> None:
    heads = {
        assignment.user.department_id: assignment.user
        for assignment in RoleAssignment.objects.filter(role="department_approver").select_related(
            "user"
        )
    }
    SharingOffice.objects.bulk_create(
        SharingOffice(
            department=department,
            name=f"{department.short_name}政务数据共享办公室",
            head=heads.get(department.pk),
            phone="023-12345678",
        )
        for department in Department.objects.filter(sharing_office=None)
    )


def _load_systems(at: datetime) -> None:
    by_code = Department.objects.in_bulk(field_name="code")
    known = set(InformationSystem.objects.values_list("code", flat=True))
    missing = [plan for plan in (*systems(), DISTRICT_SYSTEM) if plan.code not in known]
    unusable = make_password(None)
    services = User.objects.bulk_create(
        User(
            username=plan.code.lower(),
            name=plan.name,
            department=by_code[plan.department],
            kind=User.Kind.SERVICE,
            password=unusable,
            joined_at=at,
        )
        for plan in missing
    )
    memberships = User.groups.through
    memberships.objects.bulk_create(
        memberships(user=service, group=service.department.group)
        for service in services
        if service.department
    )
    bulk_create_with_history(
        [
            InformationSystem(
                code=plan.code,
                name=plan.name,
                purpose=f"支撑{plan.topic}业务办理",
                department=service.department,
                service_user=service,
                status=InformationSystem.Status.RUNNING,
                built_on=date(2012 + number % 13, 1 + number % 12, 1),
                protection_level=2 + number % 2,
                created_at=at,
                updated_at=at,
            )
            for number, (plan, service) in enumerate(zip(missing, services, strict=True))
        ],
        InformationSystem,
        default_change_reason="演示数据",
    )


def _assign(user: User, roles: tuple[str, ...], at: datetime) -> None:
    for role in Role.objects.filter(code__in=roles):
        RoleAssignment.objects.get_or_create(
            user=user,
            role=role,
            defaults={
                "starts_on": date(2025, 8, 1),
                "assigned_at": at,
                "assigned_by": platform_user(),
            },
        )
