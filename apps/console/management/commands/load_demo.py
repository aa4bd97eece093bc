"""Fill the database with the demonstration city."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from apps.console.demo import (
    catalogue,
    changes,
    corrections,
    demands,
    duties,
    landing,
    people,
    quality,
    requests,
    sharing_life,
    sources,
    tasks,
    upward,
    uses,
    writing,
)
from apps.warehouse import operations as warehouse


class Command(BaseCommand):
    """Repeat-safe: what is there already stays as it is."""

    help = (
        "装入演示城市：部门、系统、3,170 条目录、归集数据，各种状态的共享申请、需求、变更和任务。"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.HUILIU_DEMO:
            raise CommandError("演示数据只能在演示设置下装入")
        at = timezone.now()
        with transaction.atomic():
            people.load_people(at=at)
        with transaction.atomic():
            made = catalogue.load_catalogue(at=at)
        self.stdout.write(f"  新增目录 {made:,} 条")
        warehouse.ensure_stores(at=at)
        writing.load_underway(at=at)
        count = duties.load_duties(at=at)
        self.stdout.write(f"  责任事项 {count:,} 项")
        begun = landing.load_beginnings(at=at, without=(duties.CONSULTED, duties.COMPILED))
        self._say(f"开始归集的部门 {begun} 个")
        rows = landing.load_records(at=at, progress=self._say)
        self.stdout.write(f"  共入库 {rows:,} 条记录")
        found = quality.load_quality(at=at, progress=self._say)
        self.stdout.write(f"  待整改的记录 {found:,} 条")
        count = requests.load_requests(at=at, progress=self._say)
        self.stdout.write(f"  共享申请 {count} 件")
        self._say(f"协商、一件事和数据处置 {sharing_life.load_sharing_life(at=at)} 件")
        self._say(f"调用记录 {uses.load_uses(at=at):,} 条")
        self._say(f"校核 {corrections.load_corrections(at=at)} 件")
        self._load_catalogue_work(at)

    def _load_catalogue_work(self, at: datetime) -> None:
        """What the departments and the authority do about the catalogue all year."""
        self._say(f"数据需求 {demands.load_demands(at=at)} 件")
        self._say(f"目录变更 {changes.load_changes(at=at)} 件")
        self._say(f"疑似重复采集 {sources.load_sources(at=at)} 对待认定")
        self._say(f"工作任务 {tasks.load_tasks(at=at)} 项")
        self._say(f"上报数据包 {upward.load_upward(at=at)} 份")

    def _say(self, line: str) -> None:
        self.stdout.write(f"  {line}")
        self.stdout.flush()
