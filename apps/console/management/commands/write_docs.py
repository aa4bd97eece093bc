"""Write the generated pages of docs/."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from apps.console.reference import ROOT, lifecycles_page, sources_page


class Command(BaseCommand):
    help = "生成 docs/lifecycles.md 和 docs/sources.md"

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("zh-hans"):
            for name, page in (("lifecycles", lifecycles_page()), ("sources", sources_page())):
                (ROOT / "docs" / f"{name}.md").write_text(page, encoding="utf-8")
                self.stdout.write(f"docs/{name}.md")
