"""Play the main chain once, with visible progress."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.console.demo import story


class Command(BaseCommand):
    """Repeat-safe: once played, the story is kept."""

    help = "按真实操作走一遍主流程：编目、归集、申请、审批、调用。"

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.HUILIU_DEMO:
            raise CommandError("演示数据只能在演示设置下装入")
        # One of the calls is refused on purpose; the log need not cry over it.
        logging.getLogger("django.request").setLevel(logging.ERROR)
        if not story.play_once(self._say):
            self.stdout.write("  主流程已经走过，数据保留")

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()
