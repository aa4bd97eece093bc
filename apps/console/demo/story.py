"""The main chain, played once: catalogue → landing → request → approval → calls under the grant.

Every step is the operation behind a screen, or a call to the very addresses that a consumer's
system uses; every figure told at the end is read back from the database.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from apps.accounts.models import InformationSystem, User
from apps.catalog import operations as catalog
from apps.catalog.models import Dataset
from apps.console.demo.city import STORY, DatasetPlan, datasets
from apps.console.demo.rows import write_csv
from apps.console.demo.writing import assess, write_entry
from apps.ledger.models import AccessRecord, Event
from apps.sharing import operations as sharing
from apps.sharing.models import Grant, SharingRequest
from apps.warehouse import operations as warehouse
from apps.warehouse.models import Batch

ROWS: Final = 6_000
SYSTEM: Final = "S-0020"  # 市教委学籍业务管理系统
WITHIN: Final = ("500101", "500102", "500103")
ASKED: Final = ("identity_number", "person_name", "birth_date", "mobile", "district_code")
GIVEN: Final = ("identity_number", "person_name", "birth_date", "district_code")
PAGES: Final = 3
DETAILS: Final = {
    "abstract": "困境儿童的身份、监护和保障情况，供教育、卫生健康等部门核验资格。",
    "sharing_scope": "承担未成年人保护职责的部门",
    "sharing_condition": "仅用于救助和资助资格核验，不得转交第三方",
    "legal_duty": "市民政局三定规定 · 儿童福利",
    "service_item": "困境儿童基本生活保障",
    "themes": ["社会保障", "未成年人保护"],
}
Progress = Callable[[str], None]


class Story:
    """One telling; a step that an interrupted telling had finished is not done again."""

    def __init__(self, tell: Progress) -> None:
        self.tell = tell
        people = {user.username: user for user in User.objects.select_related("department")}
        self.editor, self.head = people["provider-editor"], people["provider-head"]
        self.second = people["provider-second"]
        self.asker, self.asker_head = people["consumer-editor"], people["consumer-head"]
        self.authority = people["authority"]
        self.system = InformationSystem.objects.select_related("department").get(code=SYSTEM)

    def play(self) -> None:
        """Play from the first step to the last call."""
        dataset = Dataset.objects.filter(name=STORY).first() or self._catalogue()
        self._land(dataset)
        grant = Grant.objects.filter(dataset=dataset).first() or self._share(dataset)
        self._deliver(grant)
        self._call(dataset, grant)
        self._figures(dataset, grant)

    @transaction.atomic
    def _catalogue(self) -> Dataset:
        dataset = write_entry(_plan(), actor=self.editor, at=timezone.now(), **DETAILS)
        assess(dataset, actor=self.editor, at=timezone.now())
        catalog.submit(dataset=dataset, actor=self.editor, at=timezone.now())
        catalog.approve(dataset=dataset, actor=self.head, at=timezone.now())
        catalog.publish(dataset=dataset, actor=self.authority, at=timezone.now())
        self.tell(f"编目：{dataset.code}“{dataset.name}”经本部门审批、主管部门审核后发布")
        return dataset

    def _land(self, dataset: Dataset) -> None:
        with _file(_plan()) as path, path.open("rb") as file:
            batch = warehouse.receive(
                dataset=dataset,
                file=file,
                file_name=path.name,
                mode=Batch.Mode.UPSERT,
                actor=self.editor,
                at=timezone.now(),
            )
        batch = warehouse.land(batch_id=batch.pk, at=timezone.now())
        self.tell(f"归集：{batch.message}")

    @transaction.atomic
    def _share(self, dataset: Dataset) -> Grant:
        request = self._ask(dataset)
        sharing.submit(request=request, actor=self.asker, at=timezone.now())
        sharing.approve_by_head(request=request, actor=self.asker_head, at=timezone.now())
        sharing.accept_form(request=request, actor=self.editor, at=timezone.now())
        sharing.propose(
            request=request,
            outcome="narrow",
            actor=self.editor,
            at=timezone.now(),
            items=GIVEN,
            row_condition=[{"item": "district_code", "operator": "in", "value": list(WITHIN)}],
            reason="仅提供核验所必需的数据项，范围限于试点区县",
        )
        if request.status == SharingRequest.Status.AWAITING_SECOND_REVIEW:
            sharing.confirm(request=request, actor=self.second, at=timezone.now())
        sharing.sign(request=request, actor=self.head, at=timezone.now())
        return request.grant

    def _deliver(self, grant: Grant) -> None:
        sharing.deliver(grant=grant, at=timezone.now())
        grant.refresh_from_db()
        self.tell(f"共享：{grant.request.number} 部分同意并交付，{grant.get_status_display()}")

    def _ask(self, dataset: Dataset) -> SharingRequest:
        return sharing.draft_request(
            dataset=dataset,
            system=self.system,
            actor=self.asker,
            at=timezone.now(),
            items=ASKED,
            basis="《未成年人保护法》第八十三条；《学生资助资金管理办法》",
            scenario="认定困境儿童就学资助资格，减少家长提交证明材料",
            scope="市教委学籍业务管理系统，学生资助管理中心人员使用",
            mode="interface",
            starts_on=timezone.localdate(),
            ends_on=timezone.localdate() + timedelta(days=365),
            vouched=True,
        )

    def _call(self, dataset: Dataset, grant: Grant) -> None:
        credential = sharing.issue_credential(
            system=self.system,
            actor=self.asker_head,
            at=timezone.now(),
            note="演示凭证",
            untested_reason="演示环境，已用虚构数据试调",
        )
        granted, refused = self._codes(dataset)
        path = Path(settings.HUILIU_HOME) / "demo-credentials.json"
        path.write_text(
            json.dumps({**credential._asdict(), "granted": granted, "not_granted": refused}),
            encoding="utf-8",
        )
        path.chmod(0o600)
        caller = Caller(credential.client_id, credential.client_secret)
        rows = caller.read(dataset.dashed_code, pages=PAGES)
        self.tell(f"调用：凭授权读取 {PAGES} 页共 {rows:,} 条，证件号已脱敏，只含试点区县")
        answer = caller.get(f"/api/v1/data/{refused[0]}")
        self.tell(f"调用：未获授权的目录 {refused[0]} 被拒绝（{answer.status_code}）")

    def _codes(self, dataset: Dataset) -> tuple[list[str], list[str]]:
        """Codes the system may read, and three that exist but that it may not."""
        held = Grant.objects.filter(system=self.system, status=Grant.Status.IN_FORCE)
        granted = [grant.dataset.dashed_code for grant in held.select_related("dataset")]
        others = (
            Dataset.objects.published()
            .exclude(code__in=[code.replace("-", "/") for code in granted])
            .exclude(department=self.system.department)
            .filter(data_table__isnull=False)
            .order_by("code")[:3]
        )
        granted.sort(key=lambda code: code != dataset.dashed_code)
        return granted, [other.dashed_code for other in others]

    def _figures(self, dataset: Dataset, grant: Grant) -> None:
        delivered = AccessRecord.objects.filter(grant_id=grant.pk).aggregate(rows=Sum("rows"))
        landed = dataset.data_table.row_count
        events = Event.objects.count()
        self.tell(
            f"读回：库内 {landed:,} 条，调用记录累计送出 {delivered['rows'] or 0:,} 条，"
            f"操作日志 {events:,} 条"
        )


class Caller:
    """The consumer's system: asks for a token, then reads, over the same addresses as outside."""

    def __init__(self, client_id: str, client_secret: str) -> None:
        self.client = Client(headers={"host": "127.0.0.1"})
        answer = self.client.post(
            "/oauth/token",
            {
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret,
            },
        )
        self.token = answer.json()["access_token"]

    def get(self, address: str, **query: Any) -> Any:
        return self.client.get(address, query, headers={"authorization": f"Bearer {self.token}"})

    def read(self, code: str, *, pages: int) -> int:
        """Read so many pages and return the rows; the answer of a refusal is shown as it is."""
        rows, cursor = 0, None
        for _ in range(pages):
            query = {"limit": 500, **({"cursor": cursor} if cursor else {})}
            answer = self.get(f"/api/v1/data/{code}", **query)
            if answer.status_code != 200:
                raise RuntimeError(answer.content.decode())
            body = json.loads(answer.content)
            rows += len(body["data"])
            cursor = body["next"]
            if not cursor:
                break
        return rows


def play_once(tell: Progress) -> bool:
    """Play the story unless it was played to its end before; say whether it was played."""
    path = Path(settings.HUILIU_HOME) / "demo-credentials.json"
    if Dataset.objects.filter(name=STORY).exists() and path.exists():
        return False
    Story(tell).play()
    return True


def _plan() -> DatasetPlan:
    return next(plan for plan in datasets() if plan.name == STORY)


@contextmanager
def _file(plan: DatasetPlan) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plan.name}.csv"
        write_csv(plan, ROWS, path, dirty=True)
        yield path
