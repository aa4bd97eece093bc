"""manage.py doctor: what is missing for this installation to work, and what to do about it."""

import secrets
import sys
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.console import diagnosis
from apps.console.diagnosis import Finding, Level
from config import environment
from config.embedded import roles


class Command(BaseCommand):
    """Look at everything, say it in words; end with 1 when something blocks."""

    help = "检查安装是否完好，逐项说明问题与处理办法。"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--sql", action="store_true", help="打印在自有 PostgreSQL 上建角色与数据库的语句"
        )

    def handle(self, *, sql: bool, **options: Any) -> None:
        if sql:
            self.stdout.write(preparation_script())
            return
        found = list(diagnosis.findings())
        for finding in found:
            self._say(finding)
        blocked = sum(finding.level is Level.BLOCKING for finding in found)
        noted = sum(finding.level is Level.ATTENTION for finding in found)
        self.stdout.write(f"共检查 {len(found)} 项：阻断 {blocked} 项，注意 {noted} 项。")
        if blocked:
            sys.exit(1)

    def _say(self, finding: Finding) -> None:
        style = {
            Level.FINE: self.style.SUCCESS,
            Level.ATTENTION: self.style.WARNING,
            Level.BLOCKING: self.style.ERROR,
        }[finding.level]
        self.stdout.write(f"{style(finding.level.value)}  {finding.words}")
        if finding.remedy:
            self.stdout.write(f"      处理：{finding.remedy}")


def preparation_script() -> str:
    """What a superuser runs once in psql; passwords not given yet are made up and shown."""
    owner, gateway = settings.DATABASES["default"], settings.GATEWAY
    # The embedded server's passwords are its own: another server gets new ones.
    given = not environment.uses_embedded_server()
    preparation = roles.Preparation(
        database=owner["NAME"],
        owner=owner["USER"],
        owner_password=(given and owner["PASSWORD"]) or secrets.token_urlsafe(24),
        gateway=gateway["user"],
        gateway_password=(given and gateway["password"]) or secrets.token_urlsafe(24),
    )
    server = owner["HOST"] if given and owner["HOST"] else "服务器"
    place = f"{server}:{owner['PORT'] or '5432'}/{preparation.database}"
    return (
        "-- 由数据库超级用户在 psql 中执行一次；可重复执行。随后设置环境变量：\n"
        f"-- DATABASE_URL={_address(preparation.owner, preparation.owner_password, place)}\n"
        f"-- GATEWAY_DATABASE_URL="
        f"{_address(preparation.gateway, preparation.gateway_password, place)}\n"
        "-- postgresql.conf：max_locks_per_transaction = 1024，"
        "password_encryption = scram-sha-256\n" + roles.script(preparation)
    )


def _address(role: str, password: str, place: str) -> str:
    return f"postgresql://{quote(role)}:{quote(password, safe='')}@{place}"
