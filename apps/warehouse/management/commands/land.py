"""manage.py land CODE FILE: hand a file in, land it at once, print the balance."""

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.catalog.models import Dataset
from apps.core.errors import DomainError, IllegalMove, StaleRevision
from apps.warehouse import operations as warehouse
from apps.warehouse import queries
from apps.warehouse.models import Batch

SHOWN_REJECTIONS = 10
PAUSE_SECONDS = 0.5


class Command(BaseCommand):
    """Ends with an error when the batch does not land; the same file twice is no error."""

    help = "把一个文件归集入库，打印收支平衡和未通过的记录。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", help="目录代码，如 307001002/000001（/ 可以写成 -）")
        parser.add_argument("file", type=Path, help="CSV 或者 TSV 文件")
        parser.add_argument("--mode", choices=Batch.Mode.values, default=Batch.Mode.UPSERT.value)
        parser.add_argument(
            "--as",
            dest="username",
            default="",
            help="以哪个用户提交；不写则为目录来源信息系统的用户",
        )
        parser.add_argument("--key", default="", help="批次号：同一批次号重复提交只算一次")
        parser.add_argument("--declared", type=int, help="申报条数：与文件不符时不予入库")

    def handle(self, *, code: str, file: Path, username: str, **options: Any) -> None:
        dataset = _dataset(code)
        actor = _actor(dataset, username)
        try:
            batch = self._received(dataset, actor, file, options)
            batch = _landed(batch)
        except DomainError as error:
            raise CommandError(_words(error.code, str(error))) from error
        self._tell(batch)

    def _received(
        self, dataset: Dataset, actor: User, path: Path, options: dict[str, Any]
    ) -> Batch:
        at = timezone.now()
        try:
            with path.open("rb") as file:
                batch = warehouse.receive(
                    dataset=dataset,
                    file=file,
                    file_name=path.name,
                    mode=options["mode"],
                    actor=actor,
                    at=at,
                    idempotency_key=options["key"],
                    declared=options["declared"],
                )
        except OSError as error:
            raise CommandError(
                _("文件 %(path)s 不能读取：%(why)s") % {"path": path, "why": error.strerror}
            ) from error
        if batch.received_at != at:
            self.stdout.write(
                _("批次号 %(key)s 已提交过，是 %(batch)s")
                % {"key": batch.idempotency_key, "batch": batch}
            )
        return batch

    def _tell(self, batch: Batch) -> None:
        name = f"{batch} · {batch.dataset.name}（{batch.dataset.code}）"
        if batch.status not in (Batch.Status.LANDED, Batch.Status.UNCHANGED):
            self._tell_rejections(batch)
            raise CommandError(f"{name}：{_words(batch.message_code, batch.message)}")
        if batch.status == Batch.Status.UNCHANGED:
            self.stdout.write(_("%(name)s：已经入库过。%(words)s") % _told(name, batch))
            return
        self.stdout.write(self.style.SUCCESS(_("%(name)s：%(words)s") % _told(name, batch)))
        self._tell_rejections(batch)

    def _tell_rejections(self, batch: Batch) -> None:
        rejections = list(batch.rejections.order_by("record_number")[: SHOWN_REJECTIONS + 1])
        for rejection in rejections[:SHOWN_REJECTIONS]:
            self.stdout.write("  " + "；".join(r["message"] for r in rejection.reasons))
        if len(rejections) > SHOWN_REJECTIONS:
            self.stdout.write(_("  ……其余见批次页面 /work/batches/%(id)s/") % {"id": batch.pk})


def _told(name: str, batch: Batch) -> dict[str, str]:
    return {"name": name, "words": batch.message}


def _words(code: str, message: str) -> str:
    return f"{message}（{code}）"


def _dataset(code: str) -> Dataset:
    found: Dataset | None = (
        Dataset.objects.select_related("department", "system__service_user")
        .filter(code=code.replace("-", "/"))
        .first()
    )
    if found is None:
        raise CommandError(_("没有目录 %(code)s") % {"code": code})
    return found


def _actor(dataset: Dataset, username: str) -> User:
    if username:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(_("没有用户 %(name)s") % {"name": username})
        return user
    if dataset.system is None:
        raise CommandError(_("目录没有登记来源信息系统，用 --as 写明以哪个用户提交"))
    return dataset.system.service_user


def _landed(batch: Batch) -> Batch:
    """Land the batch here, after earlier ones of its dataset; or wait for the worker that has it.

    Raises:
        DomainError: landing is not possible at all.
    """
    while True:
        at = timezone.now()
        try:
            return warehouse.land(batch_id=batch.pk, at=at)
        except (IllegalMove, StaleRevision):
            earlier = queries.due(at).filter(dataset=batch.dataset_id, pk__lt=batch.pk).first()
            if earlier is None:
                time.sleep(PAUSE_SECONDS)
                continue
            try:
                warehouse.land(batch_id=earlier.pk, at=at)
            except (IllegalMove, StaleRevision):
                continue
