"""Write the search index of the whole catalogue anew."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from apps.catalog import operations as catalog
from apps.catalog.models import Dataset


class Command(BaseCommand):
    help = "重建数据目录的检索索引。"

    def handle(self, *args: Any, **options: Any) -> None:
        keys = list(Dataset.objects.order_by("pk").values_list("pk", flat=True))
        count = catalog.refresh_many(keys, at=timezone.now())
        self.stdout.write(f"已重建 {count} 条目录的检索索引。")
