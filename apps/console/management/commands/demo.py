"""manage.py demo: the whole portal with the demonstration city, in one command."""

import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from apps.console.demo.people import PASSWORD
from apps.console.management.commands import serve
from config import environment

REFERENCE = "reference"  # fixtures/reference/*.json, loaded by natural key


class Command(BaseCommand):
    """Prepare everything that is missing, then serve. A second run keeps the data."""

    help = "建立演示环境（数据库、演示城市、一次完整的业务过程），然后启动网站。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--prepare-only", action="store_true", help="只准备，不启动网站")

    def handle(self, *, prepare_only: bool, **options: Any) -> None:
        if not settings.HUILIU_DEMO:
            raise CommandError(
                f"演示数据只能在演示设置下装入，现在是 {environment.settings_module()}："
                "用 DJANGO_SETTINGS_MODULE=config.settings.demo 运行"
            )
        host, port = environment.listen_address(), environment.port()
        if not prepare_only:
            serve.require_free_port(host, port)
        self._step("数据库结构", "migrate", verbosity=0, interactive=False)
        self._load_reference()
        self._step("演示城市", "load_demo")
        self._step("页面样式与脚本", "collectstatic", verbosity=0, interactive=False)
        self._step("完整业务过程", "play_story")
        connections.close_all()
        if not prepare_only:
            self._tell_accounts()
            call_command("serve", host=host, port=port, stdout=self.stdout, stderr=self.stderr)

    def _step(self, label: str, command: str, *arguments: str, **options: Any) -> None:
        started = time.monotonic()
        self.stdout.write(f"· {label} …")
        self.stdout.flush()
        call_command(command, *arguments, stdout=self.stdout, stderr=self.stderr, **options)
        self.stdout.write(f"  完成，用时 {time.monotonic() - started:.1f} 秒")
        self.stdout.flush()

    def _load_reference(self) -> None:
        """Fixtures are loaded anew each time: a corrected one reaches an older demonstration."""
        folder = settings.BASE_DIR / "fixtures" / REFERENCE
        names = [str(path) for path in sorted(folder.glob("*.json"))]
        if names:
            self._step("参考数据（区划、时限、角色等）", "loaddata", *names, verbosity=0)

    def _tell_accounts(self) -> None:
        self.stdout.write(f"\n演示账号（密码都是 {PASSWORD}）：")
        for username, what in settings.HUILIU_DEMO_ACCOUNTS:
            self.stdout.write(f"  {username:<16} {what}")
        self.stdout.write(f"调用凭证：{environment.home() / 'demo-credentials.json'}\n")
        self.stdout.flush()
