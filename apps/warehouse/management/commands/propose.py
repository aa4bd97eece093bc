"""manage.py propose FILE --department CODE: draft a catalogue entry from a file, and say why."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import Department, User
from apps.catalog.models import Classification
from apps.core.errors import DomainError
from apps.warehouse import operations as warehouse
from apps.warehouse.models import FileProposal


class Command(BaseCommand):
    """Ends with an error when the file cannot be read; nothing is then entered."""

    help = "由一个数据文件生成目录草案，打印每项建议的依据；草案由部门的目录编制人改正后提交。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV、XLSX、JSON、Parquet 等数据文件")
        parser.add_argument("--department", required=True, help="部门编码或者名称")
        parser.add_argument("--classification", default="", help="资源分类代码，至少到“目”")
        parser.add_argument("--name", default="", help="目录名称；不写则由文件名得出")
        parser.add_argument(
            "--as", dest="username", default="", help="以哪个用户起草；不写则为部门的目录编制人"
        )

    def handle(self, *, file: Path, department: str, username: str, **options: Any) -> None:
        owner = _department(department)
        actor = _actor(owner, username)
        classification = _classification(owner, options["classification"])
        try:
            with file.open("rb") as content:
                made = warehouse.propose(
                    file=content,
                    file_name=file.name,
                    classification=classification,
                    actor=actor,
                    at=timezone.now(),
                    name=options["name"],
                )
        except OSError as error:
            raise CommandError(
                _("文件 %(path)s 不能读取：%(why)s") % {"path": file, "why": error.strerror}
            ) from error
        except DomainError as error:
            raise CommandError(f"{error}（{error.code}）") from error
        self._tell(made)

    def _tell(self, made: FileProposal) -> None:
        dataset = made.dataset
        self.stdout.write(f"{dataset.code} {dataset.name}")
        for each in made.evidence:
            self.stdout.write(f"  {each['said']}：{each['why']}")
        for item in dataset.items.order_by("position"):
            shape = item.get_data_type_display()
            length = f" {item.length}" if item.length else ""
            self.stdout.write(f"{item.column_name} {item.name} {shape}{length}")
            for each in made.item_evidence.get(item.column_name, []):
                self.stdout.write(f"    {each['said']}：{each['why']}")


def _department(text: str) -> Department:
    found: Department | None = Department.objects.filter(Q(code=text) | Q(name=text)).first()
    if found is None:
        raise CommandError(_("没有部门 %(name)s") % {"name": text})
    return found


def _actor(department: Department, username: str) -> User:
    people = User.objects.filter(department=department, is_active=True)
    if username:
        found = User.objects.filter(username=username).first()
    else:
        editors = (each for each in people.order_by("pk") if each.holds("department_editor"))
        found = next(editors, None)
    if found is None:
        raise CommandError(_("部门没有目录编制人；用 --as 指明以谁的名义起草"))
    return found


def _classification(department: Department, code: str) -> Classification:
    """Return the classification that was asked for, or the one of the department's last entry."""
    if code:
        found = Classification.objects.filter(code=code).first()
    else:
        last = department.datasets.order_by("-pk").select_related("classification").first()
        found = last.classification if last else None
    if found is None:
        raise CommandError(_("用 --classification 指明资源分类代码，至少到“目”"))
    return found
