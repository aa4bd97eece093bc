"""Rebuild whatever a grant's roles, policies or views lack, and say what was done."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from apps.sharing import reconciliation


class Command(BaseCommand):
    help = "按授权台账核对数据库中的角色、策略和视图，缺失或不一致的重建"

    def handle(self, *args: Any, **options: Any) -> None:
        repairs = []
        for repair in reconciliation.reconcile():
            self.stdout.write(str(repair))
            repairs.append(repair)
        if any(repair.failed for repair in repairs):
            raise CommandError(_("有未能重建的授权，见上"))
        if not repairs:
            self.stdout.write(_("全部授权与数据库一致"))
