"""Write the generated pages of docs/."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from apps.console.reference import PAGES, ROOT


class Command(BaseCommand):
    help = "生成 docs/lifecycles.md、docs/sources.md 和 docs/openapi.yaml"

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("zh-hans"):
            for name, page in PAGES.items():
                (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
                self.stdout.write(f"docs/{name}")
