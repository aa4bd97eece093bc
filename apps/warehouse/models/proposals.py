"""Drafts of entries that were proposed from a file, with what spoke for each, and the readings."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Department
from apps.core.models import Governed
from apps.warehouse.models.batches import StoredFile


class FileProposal(models.Model):
    """Where a draft entry came from: the file, how it was read, the evidence.

    evidence: [{"said", "why"}] of the entry; item_evidence: the same by column name; notes: form,
    encoding and why, sheet. What the clerk corrected since stands in the draft alone.
    """

    handover: ClassVar[dict[str, Q | None]] = {"proposed_by": None}

    dataset = models.OneToOneField(
        "catalog.Dataset",
        verbose_name=_("数据目录"),
        on_delete=models.CASCADE,
        related_name="file_proposal",
    )
    file = models.ForeignKey(
        StoredFile, verbose_name=_("原始文件"), on_delete=models.PROTECT, related_name="+"
    )
    file_name = models.CharField(_("文件名"), max_length=255)
    rows = models.PositiveBigIntegerField(_("行数"))
    notes = models.JSONField(_("读取情况"), default=dict)
    evidence = models.JSONField(_("依据"), default=list)
    item_evidence = models.JSONField(_("各数据项的依据"), default=dict)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("提交人"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    proposed_at = models.DateTimeField(_("生成时间"))

    class Meta:
        verbose_name = _("由文件生成的草案")
        verbose_name_plural = _("由文件生成的草案")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.file_name}"


class ProposalRun(Governed):
    """One file on its way to a draft: read by the worker, which a person may leave alone with it.

    `department` is whose entry it becomes; `name` what it is to be called, "" for what the file's
    name says. `problem_field` is the field of the form where the problem is said. `revision` fences
    workers: who took the run may end it only while nobody took it again or gave it up.

    Source: house rule (issue 4; design §3.6)
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("等待读取")
        READING = "reading", _("正在读取")
        PROPOSED = "proposed", _("已生成草案")
        REFUSED = "refused", _("没有生成")
        DISCARDED = "discarded", _("已放弃")

    class Stage(models.TextChoices):
        OPENING = "opening", _("打开文件，查找表头")
        PROFILING = "profiling", _("逐列统计")
        CONCLUDING = "concluding", _("查找主键和更新周期")

    succession: ClassVar[dict[str, str]] = {"department": "moves"}
    handover: ClassVar[dict[str, Q | None]] = {"requested_by": None}

    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", verbose_name=_("部门")
    )
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+", verbose_name=_("文件"))
    file_name = models.CharField(_("文件名"), max_length=255)
    classification = models.ForeignKey(
        "catalog.Classification", models.PROTECT, related_name="+", verbose_name=_("资源分类")
    )
    name = models.CharField(_("目录名称"), max_length=50, blank=True)
    idempotency_key = models.CharField(_("提交编号"), max_length=200, blank=True)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.WAITING, editable=False
    )
    stage = models.CharField(_("步骤"), max_length=10, choices=Stage, default=Stage.OPENING)
    progress = models.PositiveIntegerField(_("已统计列数"), default=0)
    expected = models.PositiveIntegerField(_("总列数"), default=0)
    problem_code = models.CharField(_("问题代码"), max_length=60, blank=True)
    problem = models.TextField(_("问题"), blank=True)
    problem_field = models.CharField(_("有问题的栏目"), max_length=60, blank=True)
    attempts = models.PositiveSmallIntegerField(_("处理次数"), default=0)
    proposal = models.OneToOneField(
        FileProposal,
        models.CASCADE,  # a draft that is deleted takes with it how it came about
        null=True,
        blank=True,
        related_name="run",
        verbose_name=_("草案"),
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("提交人")
    )
    started_at = models.DateTimeField(_("开始时间"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("最近心跳"), null=True, blank=True)
    finished_at = models.DateTimeField(_("完成时间"), null=True, blank=True)

    class Meta:
        verbose_name = _("由文件生成草案的任务")
        verbose_name_plural = _("由文件生成草案的任务")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["department", "-id"], name="warehouse_proposal_run_of_dept"),
            models.Index(
                fields=["id"],
                condition=Q(status__in=["waiting", "reading"]),
                name="warehouse_proposal_run_due",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["requested_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="warehouse_proposalrun_key_once",
                violation_error_message=_("这个提交编号已经用过"),
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", proposal__isnull=False)
                | (~Q(status="proposed") & Q(proposal=None)),
                name="warehouse_proposalrun_proposed_has_draft",
            ),
            models.CheckConstraint(
                condition=~Q(status="refused") | ~Q(problem_code=""),
                name="warehouse_proposalrun_refusal_has_code",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "reading"], finished_at=None)
                | (~Q(status__in=["waiting", "reading"]) & Q(finished_at__isnull=False)),
                name="warehouse_proposalrun_ended_at_end",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        return reverse("warehouse:proposal-run", args=[self.pk])
