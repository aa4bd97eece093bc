"""Migrate the portal's database and make a department, its system and a published dataset."""

import json
from datetime import UTC, datetime

from config import environment


def main() -> None:
    environment.start_database()
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from apps.sharing.operations import issue_credential
    from tests.factories.accounts import DepartmentFactory, InformationSystemFactory, UserFactory
    from tests.factories.warehouse import column, published

    department = DepartmentFactory()
    security = UserFactory(department=department, roles=["security_admin", "department_approver"])
    system = InformationSystemFactory(department=department)
    made = issue_credential(
        system=system, actor=security, at=datetime.now(UTC), untested_reason="已在旧平台试调"
    )
    dataset = published(
        column("serial", "编号", length=20, required=True),
        column("name", "姓名", length=20),
        column("amount", "金额", "Y", length=12, scale=2),
        column("happened_on", "日期", "D"),
        department=department,
    )
    print(
        json.dumps(
            {
                "client_id": made.client_id,
                "client_secret": made.client_secret,
                "dataset": dataset.dashed_code,
            }
        )
    )


if __name__ == "__main__":
    main()
