"""manage.py forget_past --days N: let go of versions of rows that ended more than N days ago."""

import time
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.warehouse import operations as warehouse
from apps.warehouse.models import DataTable

LONGEST_READ_SECONDS = 60


class Command(BaseCommand):
    """Without it everything is kept. Feeds that were not read for so long begin anew."""

    help = "清理早已被替换或删除的记录版本；更早的增量标记随之失效。不运行则全部保留。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="保留最近多少天的版本")
        parser.add_argument("--dataset", default="", help="只清理这个目录的数据表；不写则全部")
        parser.add_argument(
            "--wait",
            type=float,
            default=LONGEST_READ_SECONDS,
            help="宣布之后等待多少秒再删除，让正在进行的读取结束",
        )

    def handle(self, *, days: int, dataset: str, wait: float, **options: Any) -> None:
        if days < 1:
            raise CommandError(_("保留的天数须是正整数"))
        at = timezone.now()
        tables = DataTable.objects.select_related("dataset__department").order_by("pk")
        if dataset:
            tables = tables.filter(dataset__code=dataset.replace("-", "/"))
        found = list(tables)
        if dataset and not found:
            raise CommandError(_("没有目录“%(code)s”的数据表") % {"code": dataset[:80]})
        for table in found:
            warehouse.forget_past(table=table, before=at - timedelta(days=days), at=at)
        time.sleep(wait)
        for table in found:
            gone = warehouse.delete_forgotten(table=table)
            words = _("%(table)s：清理了 %(count)s 个版本")
            self.stdout.write(words % {"table": table, "count": f"{gone:,}"})
