"""A spreadsheet that was handed in, what it says of each entry, and what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from apps.accounts.models import Department
from apps.catalog.models.change import DatasetChange
from apps.catalog.models.dataset import Dataset
from apps.core.models import Governed


class CensusFigures(models.Model):
    """The six numbers of the old template about an entry: how much there is, shared, opened.

    Source: 《政务信息资源目录编制指南（试行）》 目录模板
    Units: storage in GB, records in ten thousands.
    """

    dataset = models.OneToOneField(
        Dataset, models.CASCADE, related_name="census", verbose_name=_("数据目录")
    )
    storage_total = models.DecimalField(
        _("数据存储总量（G）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    records_total = models.DecimalField(
        _("结构化信息记录总数（万）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    storage_shared = models.DecimalField(
        _("已共享的数据存储量（G）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    records_shared = models.DecimalField(
        _("已共享的结构化记录数（万）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    storage_opened = models.DecimalField(
        _("已开放的数据存储量（G）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    records_opened = models.DecimalField(
        _("已开放的结构化记录数（万）"), max_digits=16, decimal_places=4, null=True, blank=True
    )
    updated_at = models.DateTimeField(_("更新时间"))

    history = HistoricalRecords(history_change_reason_field=models.TextField(null=True))

    class Meta:
        verbose_name = _("普查数字")
        verbose_name_plural = _("普查数字")

    def __str__(self) -> str:
        return str(self.dataset)


class CatalogImport(Governed):
    """One uploaded spreadsheet, from received to adopted.

    `department` is null for the authority's, which may hold every department's entries. The file is
    kept by its SHA-256. `revision` fences workers: who took the import may finish it only while
    nobody took it again.

    Source: house rule (design §3.9)
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("等待检查")
        CHECKING = "checking", _("检查中")
        CHECKED = "checked", _("已检查，待采用")
        ADOPTING = "adopting", _("采用中")
        ADOPTED = "adopted", _("已采用")
        DISCARDED = "discarded", _("已放弃")
        REFUSED = "refused", _("无法读取")

    class Channel(models.TextChoices):
        PAGE = "page", _("页面")
        API = "api", _("接口")

    class Scope(models.TextChoices):
        ALL = "all", _("全部都对才采用")
        GOOD = "good", _("采用没有差错的")

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {"uploaded_by": None, "decided_by": None}

    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="catalog_imports",
        verbose_name=_("部门"),
    )
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    size_bytes = models.PositiveBigIntegerField(_("大小（字节）"))
    file_name = models.CharField(_("文件名"), max_length=255)
    channel = models.CharField(_("提交途径"), max_length=10, choices=Channel, default=Channel.PAGE)
    idempotency_key = models.CharField(_("提交编号"), max_length=200, blank=True)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.RECEIVED, editable=False
    )
    scope = models.CharField(_("采用范围"), max_length=10, choices=Scope, blank=True)
    summary = models.JSONField(_("结果"), default=dict, blank=True)
    problem_code = models.CharField(_("问题代码"), max_length=60, blank=True)
    problem = models.TextField(_("问题"), blank=True)
    progress = models.PositiveIntegerField(_("已处理条数"), default=0)
    expected = models.PositiveIntegerField(_("总条数"), default=0)
    attempts = models.PositiveSmallIntegerField(_("处理次数"), default=0)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("上传人")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("采用人"),
    )
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("表格编目")
        verbose_name_plural = _("表格编目")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["department", "-id"], name="catalog_import_of_department"),
            models.Index(
                fields=["id"],
                condition=Q(status__in=["received", "checking", "adopting"]),
                name="catalog_import_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["uploaded_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="catalog_catalogimport_key_once",
                violation_error_message=_("这个提交编号已经用过"),
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="catalog_catalogimport_sha256_form",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(problem_code=""),
                name="catalog_catalogimport_refusal_has_code",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["adopting", "adopted"])
                | (Q(decided_by__isnull=False) & ~Q(scope="")),
                name="catalog_catalogimport_adoption_has_person",
            ),
        ]

    def __str__(self) -> str:
        return f"BM-{self.pk:06d}" if self.pk else str(_("新表格"))

    def get_absolute_url(self) -> str:
        return reverse("catalog:import", args=[self.pk])


class ImportEntry(models.Model):
    """What a sheet says of one entry, judged and compared; and what became of it.

    faults: as `spreadsheets.refusal.Fault`; proposal: {"fields", "items", "related", "census",
    "classification", "differences", "clashes"}; decisions: {clash's key: "mine" | "current"}.
    """

    class Action(models.TextChoices):
        CREATE = "create", _("新编")
        REVISE = "revise", _("修改")
        UNCHANGED = "unchanged", _("无变化")
        CONFLICT = "conflict", _("有冲突")
        FAULTY = "faulty", _("有差错")

    class Outcome(models.TextChoices):
        CREATED = "created", _("已新建草稿")
        REVISED = "revised", _("已修改草稿")
        CHANGED = "changed", _("已形成变更")
        COUNTED = "counted", _("已更新普查数字")
        SKIPPED = "skipped", _("未采用")

    catalog_import = models.ForeignKey(
        CatalogImport, models.CASCADE, related_name="entries", verbose_name=_("表格编目")
    )
    position = models.PositiveIntegerField(_("序号"))
    sheet = models.CharField(_("表"), max_length=100)
    first_row = models.PositiveIntegerField(_("起始行"))
    last_row = models.PositiveIntegerField(_("末行"))
    code = models.CharField(_("目录代码"), max_length=60, blank=True)
    name = models.CharField(_("目录名称"), max_length=200, blank=True)
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("提供部门"),
    )
    dataset = models.ForeignKey(
        Dataset,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="import_entries",
        verbose_name=_("数据目录"),
    )
    dataset_revision = models.PositiveIntegerField(_("检查时的修订号"), null=True, blank=True)
    base_version = models.CharField(_("依据的版本"), max_length=20, blank=True)
    action = models.CharField(_("结论"), max_length=10, choices=Action)
    proposal = models.JSONField(_("内容"), default=dict)
    faults = models.JSONField(_("问题"), default=list)
    error_count = models.PositiveIntegerField(_("差错数"), default=0)
    decisions = models.JSONField(_("冲突的决定"), default=dict, blank=True)
    outcome = models.CharField(_("处理结果"), max_length=10, choices=Outcome, blank=True)
    note = models.TextField(_("处理说明"), blank=True)
    change = models.ForeignKey(
        DatasetChange,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("变更"),
    )

    succession: ClassVar[dict[str, str]] = {"department": "stays"}

    class Meta:
        verbose_name = _("表格中的目录")
        verbose_name_plural = _("表格中的目录")
        ordering = ["catalog_import", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["catalog_import", "position"], name="catalog_importentry_position_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["catalog_import", "action", "position"],
                name="catalog_importentry_by_action",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.code or str(self.position)

    @property
    def open_clashes(self) -> int:
        """How many conflicts nobody has decided yet."""
        clashes = self.proposal.get("clashes", ())
        return sum(1 for clash in clashes if clash["key"] not in self.decisions)
